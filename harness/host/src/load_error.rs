//! The reasons for which Envoy refuses a module, in the words of Envoy's log.
//!
//! Every variant was provoked in Envoy 1.40, whose log these words are from. Envoy says the cause first, and then the step
//! at which it gave up.

/// The reasons for which Envoy would not load a module.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// No export `proxy_abi_version_0_1_0`, `_0_2_0` or `_0_2_1`; files that are no WebAssembly at all have none either.
    #[error("Missing or unknown Proxy-Wasm ABI version{0}")]
    AbiVersion(&'static str),
    /// The sections of the module do not fit into it.
    #[error("Failed to parse corrupted Wasm module ({0})")]
    Corrupted(String),
    /// The bytes are not valid WebAssembly.
    #[error("Failed to load Wasm bytecode ({0})")]
    Invalid(String),
    /// A function that Envoy does not have.
    #[error("Failed to load Wasm module due to a missing import: {module}.{name}")]
    Import {
        /// The module that the function is imported from.
        module: String,
        /// The function's name.
        name: String,
    },
    /// A known function, imported with another type.
    #[error(
        "Failed to load Wasm module due to an import type mismatch: {module}.{name}, want: {wanted}, but host exports: {provided}"
    )]
    ImportType {
        /// The module that the function is imported from.
        module: String,
        /// The function's name.
        name: String,
        /// The type that the module wants.
        wanted: String,
        /// The type that the host has.
        provided: String,
    },
    /// Exports with other types than Envoy calls them with; Envoy looks at all before it gives up.
    #[error("{}", lines(.0).join("; "))]
    ExportTypes(Vec<BadExport>),
    /// A memory that is larger at the start than Envoy lets any grow: so many pages.
    #[error(
        "Failed to create new Wasm instance (its memory has {0} pages at the start, and a gibibyte is 16384)"
    )]
    Memory(u64),
    /// No export `malloc` or `proxy_on_memory_allocate`.
    #[error("Wasm module is missing malloc function.")]
    Allocator,
    /// A module that this host cannot link, though Envoy may: an imported memory, for example.
    #[error("this host cannot link the module: {0}")]
    Unlinkable(String),
    /// An engine that could not be made.
    #[error("no engine: {0}")]
    Engine(String),
}

/// An export with another type than Envoy calls it with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BadExport {
    /// The export.
    pub name: String,
    /// The type that Envoy calls.
    pub expected: String,
    /// The type that the module has.
    pub found: String,
}

fn lines(exports: &[BadExport]) -> Vec<String> {
    let line = |export: &BadExport| {
        format!(
            "Bad function signature for: {}, want: {}, but the module exports: {}",
            export.name, export.expected, export.found
        )
    };
    exports.iter().map(line).collect()
}

impl LoadError {
    /// Returns the cause that Envoy's log does not name; `None` where the log says it all.
    pub fn cause(&self) -> Option<String> {
        match self {
            Self::AbiVersion(reason) => {
                let reason = reason.trim_start_matches(" (").trim_end_matches(')');
                (!reason.is_empty()).then(|| reason.to_owned())
            }
            Self::Corrupted(reason) | Self::Invalid(reason) => Some(reason.clone()),
            Self::Memory(pages) => Some(format!(
                "its memory has {pages} pages at the start, and a gibibyte is 16384"
            )),
            Self::Unlinkable(_) | Self::Engine(_) => Some(self.to_string()),
            Self::Import { .. }
            | Self::ImportType { .. }
            | Self::ExportTypes(_)
            | Self::Allocator => None,
        }
    }

    /// Returns the lines of Envoy's log for this module, without their prefixes; empty where the fault is this host's.
    pub fn envoy_says(&self) -> Vec<String> {
        let cause = match self {
            Self::AbiVersion(_) => "Missing or unknown Proxy-Wasm ABI version".to_owned(),
            Self::Corrupted(_) => "Failed to parse corrupted Wasm module".to_owned(),
            Self::Invalid(_) => "Failed to load Wasm bytecode".to_owned(),
            Self::Import { .. } | Self::ImportType { .. } => {
                return vec![self.to_string(), AT_START.to_owned()];
            }
            Self::ExportTypes(exports) => {
                let mut lines = lines(exports);
                lines.push(AT_START.to_owned());
                return lines;
            }
            Self::Memory(_) => {
                let line = "Failed to create new Wasm instance".to_owned();
                return vec![line, AT_START.to_owned()];
            }
            Self::Allocator => {
                return vec![format!("Wasm VM failed {self}"), AT_START.to_owned()];
            }
            Self::Unlinkable(_) | Self::Engine(_) => return Vec::new(),
        };
        vec![format!("Wasm VM failed {cause}"), AT_LOADING.to_owned()]
    }
}

const AT_LOADING: &str = "Wasm VM failed Failed to load Wasm code";
const AT_START: &str = "Wasm VM failed Failed to initialize Wasm code";
