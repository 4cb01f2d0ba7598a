//! The shape of the module, which the memory of a proxy follows, and the time for which its main thread does nothing but load:
//! V8 takes more than a hundred bytes for each byte of a large function while it compiles it, and the proxy's allocator keeps
//! them; its time follows the bytes of all functions, however they are cut (`filter/README.md`).

use wasmparser::{Parser, Payload};

/// The most bytes of one function.
const MAX_FUNCTION_BYTES: usize = 24 << 10;
/// The most bytes of all functions: 1.4 µs of processor time each.
const MAX_CODE_BYTES: usize = 400 << 10;
/// The most pages of 64 KiB that a machine begins with; the stack has 16 of them, and most of it is never touched.
const MAX_PAGES: u64 = 18;

#[test]
fn neither_a_function_nor_all_of_them_are_larger_than_compiling_is_worth() {
    let (mut functions, mut pages) = (Vec::new(), 0);
    for payload in Parser::new(0).parse_all(sidespan::FILTER) {
        match payload.expect("a module") {
            Payload::CodeSectionEntry(body) => functions.push(body.range().len()),
            Payload::MemorySection(memories) => {
                for memory in memories {
                    pages += memory.expect("a memory").initial;
                }
            }
            _ => {}
        }
    }
    functions.sort_unstable_by(|one, other| other.cmp(one));
    let large: Vec<_> = functions
        .iter()
        .take_while(|bytes| **bytes > 4096)
        .collect();
    let bytes: usize = functions.iter().sum();
    println!(
        "{} functions, {bytes} bytes; larger than 4 KiB: {large:?}; {pages} pages",
        functions.len(),
    );
    assert!(bytes <= MAX_CODE_BYTES, "{bytes}");
    assert!(functions[0] <= MAX_FUNCTION_BYTES, "{large:?}");
    assert!(pages <= MAX_PAGES, "{pages}");
}
