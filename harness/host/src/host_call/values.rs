//! Arguments and results of host functions by their meaning, for snapshots: text for addresses, names for numbers.
//!
//! The names of the arguments say what they are: `x` with `x_size` is bytes of the guest, `x_out` with `x_size_out` bytes for
//! the guest, `x_out` alone a number for it.

use std::fmt::Write;

use crate::abi_types::MapType;
use crate::header_pairs;
use crate::logs::LogLevel;

/// An argument's name and value.
pub(super) type Argument = (&'static str, i64);

/// The most bytes of a value that are shown.
const MAX_BYTES: usize = 512;

/// Returns what a guest gives a function: `map: request headers, name: "accept"`.
pub(super) fn given(arguments: &[Argument], memory: &[u8]) -> String {
    let mut text = String::new();
    for (name, value) in arguments {
        if name.ends_with("_out") || (name.ends_with("_size") && is_bytes(arguments, name)) {
            continue;
        }
        let shown = match value_of(arguments, &format!("{name}_size")) {
            Some(size) => bytes(name, part(memory, *value, size)),
            None => number(name, *value),
        };
        add(&mut text, name, &shown);
    }
    text
}

/// Returns what a guest gets: `value: "text/html"`.
pub(super) fn got(function: &str, arguments: &[Argument], memory: &[u8]) -> String {
    let mut text = String::new();
    for (argument, at) in arguments {
        let Some(name) = argument.strip_suffix("_out") else {
            continue;
        };
        // The size is shown with its bytes; and a foreign function's caller may not want a result.
        let is_size = name
            .strip_suffix("_size")
            .is_some_and(|bytes| value_of(arguments, &format!("{bytes}_out")).is_some())
            || (name == "size" && value_of(arguments, "bytes_out").is_some());
        if is_size || *at == 0 {
            continue;
        }
        let size_out = match name {
            "bytes" => "size_out".to_owned(),
            _ => format!("{name}_size_out"),
        };
        let shown = match value_of(arguments, &size_out) {
            Some(size_at) => {
                let (at, size) = (word(memory, *at), word(memory, size_at));
                bytes(name, part(memory, i64::from(at), i64::from(size)))
            }
            None if WIDE.contains(&function) => {
                let wide = part(memory, *at, 8).and_then(|bytes| bytes.first_chunk());
                u64::from_le_bytes(wide.copied().unwrap_or_default()).to_string()
            }
            None => word(memory, *at).to_string(),
        };
        add(&mut text, name, &shown);
    }
    text
}

/// The functions whose one result has eight bytes.
const WIDE: [&str; 2] = ["proxy_get_current_time_nanoseconds", "proxy_get_metric"];

fn add(text: &mut String, name: &str, shown: &str) {
    let comma = if text.is_empty() { "" } else { ", " };
    // Writing into a string cannot fail.
    let _ = write!(text, "{comma}{name}: {shown}");
}

fn value_of(arguments: &[Argument], name: &str) -> Option<i64> {
    let found = arguments.iter().find(|(known, _)| *known == name);
    found.map(|(_, value)| *value)
}

fn is_bytes(arguments: &[Argument], size: &str) -> bool {
    let name = size.strip_suffix("_size").unwrap_or(size);
    value_of(arguments, name).is_some()
}

fn part(memory: &[u8], at: i64, size: i64) -> Option<&[u8]> {
    let start = usize::try_from(at).ok()?;
    let end = start.checked_add(usize::try_from(size).ok()?)?;
    memory.get(start..end)
}

fn word(memory: &[u8], at: i64) -> u32 {
    let bytes = part(memory, at, 4).and_then(|bytes| bytes.first_chunk());
    u32::from_le_bytes(bytes.copied().unwrap_or_default())
}

fn bytes(name: &str, bytes: Option<&[u8]>) -> String {
    let Some(bytes) = bytes else {
        return "outside the memory".to_owned();
    };
    match name {
        "headers" | "trailers" | "pairs" | "metadata" => pairs(bytes),
        "path" => {
            let path = bytes.strip_suffix(b"\0").unwrap_or(bytes);
            text(
                &path
                    .split(|byte| *byte == 0)
                    .collect::<Vec<_>>()
                    .join(&b'.'),
            )
        }
        _ => text(bytes),
    }
}

fn pairs(bytes: &[u8]) -> String {
    let Ok(pairs) = header_pairs::decode(bytes) else {
        return text(bytes);
    };
    let pairs = pairs
        .iter()
        .map(|(name, value)| format!("{}: {}", text(name), text(value)));
    format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
}

/// Returns bytes as quoted text, or in hexadecimal if they are none.
fn text(bytes: &[u8]) -> String {
    let (shown, more) = bytes.split_at(bytes.len().min(MAX_BYTES));
    let mut text = match std::str::from_utf8(shown) {
        Ok(text) => format!("{text:?}"),
        Err(_) => shown.iter().fold("0x".to_owned(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        }),
    };
    if !more.is_empty() {
        let _ = write!(text, "… ({} bytes)", bytes.len());
    }
    text
}

fn number(name: &str, value: i64) -> String {
    let word = u32::try_from(value).ok();
    let named = match name {
        "map" => word.and_then(MapType::from_wire).map(MapType::name),
        "level" => word.and_then(LogLevel::from_wire).map(LogLevel::name),
        "buffer" => word.and_then(|word| BUFFERS.get(usize::try_from(word).ok()?).copied()),
        _ => None,
    };
    match (named, word) {
        (Some(name), _) => name.to_owned(),
        // A status of -1 says that there is none.
        (None, Some(u32::MAX)) => "-1".to_owned(),
        (None, _) => value.to_string(),
    }
}

const BUFFERS: [&str; 9] = [
    "request body",
    "response body",
    "downstream data",
    "upstream data",
    "HTTP call response body",
    "gRPC message",
    "VM configuration",
    "plugin configuration",
    "call data",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_addresses_lead_to() {
        let memory = b"....accept\x08\0\0\0\x02\0\0\0text/html";
        let arguments = [
            ("map", 0),
            ("name", 4),
            ("name_size", 6),
            ("value_out", 10),
            ("value_size_out", 14),
        ];
        assert_eq!(
            given(&arguments, memory),
            r#"map: request headers, name: "accept""#
        );
        assert_eq!(
            got("proxy_get_header_map_value", &arguments, memory),
            r#"value: "pt""#
        );
        let buffer = [("bytes_out", 10), ("size_out", 14)];
        assert_eq!(
            got("proxy_get_buffer_bytes", &buffer, memory),
            r#"bytes: "pt""#
        );
    }

    #[test]
    fn shows_pairs_paths_and_numbers() {
        let pairs = header_pairs::encode(&[(b"a".to_vec(), b"1".to_vec())]);
        let size = i64::try_from(pairs.len()).unwrap();
        assert_eq!(
            given(&[("headers", 0), ("headers_size", size)], &pairs),
            r#"headers: {"a": "1"}"#
        );
        assert_eq!(
            given(&[("path", 0), ("path_size", 4)], b"a\0b\0"),
            r#"path: "a.b""#
        );
        assert_eq!(
            given(&[("grpc_status", i64::from(u32::MAX))], b""),
            "grpc_status: -1"
        );
        let time = [("time_out", 1)];
        let memory = [0, 1, 0, 0, 0, 1, 0, 0, 0];
        assert_eq!(
            got("proxy_get_current_time_nanoseconds", &time, &memory),
            "time: 4294967297"
        );
        assert_eq!(got("proxy_set_tick_period", &time, &memory), "time: 1");
    }

    #[test]
    fn shows_bytes_that_are_no_text_and_not_too_many() {
        assert_eq!(text(b"\xff\0"), "0xff00");
        let long = vec![b'a'; 600];
        assert!(text(&long).ends_with("a\"… (600 bytes)"));
        assert_eq!(
            given(&[("name", 4), ("name_size", 6)], b"....acc"),
            "name: outside the memory"
        );
    }
}
