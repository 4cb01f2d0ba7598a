//! The bytes to begin with: the corpora of the fuzz targets, a folder each; and what is made of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use sidespan_core::propagation::format::Format;
use sidespan_host::Headers;
use sidespan_tests::draw::Draw;

/// The corpora, by the name of their target.
pub(super) struct Inputs(BTreeMap<String, Vec<Vec<u8>>>);

/// Parts of what is read, to be put in anywhere.
const WORDS: [&[u8]; 24] = [
    b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    b"4bf92f3577b34da6a3ce929d0e0e4736",
    b"00f067aa0ba902b7",
    b"ot=th:8;rv:f0000000000000",
    b"dd=s:2;o:rum;t.dm:-4",
    b"_dd.p.tid=640cfd8d00000000",
    b"Root=1-4bf92f35-77b34da6a3ce929d0e0e4736",
    b"Sampled=?",
    b"18446744073709551616",
    b"-9223372036854775809",
    b"1e999",
    b"%25%00%zz",
    b"\xff\xfe\x80",
    b"\xe2\x82",
    b"trace;desc=\"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\"",
    b"Sun, 06 Nov 1994 08:49:37 GMT",
    b"application/grpc",
    b"[::1]:65536",
    b"\"\\\"\\",
    b",,;;==",
    b"\n\n",
    b": ",
    b"null",
    b"{\"a\":[{}]}",
];

impl Inputs {
    pub(super) fn read() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../filter/fuzz/corpus");
        let list = |folder: &Path| {
            let entries = fs::read_dir(folder).expect("a folder of corpora");
            let mut paths: Vec<_> = entries.map(|it| it.expect("an entry").path()).collect();
            // A seed is to give the same on every machine.
            paths.sort();
            paths
        };
        let corpora = list(&folder).into_iter().map(|target| {
            let name = target.file_name().and_then(|name| name.to_str());
            let files = list(&target).into_iter();
            let files = files.map(|path| fs::read(path).expect("an input"));
            (name.expect("a name").to_owned(), files.collect())
        });
        Self(corpora.collect())
    }

    pub(super) fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    pub(super) fn targets(&self) -> usize {
        self.0.len()
    }

    /// Returns an input of a target, mostly changed.
    pub(super) fn one(&self, draw: &mut Draw, target: &str) -> Vec<u8> {
        let corpus = &self.0[target];
        let mut bytes = corpus[draw.below(corpus.len())].clone();
        for _ in 0..draw.one(&[0, 1, 1, 2, 8]) {
            self.change(draw, &mut bytes);
        }
        bytes.truncate(40_000);
        bytes
    }

    /// Returns headers, of one target or of several.
    pub(super) fn headers(&self, draw: &mut Draw) -> Headers {
        let mut headers = Headers::new();
        for _ in 0..=draw.below(3) {
            let target = self.0.keys().nth(draw.below(self.0.len()));
            let target = target.expect("a target").as_str();
            let input = self.one(draw, target);
            let formats = Format::ALL.into_iter().filter(|format| {
                let name = format!("{format:?}").to_lowercase();
                let target = target.replace('_', "");
                name.starts_with(&target)
                    || *format == Format::TraceContext && target.starts_with("trace")
            });
            let names: Vec<_> = formats.flat_map(|format| format.headers()).collect();
            let lines = input.split(|byte| *byte == b'\n');
            for (line, at) in lines.zip(0..200) {
                match names.get(at % names.len().max(1)) {
                    Some(name) => headers.add(name.as_str(), value(line)),
                    None => add_line(&mut headers, line),
                }
            }
        }
        headers
    }

    fn change(&self, draw: &mut Draw, bytes: &mut Vec<u8>) {
        let at = draw.below(bytes.len() + 1);
        let until = (at + draw.below(20)).min(bytes.len());
        match draw.below(8) {
            0 => {
                let byte = draw.byte();
                bytes.insert(at, byte);
            }
            1 => {
                bytes.drain(at..until);
            }
            2 => {
                let flip = 1 << draw.below(8);
                bytes[at..]
                    .iter_mut()
                    .take(1)
                    .for_each(|byte| *byte ^= flip);
            }
            3 => {
                let part = bytes[at..until].repeat(draw.one(&[1, 2, 40, 700]));
                bytes.splice(at..at, part);
            }
            4 => {
                let other = self.0.values().nth(draw.below(self.0.len()));
                let other = other.expect("a target");
                let other = &other[draw.below(other.len())];
                let from = draw.below(other.len() + 1);
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
            5 => bytes.truncate(at),
            _ => {
                let word = draw.one(&WORDS);
                bytes.splice(at..until, word.iter().copied());
            }
        }
    }
}

/// Adds a line of a name, `: ` and a value; one without stands for a value of `x-line`.
fn add_line(headers: &mut Headers, line: &[u8]) {
    let colon = line.windows(2).skip(1).position(|pair| pair == b": ");
    let (name, text) = match colon {
        Some(at) => (&line[..=at], &line[at + 3..]),
        None => (&b"x-line"[..], line),
    };
    // A proxy lets no other name in.
    let name: Vec<u8> = name
        .iter()
        .map(u8::to_ascii_lowercase)
        .filter(|byte| byte.is_ascii_alphanumeric() || b"-_:.".contains(byte))
        .collect();
    if !name.is_empty() {
        headers.add(name, value(text));
    }
}

/// Returns the bytes that a header's value can have.
fn value(bytes: &[u8]) -> Vec<u8> {
    let bytes = bytes.iter().copied();
    bytes.filter(|byte| !b"\0\r\n".contains(byte)).collect()
}
