//! Envoy's checks of a module, in Envoy's order: the sections and the ABI's version, the bytecode, the imports, the memory,
//! the exports.
//!
//! Envoy walks the sections by itself before V8 sees them (proxy-wasm-cpp-host, `BytecodeUtil`), so a file without any
//! WebAssembly in it fails for its missing version. Tried with Envoy 1.40, as were the types of all imports.

use wasmtime::{ExternType, FuncType, ImportType};

use crate::abi_types::AbiVersion;
use crate::guest::EXPORTS;
use crate::load_error::{BadExport, LoadError};
use crate::{hostcalls, wasi};

/// Finds the version of the ABI that a module declares: the first of its exported functions that is named like one.
///
/// # Errors
/// [`LoadError::AbiVersion`] where there is none, [`LoadError::Corrupted`] where a section is longer than the module.
pub(crate) fn abi_version(wasm: &[u8]) -> Result<AbiVersion, LoadError> {
    let Some(mut rest) = wasm.get(HEADER_BYTES..).filter(|_| wasm.starts_with(MAGIC)) else {
        return Err(LoadError::AbiVersion(kind_of_file(wasm)));
    };
    let mut version = None;
    while let Some((id, after)) = rest.split_first() {
        let (section, after) = section(after)
            .ok_or_else(|| LoadError::Corrupted(format!("section {id} has no such length")))?;
        if *id == EXPORT_SECTION && version.is_none() {
            version = declared(section)
                .ok_or_else(|| LoadError::Corrupted("a broken export section".to_owned()))?;
        }
        rest = after;
    }
    let reason = match wasm.starts_with(COMPONENT) {
        true => " (it is a component, and Envoy takes core modules; build for wasm32-wasip1)",
        false => "",
    };
    version.ok_or(LoadError::AbiVersion(reason))
}

/// Returns what a file is that is no WebAssembly, in brackets.
fn kind_of_file(bytes: &[u8]) -> &'static str {
    if bytes.starts_with(GZIP) {
        " (it is compressed with gzip; unpack it)"
    } else if bytes.trim_ascii_start().starts_with(b"(module") {
        " (it is WebAssembly as text; name it .wat, and assemble it for Envoy)"
    } else {
        " (it does not begin with the bytes 00 61 73 6d, so it is no WebAssembly)"
    }
}

/// Compares the memory at the start with the most that Envoy gives to a module.
///
/// # Errors
/// [`LoadError::Memory`].
pub(crate) fn memory(module: &wasmtime::Module) -> Result<(), LoadError> {
    let pages = module.resources_required().max_initial_memory_size;
    match pages.filter(|pages| *pages > MOST_PAGES) {
        Some(pages) => Err(LoadError::Memory(pages)),
        None => Ok(()),
    }
}

/// Compares the module's imports with the functions that Envoy has for its version of the ABI.
///
/// # Errors
/// [`LoadError::Import`] and [`LoadError::ImportType`].
pub(crate) fn imports(module: &wasmtime::Module, abi: AbiVersion) -> Result<(), LoadError> {
    module.imports().try_for_each(|import| {
        let ty = import.ty();
        let wanted = ty.func();
        match (wanted, provided(&import, abi)) {
            (Some(wanted), Some(signature)) => {
                let (parameters, results) = hostcalls::types(signature);
                let provided = FuncType::new(module.engine(), parameters, results);
                match FuncType::eq(wanted, &provided) {
                    true => Ok(()),
                    false => Err(LoadError::ImportType {
                        module: import.module().to_owned(),
                        name: import.name().to_owned(),
                        wanted: in_words(wanted),
                        provided: in_words(&provided),
                    }),
                }
            }
            // V8 makes memories and tables for whoever imports one.
            (None, _) if ty.global().is_none() => Ok(()),
            _ => Err(LoadError::Import {
                module: import.module().to_owned(),
                name: import.name().to_owned(),
            }),
        }
    })
}

/// Compares the types of the module's exports with those that Envoy calls, and looks for an allocator.
///
/// # Errors
/// [`LoadError::ExportTypes`] and [`LoadError::Allocator`].
pub(crate) fn exports(module: &wasmtime::Module, abi: AbiVersion) -> Result<(), LoadError> {
    let mut bad = Vec::new();
    for (name, signature) in EXPORTS {
        let signature = match (*name, abi) {
            // 0.1.0 has no parameter `end_of_stream`.
            ("proxy_on_request_headers" | "proxy_on_response_headers", AbiVersion::V0_1_0) => {
                "ii>i"
            }
            _ => signature,
        };
        let Some(ExternType::Func(found)) = module.get_export(name) else {
            continue;
        };
        let (parameters, results) = hostcalls::types(signature);
        let expected = FuncType::new(module.engine(), parameters, results);
        if !FuncType::eq(&found, &expected) {
            bad.push(BadExport {
                name: (*name).to_owned(),
                expected: in_words(&expected),
                found: in_words(&found),
            });
        }
    }
    if !bad.is_empty() {
        return Err(LoadError::ExportTypes(bad));
    }
    let has = |name| matches!(module.get_export(name), Some(ExternType::Func(_)));
    match has("malloc") || has("proxy_on_memory_allocate") {
        true => Ok(()),
        false => Err(LoadError::Allocator),
    }
}

/// Returns the type of the function that Envoy has under this name.
fn provided(import: &ImportType<'_>, abi: AbiVersion) -> Option<&'static str> {
    let (module, name) = (import.module(), import.name());
    match module {
        "env" if is_of_another_version(name, abi) => None,
        "env" => {
            let known = hostcalls::IMPORTS.iter().find(|known| known.name == name);
            known.map(|known| known.signature)
        }
        "wasi_snapshot_preview1" | "wasi_unstable" => wasi::signature(name),
        _ => None,
    }
}

/// Returns true for a function that Envoy gives to modules of another version only.
fn is_of_another_version(name: &str, abi: AbiVersion) -> bool {
    match name {
        "proxy_get_configuration"
        | "proxy_continue_request"
        | "proxy_continue_response"
        | "proxy_clear_route_cache" => abi != AbiVersion::V0_1_0,
        "proxy_continue_stream" | "proxy_close_stream" => abi == AbiVersion::V0_1_0,
        "proxy_get_log_level" => abi != AbiVersion::V0_2_1,
        _ => false,
    }
}

/// Returns a type as Envoy's log writes it: `i32 i32 -> i32`, and `void` for nothing.
fn in_words(ty: &FuncType) -> String {
    let words = |types: Vec<String>| match types.is_empty() {
        true => "void".to_owned(),
        false => types.join(" "),
    };
    let parameters = words(ty.params().map(|ty| ty.to_string()).collect());
    let results = words(ty.results().map(|ty| ty.to_string()).collect());
    format!("{parameters} -> {results}")
}

/// Splits a section's contents from what follows it.
fn section(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = number(bytes)?;
    rest.split_at_checked(length)
}

/// Returns the first version that an exported function is named after. The outer `None` is a section that cannot be read.
fn declared(section: &[u8]) -> Option<Option<AbiVersion>> {
    let (count, mut rest) = number(section)?;
    for _ in 0..count {
        let (length, after) = number(rest)?;
        let (name, after) = after.split_at_checked(length)?;
        let (kind, after) = after.split_first()?;
        let (_, after) = number(after)?;
        let name = std::str::from_utf8(name).ok();
        let version = name.and_then(AbiVersion::from_export);
        if *kind == FUNCTION && version.is_some() {
            return Some(version);
        }
        rest = after;
    }
    Some(None)
}

/// Reads an unsigned number in LEB128 of at most 32 bits.
fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_u32;
    for (index, byte) in bytes.iter().take(5).enumerate() {
        value |= u32::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((usize::try_from(value).ok()?, bytes.get(index + 1..)?));
        }
    }
    None
}

/// The first bytes of every module.
const MAGIC: &[u8] = b"\0asm";
/// The magic bytes and the version of WebAssembly, which V8 looks at.
const HEADER_BYTES: usize = 8;
/// The first bytes of every component: those of a module, and another version.
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";
/// The first bytes of a gzip file (RFC 1952, section 2.3.1).
const GZIP: &[u8] = b"\x1f\x8b";
/// A gibibyte in pages.
const MOST_PAGES: u64 = 16_384;
const EXPORT_SECTION: u8 = 7;
/// The kind of an exported function.
const FUNCTION: u8 = 0;
