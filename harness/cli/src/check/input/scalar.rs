//! Plain scalars of YAML as Kubernetes reads them: `no` is the boolean false, `010` is 8, and the same in keys.
//!
//! kubectl, Helm and istiod read YAML with [sigs.k8s.io/yaml], which reads it with go-yaml's second version, whose
//! rules are in [its resolve.go]: YAML 1.1's booleans, Go's notations of integers with `_` left out, and YAML's floats.
//! Written here because libraries for YAML 1.2 have other rules, none of them these.
//!
//! [sigs.k8s.io/yaml]: https://github.com/kubernetes-sigs/yaml/blob/v1.6.0/yaml.go
//! [its resolve.go]: https://github.com/yaml/go-yaml/blob/v2.4.2/resolve.go

use granit_parser::{ScalarStyle, Tag};
use serde_json::Number;

use super::document::Document;

/// A scalar; its text is kept apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scalar {
    Null,
    Boolean(bool),
    Integer(i64),
    Unsigned(u64),
    Float(f64),
    Text,
}

impl Scalar {
    /// Reads a scalar by its style and tag; `None` where the text is not of the tag's type.
    pub(super) fn of(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Option<Self> {
        match tag {
            Some(tag) => match tag.core_suffix() {
                Some(suffix) => Self::tagged(suffix, text),
                None => Some(Self::Text),
            },
            None if style == ScalarStyle::Plain => Some(Self::plain(text)),
            None => Some(Self::Text),
        }
    }

    /// Reads a scalar that is not quoted.
    fn plain(text: &str) -> Self {
        match text {
            "" | "~" | "null" | "Null" | "NULL" => Self::Null,
            "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
                Self::Boolean(true)
            }
            "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off"
            | "OFF" => Self::Boolean(false),
            ".nan" | ".NaN" | ".NAN" => Self::Float(f64::NAN),
            ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Self::Float(f64::INFINITY),
            "-.inf" | "-.Inf" | "-.INF" => Self::Float(f64::NEG_INFINITY),
            _ if text
                .starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) =>
            {
                number(text)
            }
            _ => Self::Text,
        }
    }

    /// Reads a scalar with a tag of YAML's; `None` where the text is not of the tag's type.
    fn tagged(suffix: &str, text: &str) -> Option<Self> {
        let found = Self::plain(text);
        match (suffix, found) {
            ("null", Self::Null)
            | ("bool", Self::Boolean(_))
            | ("int", Self::Integer(_) | Self::Unsigned(_))
            | ("float", Self::Float(_) | Self::Integer(_)) => Some(found),
            ("null" | "bool" | "int" | "float", _) => None,
            _ => Some(Self::Text),
        }
    }

    /// Returns the text of a key, as Kubernetes makes it of any scalar; `None` where it refuses the key.
    pub(super) fn key(self, text: &str) -> Option<String> {
        match self {
            Self::Null | Self::Unsigned(_) => None,
            Self::Boolean(value) => Some(value.to_string()),
            Self::Integer(value) => Some(value.to_string()),
            Self::Float(value) => Some(float_key(value)),
            Self::Text => Some(text.to_owned()),
        }
    }

    /// Returns the value, with its text where it is text; `None` for a number that JSON has not.
    pub(super) fn value(self, text: impl Into<String>) -> Option<Document> {
        Some(match self {
            Self::Null => Document::Null,
            Self::Boolean(value) => Document::Boolean(value),
            Self::Integer(value) => Document::Number(value.into()),
            Self::Unsigned(value) => Document::Number(value.into()),
            Self::Float(value) => Document::Number(Number::from_f64(value)?),
            Self::Text => Document::String(text.into()),
        })
    }
}

fn number(text: &str) -> Scalar {
    let plain = match text.starts_with('.') {
        true => text.to_owned(),
        false => text.replace('_', ""),
    };
    let (is_negative, digits) = match plain.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    if let Some(magnitude) = unsigned(digits) {
        let signed = match is_negative {
            true => 0_i64.checked_sub_unsigned(magnitude),
            false => i64::try_from(magnitude).ok(),
        };
        if let Some(signed) = signed {
            return Scalar::Integer(signed);
        }
        if digits.len() == plain.len() {
            return Scalar::Unsigned(magnitude);
        }
    }
    let is_float = plain
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    match plain.parse::<f64>() {
        Ok(float) if is_float && float.is_finite() => Scalar::Float(float),
        _ => Scalar::Text,
    }
}

/// Reads an integer as Go's `ParseUint` does with base 0: a leading 0 alone is octal.
fn unsigned(digits: &str) -> Option<u64> {
    let lower = digits.to_ascii_lowercase();
    let (base, digits) = match lower.as_bytes() {
        [b'0', b'b', _, ..] => (2, lower.get(2..)?),
        [b'0', b'o', _, ..] => (8, lower.get(2..)?),
        [b'0', b'x', _, ..] => (16, lower.get(2..)?),
        [b'0'] => return Some(0),
        [b'0', ..] => (8, lower.get(1..)?),
        _ => (10, lower.as_str()),
    };
    // Rust takes a second sign here.
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
    u64::from_str_radix(digits, base).ok().filter(|_| is_plain)
}

/// Writes a float as Go's `FormatFloat(value, 'g', -1, 32)` does, by which sigs.k8s.io/yaml makes it a key.
fn float_key(value: f64) -> String {
    if value.is_nan() {
        return ".nan".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.into();
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "sigs.k8s.io/yaml writes keys with the digits of 32 bits"
    )]
    let short = value as f32;
    let scientific = format!("{short:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    match exponent.parse::<i32>() {
        Ok(exponent) if !(-4..6).contains(&exponent) => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{mantissa}e{sign}{:02}", exponent.abs())
        }
        _ => short.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::Scalar;

    /// Each row is what `YAMLToJSON` of sigs.k8s.io/yaml 1.6.0 makes of it.
    #[test]
    fn a_key_is_what_kubernetes_makes_of_it() {
        for (written, read) in [
            ("no", "false"),
            ("n", "false"),
            ("Off", "false"),
            ("on", "true"),
            ("y", "true"),
            ("YES", "true"),
            ("yEs", "yEs"),
            ("010", "8"),
            ("-010", "-8"),
            ("08", "8"),
            ("0o17", "15"),
            ("0x10", "16"),
            ("0X1f", "31"),
            ("0b11", "3"),
            ("1e3", "1000"),
            ("1e5", "100000"),
            ("1e6", "1e+06"),
            ("1.5e-7", "1.5e-07"),
            ("0.0001", "0.0001"),
            ("1_000", "1000"),
            ("_1", "_1"),
            ("+5", "5"),
            ("+-5", "+-5"),
            ("0x+5", "0x+5"),
            ("0", "0"),
            ("5.", "5"),
            (".5", "0.5"),
            ("._5", "._5"),
            ("1.10", "1.1"),
            (".inf", ".inf"),
            ("-.INF", "-.inf"),
            (".nan", ".nan"),
            ("2024-01-01", "2024-01-01"),
            ("1.2.3", "1.2.3"),
            ("1e", "1e"),
            ("-", "-"),
            ("-inf", "-inf"),
            ("12:30", "12:30"),
            ("team-a", "team-a"),
        ] {
            let key = Scalar::plain(written).key(written);
            assert_eq!(key.as_deref(), Some(read), "{written}");
        }
        for refused in ["", "~", "null", "18446744073709551615"] {
            assert_eq!(Scalar::plain(refused).key(refused), None, "{refused}");
        }
    }

    #[test]
    fn a_value_is_what_kubernetes_makes_of_it() {
        for (written, json) in [
            ("yes", "true"),
            ("no", "false"),
            ("010", "8"),
            ("1_000", "1000"),
            ("0x10", "16"),
            ("0o17", "15"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("18446744073709551615", "18446744073709551615"),
            ("+18446744073709551615", "1.8446744073709552e+19"),
            ("0.5", "0.5"),
            ("~", "null"),
            ("5%", "\"5%\""),
            ("1e999", "\"1e999\""),
        ] {
            let value = Scalar::plain(written).value(written).expect(written);
            assert_eq!(value.to_json(), json, "{written}");
        }
        assert_eq!(Scalar::plain(".inf").value(".inf"), None);
        for (suffix, text, expected) in [
            ("str", "5", Some(Scalar::Text)),
            ("int", "0x10", Some(Scalar::Integer(16))),
            ("float", "5", Some(Scalar::Integer(5))),
            ("bool", "on", Some(Scalar::Boolean(true))),
            ("int", "five", None),
        ] {
            assert_eq!(Scalar::tagged(suffix, text), expected, "{suffix} {text}");
        }
    }
}
