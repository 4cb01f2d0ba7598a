use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use serde_json::{Map, Value};

use super::*;

fn parse(json: &[u8]) -> Result<Value, JsonError> {
    let mut reader = Reader::new(json);
    let value = read(&mut reader)?;
    reader.end()?;
    Ok(value)
}

fn read(reader: &mut Reader<'_>) -> Result<Value, JsonError> {
    Ok(match reader.begin()? {
        Piece::Null => Value::Null,
        Piece::Boolean(value) => value.into(),
        Piece::Number(number) => {
            // Twice the same number, to be compared with serde_json's as it is kept there.
            if let Ok(integer) = number.written.parse::<u64>() {
                assert!(number.is_integer() && number.value == integer as f64);
                integer.into()
            } else if let (true, Ok(integer)) = (number.is_integer(), number.written.parse::<i64>())
            {
                assert!(number.value == integer as f64);
                integer.into()
            } else {
                number.value.into()
            }
        }
        Piece::Text(text) => text.into(),
        Piece::List => {
            let mut list = Vec::new();
            while reader.next_entry(list.is_empty())? {
                list.push(read(reader)?);
            }
            list.into()
        }
        Piece::Object => {
            let (mut object, mut is_first) = (Map::new(), true);
            while let Some(key) = reader.next_key(is_first)? {
                is_first = false;
                object.insert(key, read(reader)?);
            }
            object.into()
        }
    })
}

/// Of a number with more than 22 places, or zeros behind it, the last digit may be another.
fn is_same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .zip(b)
                    .all(|((a, ours), (b, theirs))| a == b && is_same(ours, theirs))
        }
        (Value::Number(a), Value::Number(b)) if a.is_f64() && b.is_f64() => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            let is_extreme = !(1e-16..1e20).contains(&b.abs());
            // serde_json rounds to the last bit where another crate of the same build has asked it to.
            let tolerance = if is_extreme { 1e-14 } else { f64::EPSILON };
            (a - b).abs() <= b.abs() * tolerance + 1e-315
        }
        _ => ours == theirs,
    }
}

fn compare(json: &[u8]) {
    let text = || alloc::string::String::from_utf8_lossy(json);
    match (parse(json), serde_json::from_slice::<Value>(json)) {
        (Ok(ours), Ok(theirs)) => assert!(is_same(&ours, &theirs), "{}: {ours}, {theirs}", text()),
        (Err(ours), Err(theirs)) => assert_eq!(ours.to_string(), theirs.to_string(), "{}", text()),
        (ours, theirs) => panic!("{}: {ours:?}, serde_json: {theirs:?}", text()),
    }
}

const GOOD: &str = r#" {"a": [1, -2, 0.5, 1e3, -0, 1.25E-7, 18446744073709551615, 18446744073709551616, true, false, null],
    "b\u00e9\ud83d\ude00\n\"\\\/\b\f\r\t": {"c": {}, "d": [], "e": [[]]}, "ü": "…", "a": "again"}  "#;

#[test]
fn every_byte_replaced_by_every_other_is_what_serde_json_says() {
    for at in 0..GOOD.len() {
        compare(&GOOD.as_bytes()[..at]);
        for byte in 0..=255 {
            let mut changed = GOOD.as_bytes().to_vec();
            changed[at] = byte;
            compare(&changed);
        }
    }
}

#[test]
fn whatever_is_put_together_of_its_parts_is_what_serde_json_says() {
    let parts: [&[u8]; 44] = [
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b"\"",
        b"\\",
        b"\"a\"",
        b"\"b\":",
        b" ",
        b"\n",
        b"\t\r",
        b"n",
        b"null",
        b"nul",
        b"true",
        b"tru",
        b"false",
        b"0",
        b"1",
        b"-",
        b"+",
        b".",
        b"e",
        b"E",
        b"12",
        b"05",
        b"1.5",
        b"1e9",
        b"99999999999999999999",
        b"0.000000000000000000001",
        b"e400",
        b"e-400",
        b"e99999999999",
        b"e-99999999999",
        b"\\u",
        b"\\ud800",
        b"\\udc00",
        b"00e9",
        b"\x01",
        b"\xff",
        b"\xc3\xa9",
        b"\xed\xa0\x80",
    ];
    let mut seed = 11_u64;
    let mut random = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed % 1_000_003).unwrap() % below
    };
    for _ in 0..300_000 {
        let length = 1 + random(7);
        let json = (0..length)
            .flat_map(|_| parts[random(parts.len())])
            .copied();
        compare(&json.collect::<Vec<u8>>());
    }
}

#[test]
fn every_number_of_reasonable_size_is_the_double_that_serde_json_makes_of_it_but_for_its_last_bit()
{
    for significand in [
        "0",
        "1",
        "7",
        "15",
        "123456789",
        "9007199254740993",
        "18446744073709551616",
        "0.1",
        "3.14159",
    ] {
        for exponent in -17..=21 {
            compare(format!("{significand}e{exponent}").as_bytes());
            compare(format!("-{significand}E{exponent:+}").as_bytes());
        }
    }
}

#[test]
fn a_number_is_kept_as_it_was_written() {
    for written in [
        "0",
        "-0",
        "1.50",
        "1E+5",
        "4317",
        "100.000000000000000000000000000001",
    ] {
        let Ok(Piece::Number(number)) = Reader::new(written.as_bytes()).begin() else {
            panic!("{written}");
        };
        assert_eq!(number.written, written);
    }
}

#[test]
fn refuses_what_is_nested_too_deep() {
    for depth in [1, 126, 127, 128, 129, 100_000] {
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
            let (open, close) = (open.repeat(depth), close.repeat(depth));
            compare(format!("{open}1{close}").as_bytes());
        }
    }
}
