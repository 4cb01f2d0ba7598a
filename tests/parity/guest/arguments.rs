//! The arguments of one line, read as numbers, bytes and header fields, and calls whose results come back through pointers.

use crate::host::{call, place};
use crate::script::{set_variable, variable};
use crate::words::{encode, pair, status};

/// A line without its first word.
pub struct Line<'a> {
    pub arguments: &'a [Vec<u8>],
}

impl Line<'_> {
    pub fn bytes(&self, at: usize) -> &[u8] {
        self.arguments.get(at).map_or(b"", Vec::as_slice)
    }

    pub fn text(&self, at: usize) -> String {
        String::from_utf8_lossy(self.bytes(at)).into_owned()
    }

    /// Segments of a property's path, parted by dots; a dot inside a segment is written `\.`, so a word in quotes.
    pub fn path(&self, at: usize) -> Vec<u8> {
        let text = self
            .text(at)
            .replace("\\.", "\u{1}")
            .replace('.', "\0")
            .replace('\u{1}', ".");
        text.into_bytes()
    }

    pub fn number(&self, at: usize) -> u64 {
        self.number_or(at, 0)
    }

    pub fn number_or(&self, at: usize, fallback: u64) -> u64 {
        let text = self.text(at);
        if let Some(name) = text.strip_prefix('$') {
            return variable(name).unwrap_or(fallback);
        }
        if let Ok(number) = text.parse::<i64>() {
            return number as u64;
        }
        named(&text).unwrap_or(fallback)
    }

    pub fn option(&self, wanted: &str) -> Vec<u8> {
        let all = self.arguments.iter().map(|word| pair(word));
        let mut found = all.filter(|(name, _)| name == wanted.as_bytes());
        found.next().map_or(Vec::new(), |(_, value)| value)
    }

    pub fn pairs(&self, from: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.pairs_with(from, &[])
    }

    /// All `NAME=VALUE` from here on, but for some names; `many=5` stands for five fields.
    pub fn pairs_with(&self, from: usize, but: &[&str]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut pairs = Vec::new();
        for word in self.arguments.iter().skip(from) {
            let (name, value) = pair(word);
            if name == b"many" {
                let count: u32 = String::from_utf8_lossy(&value).parse().unwrap_or(0);
                pairs.extend((0..count).map(|at| (format!("x-{at}").into_bytes(), b"v".to_vec())));
            } else if !but.iter().any(|it| it.as_bytes() == name) {
                pairs.push((name, value));
            }
        }
        pairs
    }

    pub fn metadata(&self, from: usize) -> Vec<u8> {
        let pairs = self.pairs(from);
        if pairs.is_empty() {
            Vec::new()
        } else {
            encode(&pairs)
        }
    }

    pub fn number_out(&self, name: &str) -> String {
        let mut out = [0_u32];
        let mut numbers: Vec<u64> = (0..self.arguments.len())
            .map(|at| self.number(at))
            .collect();
        numbers.push(place(&mut out));
        let status = said(call(name, &numbers));
        format!("{status} {}", unsafe { std::ptr::read_volatile(&out[0]) })
    }

    pub fn token_out(&self, name: &str, numbers: &[u64]) -> String {
        let mut out = [0_u32];
        let numbers = [numbers, &[place(&mut out)]].concat();
        let status = said(call(name, &numbers));
        let token = unsafe { std::ptr::read_volatile(&out[0]) };
        set_variable("last", token.into());
        if status == "OK" {
            format!("OK {token}")
        } else {
            status
        }
    }

    pub fn bytes_out(&self, name: &str, numbers: &[u64], show: impl Fn(&[u8]) -> String) -> String {
        self.bytes_out_then(name, numbers, None, show)
    }

    pub fn bytes_out_then(
        &self,
        name: &str,
        numbers: &[u64],
        last: Option<u64>,
        show: impl Fn(&[u8]) -> String,
    ) -> String {
        let mut out = [0_u32; 2];
        let mut numbers = numbers.to_vec();
        numbers.extend([place(&mut out), place(&mut out) + 4]);
        numbers.extend(last);
        let result = call(name, &numbers);
        let out = unsafe { std::ptr::read_volatile(&out) };
        match result {
            Some(0) => format!("OK {}", show(&crate::host::taken(out[0], out[1]))),
            other => said(other),
        }
    }
}

pub fn said(result: Option<u32>) -> String {
    result.map_or("no such call".into(), status)
}

pub fn level(name: &str) -> u64 {
    let names = ["trace", "debug", "info", "warn", "error", "critical"];
    names.iter().position(|it| *it == name).unwrap_or(2) as u64
}

/// The numbers of maps, streams, buffers and metrics by their names.
fn named(name: &str) -> Option<u64> {
    let number = match name {
        "request_stream" | "request_headers" | "request_body" | "counter" => 0,
        "request_trailers" | "response_body" | "gauge" => 1,
        "response_headers" | "downstream_data" | "histogram" => 2,
        "response_trailers" | "upstream_data" => 3,
        "grpc_initial_metadata" | "call_body" => 4,
        "grpc_trailing_metadata" | "grpc_message" => 5,
        "call_headers" | "vm_configuration" => 6,
        "call_trailers" | "plugin_configuration" => 7,
        "foreign_arguments" => 8,
        "response_stream" => 1,
        "downstream" => 2,
        "upstream" => 3,
        _ => return None,
    };
    Some(number)
}
