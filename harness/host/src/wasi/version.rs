//! The versions of Envoy that have a function of WASI.

use super::table::signature;
use crate::settings::EnvoyVersion;

/// Returns the first version of Envoy that has a function of WASI, of those that [`EnvoyVersion`] knows: 27 of the 45 came after
/// 1.36, for guests of Go. `None` for a function that Envoy does not have.
pub fn first_version(function: &str) -> Option<EnvoyVersion> {
    let is_old = BEFORE_GO.contains(&function);
    signature(function).map(|_| match is_old {
        true => EnvoyVersion::V1_32,
        false => EnvoyVersion::V1_40,
    })
}

/// The functions that Envoy 1.36 has; each of the 45 was tried by itself.
const BEFORE_GO: [&str; 18] = [
    "fd_write",
    "fd_read",
    "fd_seek",
    "fd_close",
    "fd_fdstat_get",
    "fd_fdstat_set_flags",
    "fd_prestat_get",
    "fd_prestat_dir_name",
    "path_open",
    "environ_get",
    "environ_sizes_get",
    "args_get",
    "args_sizes_get",
    "clock_time_get",
    "random_get",
    "sched_yield",
    "poll_oneoff",
    "proc_exit",
];
