//! The host functions that Envoy's V8 refuses while a module starts or allocates (`setRestrictedCallback` in proxy-wasm's
//! C++ host). Envoy's other engines refuse none.

use std::fmt;

/// The restriction of host functions at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Restriction {
    /// Every function may be called.
    #[default]
    None,
    /// `_initialize`, `main` or `_start` runs.
    Starting,
    /// The guest's allocator runs, for the result of a host function.
    Allocating,
}

impl Restriction {
    /// Returns true if the guest may call the function, named without its module because both names of WASI are treated
    /// alike.
    pub(crate) fn allows(self, function: &str) -> bool {
        match self {
            Self::None => true,
            Self::Starting => WHILE_STARTING.contains(&function),
            Self::Allocating => WHILE_ALLOCATING.contains(&function),
        }
    }
}

impl fmt::Display for Restriction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::None => "at any time",
            Self::Starting => "while the module starts",
            Self::Allocating => "while the guest allocates",
        })
    }
}

const WHILE_ALLOCATING: [&str; 4] = ["proxy_log", "fd_write", "clock_time_get", "poll_oneoff"];

const WHILE_STARTING: [&str; 41] = [
    "emscripten_notify_memory_growth",
    "proxy_log",
    "fd_write",
    "args_sizes_get",
    "args_get",
    "environ_sizes_get",
    "environ_get",
    "clock_time_get",
    "clock_res_get",
    "random_get",
    "poll_oneoff",
    "fd_fdstat_get",
    "fd_fdstat_set_flags",
    "fd_advise",
    "fd_allocate",
    "fd_datasync",
    "fd_fdstat_set_rights",
    "fd_filestat_get",
    "fd_filestat_set_size",
    "fd_filestat_set_times",
    "fd_pread",
    "fd_prestat_dir_name",
    "fd_prestat_get",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allows_what_a_standard_library_needs_to_start() {
        for (function, starting, allocating) in [
            ("proxy_log", true, true),
            ("environ_get", true, false),
            ("random_get", true, false),
            ("fd_close", false, false),
            ("proc_exit", false, false),
            ("proxy_get_property", false, false),
            ("emscripten_notify_memory_growth", true, false),
        ] {
            assert!(Restriction::None.allows(function), "{function}");
            assert_eq!(
                Restriction::Starting.allows(function),
                starting,
                "{function}"
            );
            assert_eq!(
                Restriction::Allocating.allows(function),
                allocating,
                "{function}"
            );
        }
    }
}
