//! The filter with a trap in it: the very module of the filter, but that a request with many headers ends the VM, as a fault in the
//! filter would.
//!
//! The export `proxy_on_request_headers` leads to a function in front of the filter's own:
//!
//! ```wat
//! (func (param $context i32) (param $headers i32) (param $end_of_stream i32) (result i32)
//!     (if (i32.ge_u (local.get $headers) (i32.const 40)) (then unreachable))
//!     (call $own (local.get $context) (local.get $headers) (local.get $end_of_stream)))
//! ```
//!
//! So three sections are written anew, and no byte of the filter's own code.

use wasmparser::{Parser, Payload, TypeRef};

/// The number of headers from which on a request traps.
pub const HEADERS: u32 = 40;

/// Returns the module of the filter with the trap.
///
/// # Panics
/// When the filter is no module, or has no such export.
pub fn with_trap(filter: &[u8]) -> Vec<u8> {
    let own = Own::of(filter);
    let (head, mut rest) = filter.split_at(PREAMBLE);
    let mut module = head.to_vec();
    while let [id, behind @ ..] = rest {
        let (size, behind) = read(behind);
        let (content, behind) = behind.split_at(size);
        rest = behind;
        let content = match *id {
            FUNCTIONS => with_one_more(content, &written(own.kind)),
            CODE => with_one_more(content, &own.body_in_front()),
            EXPORTS => own.exported(content),
            _ => content.to_vec(),
        };
        module.push(*id);
        module.extend(written(content.len()));
        module.extend(content);
    }
    module
}

/// The filter's own function, by the numbers of the module.
struct Own {
    index: usize,
    /// The index of its type.
    kind: usize,
    /// The number of functions, and so the index of the next.
    functions: usize,
}

impl Own {
    fn of(filter: &[u8]) -> Self {
        let (mut imported, mut kinds, mut index) = (0, Vec::new(), None);
        for payload in Parser::new(0).parse_all(filter) {
            match payload.expect("a module") {
                Payload::ImportSection(section) => {
                    let imports = section.into_imports().flatten();
                    imported = imports
                        .filter(|import| matches!(import.ty, TypeRef::Func(_)))
                        .count();
                }
                Payload::FunctionSection(section) => {
                    kinds = section.into_iter().flatten().collect()
                }
                Payload::ExportSection(section) => {
                    let mut exports = section.into_iter().flatten();
                    let found = exports.find(|export| export.name == NAME);
                    index = found.map(|export| of(export.index));
                }
                _ => {}
            }
        }
        let index = index.expect("the filter reads headers of requests");
        Self {
            index,
            kind: of(kinds[index - imported]),
            functions: imported + kinds.len(),
        }
    }

    /// Returns the body of the function in front, with its length.
    fn body_in_front(&self) -> Vec<u8> {
        let limit = u8::try_from(HEADERS).expect("less than 64, and so one byte");
        // No locals; local.get 1, i32.const, i32.ge_u, if, unreachable, end; local.get 0 to 2, call, end.
        let head = [0x00, 0x20, 1, 0x41, limit, 0x4f, 0x04, 0x40, 0x00, 0x0b];
        let call = [0x20, 0, 0x20, 1, 0x20, 2, 0x10];
        let body = [&head[..], &call, &written(self.index), &[0x0b]].concat();
        [written(body.len()), body].concat()
    }

    /// Returns the exports, with the function in front in place of the filter's own.
    fn exported(&self, content: &[u8]) -> Vec<u8> {
        let entry = |index: usize| {
            let name = [&written(NAME.len())[..], NAME.as_bytes()].concat();
            // A function is an export of kind 0.
            [name, vec![0], written(index)].concat()
        };
        let (old, new) = (entry(self.index), entry(self.functions));
        let mut places = content.windows(old.len());
        let at = places.position(|place| place == old).expect("the export");
        [&content[..at], &new, &content[at + old.len()..]].concat()
    }
}

/// Returns a list with one more entry at its end.
fn with_one_more(content: &[u8], entry: &[u8]) -> Vec<u8> {
    let (count, entries) = read(content);
    [&written(count + 1)[..], entries, entry].concat()
}

/// Reads a number in LEB128, and returns what is behind it.
fn read(bytes: &[u8]) -> (usize, &[u8]) {
    let mut number = 0;
    for (byte, at) in bytes.iter().zip(0..) {
        number |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return (number, &bytes[at + 1..]);
        }
    }
    panic!("a number without an end");
}

/// Returns a number in LEB128.
fn written(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            bytes.push(low & 0x7f);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

fn of(index: u32) -> usize {
    usize::try_from(index).expect("an index")
}

const NAME: &str = "proxy_on_request_headers";
const PREAMBLE: usize = 8;
const FUNCTIONS: u8 = 3;
const EXPORTS: u8 = 7;
const CODE: u8 = 10;
