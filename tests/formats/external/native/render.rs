//! Headers as one line of text in which ids have names, so that ids made by a proxy can be compared.
//!
//! Known ids: traces `W`, `A`, `B`; spans `s` (the caller's), `p` (the caller's parent). Ids made on the way are numbered
//! in the order in which they appear: traces `N1`, `N2`; spans `n1`, `n2`. Two headers with `n1` have the same id.

use sidespan_tests::http::Headers;

pub(super) const W: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
pub(super) const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1";
pub(super) const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb2";
pub(super) const S: &str = "00f067aa0ba902b7";
pub(super) const P: &str = "05e3ac9a4f6e3b90";

/// Returns the headers of trace contexts that left, sorted by name, because the order of different headers has no meaning.
pub(super) fn left(headers: &Headers) -> String {
    let lines = |name: &&'static str| {
        headers
            .all(name)
            .into_iter()
            .map(|value| (*name, text(value)))
            .collect::<Vec<_>>()
    };
    line(NAMES.iter().flat_map(lines))
}

/// Returns the headers of a request in the order in which they are sent.
pub(super) fn sent(headers: &[(&'static str, &str)]) -> String {
    line(
        headers
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned())),
    )
}

fn line(headers: impl Iterator<Item = (&'static str, String)>) -> String {
    let mut made = Made::default();
    let headers: Vec<String> = headers
        .map(|(name, value)| format!("{name}: {}", made.rename(&value)))
        .collect();
    if headers.is_empty() {
        "nothing".into()
    } else {
        headers.join("; ")
    }
}

fn text(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}

/// Ids made on the way.
#[derive(Default)]
struct Made {
    traces: Vec<String>,
    spans: Vec<String>,
}

impl Made {
    /// Replaces ids by names: every run of 32 or of 16 lower-case hex digits.
    fn rename(&mut self, value: &str) -> String {
        let mut out = String::new();
        let mut rest = value;
        while let Some(first) = rest.chars().next() {
            let run = rest
                .find(|c: char| !matches!(c, '0'..='9' | 'a'..='f'))
                .unwrap_or(rest.len());
            let (digits, after) = rest.split_at(run.max(first.len_utf8()));
            out.push_str(&self.name(digits));
            rest = after;
        }
        out
    }

    fn name(&mut self, digits: &str) -> String {
        match digits {
            W => "W".into(),
            A => "A".into(),
            B => "B".into(),
            S => "s".into(),
            P => "p".into(),
            _ if digits.bytes().all(|digit| digit == b'0') => digits.into(),
            _ if digits.len() == 32 => format!("N{}", number(&mut self.traces, digits)),
            _ if digits.len() == 16 => format!("n{}", number(&mut self.spans, digits)),
            _ => digits.into(),
        }
    }
}

fn number(known: &mut Vec<String>, id: &str) -> usize {
    let found = known.iter().position(|own| own == id);
    1 + found.unwrap_or_else(|| {
        known.push(id.into());
        known.len() - 1
    })
}

const NAMES: &[&str] = &[
    "traceparent",
    "tracestate",
    "b3",
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-flags",
];
