//! Whole numbers, fractions and truth values, as Go's package `strconv` reads them.

/// Reads a decimal number of at most `bits` bits with a sign.
pub(in crate::jaeger) fn integer(text: &str, bits: u32) -> Result<i64, String> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(wrong("ParseInt", text, SYNTAX));
    }
    let out_of_range = || wrong("ParseInt", text, RANGE);
    let number: i64 = text.parse().map_err(|_| out_of_range())?;
    let beyond = number.checked_shr(bits - 1).unwrap_or_default();
    match beyond {
        0 | -1 => Ok(number),
        _ => Err(out_of_range()),
    }
}

/// Reads at most 16 hexadecimal digits.
pub(in crate::jaeger) fn hexadecimal(text: &str) -> Result<u64, String> {
    if text.is_empty() || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(wrong("ParseUint", text, SYNTAX));
    }
    u64::from_str_radix(text, 16).map_err(|_| wrong("ParseUint", text, RANGE))
}

/// Reads a truth value: `1`, `t`, `true`, and so on.
pub(in crate::jaeger) fn truth(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Ok(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Ok(false),
        _ => Err(wrong("ParseBool", text, SYNTAX)),
    }
}

/// Reads a number with a fraction.
pub(in crate::jaeger) fn float(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| wrong("ParseFloat", text, SYNTAX))
}

fn wrong(function: &str, text: &str, problem: &str) -> String {
    // What Rust and Go hold to be printable differs in few characters.
    format!("strconv.{function}: parsing {text:?}: {problem}")
}

const SYNTAX: &str = "invalid syntax";
const RANGE: &str = "value out of range";

#[cfg(test)]
mod tests {
    use super::{hexadecimal, integer, truth};

    #[test]
    fn numbers_are_read_as_go_reads_them() {
        assert_eq!(integer("+7", 32), Ok(7));
        assert_eq!(integer("-2147483648", 32), Ok(-2_147_483_648));
        let range =
            |text: &str| format!("strconv.ParseInt: parsing \"{text}\": value out of range");
        assert_eq!(integer("2147483648", 32), Err(range("2147483648")));
        let large = "9223372036854775808";
        assert_eq!(integer(large, 64), Err(range(large)));
        assert_eq!(integer("9223372036854775807", 64), Ok(i64::MAX));
        for text in ["", "-", "1e3", "0x1", " 1", "1_0"] {
            let syntax = format!("strconv.ParseInt: parsing \"{text}\": invalid syntax");
            assert_eq!(integer(text, 64), Err(syntax));
        }
        assert_eq!(hexadecimal("0Af"), Ok(0xaf));
        assert!(hexadecimal("+1").is_err());
        assert_eq!(truth("T"), Ok(true));
        assert!(truth("yes").is_err());
    }
}
