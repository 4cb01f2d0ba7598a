//! All that is told of one module.

use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use sidespan_host::{AbiVersion, LoadError, Module};

use super::binary::Binary;
use super::callbacks::{self, ALLOCATORS, Callback};
use super::findings::{self, Facts, Finding};
use super::needs;
use super::origin::Origin;
use super::strings::{self, Removed};

/// The report on a module.
#[derive(Debug, serde::Serialize)]
pub(super) struct Report {
    pub(super) file: String,
    /// True if Envoy loads the module.
    pub(super) loads: bool,
    /// Lines of Envoy's log where it refuses the module.
    pub(super) envoy_says: Vec<String>,
    /// The cause of the refusal, where Envoy's log does not name it.
    pub(super) cause: Option<String>,
    /// The version of the ABI, as in `0.2.1`; `None` where the module does not load.
    pub(super) abi: Option<String>,
    #[serde(flatten)]
    pub(super) origin: Origin,
    /// Languages and tools, as the module's section `producers` names them.
    pub(super) producers: Vec<String>,
    /// The oldest version of Envoy that loads the module; `None` where all that were tried do.
    pub(super) needs_envoy: Option<&'static str>,
    pub(super) size: Size,
    /// The first memory.
    pub(super) memory: Option<Memory>,
    /// The export by which Envoy allocates.
    pub(super) allocator: Option<&'static str>,
    pub(super) callbacks: Vec<Callback>,
    /// Functions of the host, as `module.name`.
    pub(super) imports: Vec<String>,
    /// All other exported functions.
    pub(super) other_exports: Vec<String>,
    /// Names of properties that Envoy removed in 1.33.
    pub(super) removed_properties: Vec<Removed>,
    pub(super) findings: Vec<Finding>,
}

/// Sizes in bytes.
#[derive(Debug, serde::Serialize)]
pub(super) struct Size {
    pub(super) module: usize,
    /// The module as a registry holds it.
    pub(super) gzipped: usize,
    pub(super) code: usize,
    pub(super) data: usize,
    /// Names and debug information.
    pub(super) debug: usize,
    /// The number of functions.
    pub(super) functions: u32,
}

/// A memory, in pages of 64 KiB.
#[derive(Debug, serde::Serialize)]
pub(super) struct Memory {
    pub(super) initial_pages: u64,
    /// `None` where it may grow to the proxy's own limit.
    pub(super) maximum_pages: Option<u64>,
}

impl Report {
    /// Inspects the bytes of a module.
    pub(super) fn new(file: &Path, wasm: &[u8]) -> Self {
        let binary = Binary::read(wasm);
        let loaded = Module::compile(wasm);
        let origin = Origin::of(&binary);
        let callbacks = callbacks::of(&binary);
        let need = needs::of(&binary);
        let removed = strings::removed(&binary);
        let findings = findings::of(&Facts {
            binary: &binary,
            origin,
            callbacks: &callbacks,
            need: need.as_ref(),
            removed: &removed,
        });
        Self {
            file: file.display().to_string(),
            loads: loaded.is_ok(),
            envoy_says: match &loaded {
                Ok(_) => Vec::new(),
                Err(error) => error.envoy_says(),
            },
            cause: loaded.as_ref().err().and_then(LoadError::cause),
            abi: loaded.ok().map(|module| version(module.abi_version())),
            origin,
            producers: producers(&binary),
            needs_envoy: need.as_ref().map(|need| need.version),
            size: Size::of(wasm, &binary),
            memory: binary.memory.map(|(initial_pages, maximum_pages)| Memory {
                initial_pages,
                maximum_pages,
            }),
            allocator: ALLOCATORS
                .into_iter()
                .find(|name| binary.exports.contains_key(name)),
            imports: imports(&binary),
            other_exports: other_exports(&binary, &callbacks),
            removed_properties: removed,
            callbacks,
            findings,
        }
    }
}

impl Size {
    fn of(wasm: &[u8], binary: &Binary<'_>) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        let gzipped = encoder.write_all(wasm).and_then(|()| encoder.finish());
        Self {
            module: wasm.len(),
            gzipped: gzipped.map_or(wasm.len(), |bytes| bytes.len()),
            code: binary.code_bytes,
            data: binary.data.iter().map(|segment| segment.len()).sum(),
            debug: binary.debug_bytes,
            functions: binary.function_count,
        }
    }
}

fn version(abi: AbiVersion) -> String {
    match abi {
        AbiVersion::V0_1_0 => "0.1.0",
        AbiVersion::V0_2_0 => "0.2.0",
        AbiVersion::V0_2_1 => "0.2.1",
    }
    .to_owned()
}

fn producers(binary: &Binary<'_>) -> Vec<String> {
    let tools = binary.producers.iter();
    let named = tools.map(|(name, version)| format!("{name} {version}").trim_end().to_owned());
    named.collect()
}

fn imports(binary: &Binary<'_>) -> Vec<String> {
    let functions = binary.imports.iter();
    functions
        .map(|(module, name)| format!("{module}.{name}"))
        .collect()
}

fn other_exports(binary: &Binary<'_>, callbacks: &[Callback]) -> Vec<String> {
    let names = binary.exports.keys();
    let others = names.filter(|name| !callbacks.iter().any(|callback| callback.name == **name));
    others.map(|name| (*name).to_owned()).collect()
}
