//! The functions of WASI preview 1 that do nothing: each answers with one fixed number, some of them after a look at the
//! descriptor and after a zero for the guest.

use crate::hostcalls::{IMPORTS, equals};
use crate::transcript::Function;

/// A function with a fixed answer.
pub(super) struct Fixed {
    pub(super) name: &'static str,
    /// The function's type, in the notation of `hostcalls/import_table.rs`.
    pub(super) signature: &'static str,
    /// The answer, for [`Descriptor::Any`] or a descriptor that exists.
    pub(super) errno: u32,
    pub(super) descriptor: Descriptor,
    /// The arguments that are addresses of results, each with the number of bytes that become zero.
    pub(super) zeros: &'static [(usize, usize)],
}

/// The descriptors, the first argument, for which a function has its fixed answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Descriptor {
    /// All of them.
    Any,
    /// The existing descriptors, 1 and 2; for another one the answer is BADF.
    Existing,
}

/// Returns the type of a function of WASI, in the notation of `hostcalls/import_table.rs`.
pub(crate) fn signature(name: &str) -> Option<&'static str> {
    let fixed = FIXED.iter().map(|row| (row.name, row.signature));
    let mut all = WORKING.iter().copied().chain(fixed);
    all.find(|(known, _)| *known == name)
        .map(|(_, signature)| signature)
}

/// Returns the function of a name as the transcript counts it, behind those of `env`; without such a function the build
/// fails.
pub(super) const fn function(name: &'static str) -> Function {
    let mut number = 0;
    while number < WORKING.len() && !equals(WORKING[number].0, name) {
        number += 1;
    }
    let mut row = 0;
    while number >= WORKING.len() && !equals(FIXED[row].name, name) {
        number += 1;
        row += 1;
    }
    let number = IMPORTS.len() + number;
    Function { name, number }
}

const SUCCESS: u32 = 0;
const BADF: u32 = 8;
const NOTDIR: u32 = 20;
const NOENT: u32 = 44;
const NOSYS: u32 = 52;
const NOTSUP: u32 = 58;

/// The functions that do something, with their types.
pub(super) const WORKING: &[(&str, &str)] = &[
    ("fd_write", "iiii>i"),
    ("fd_pwrite", "iiiIi>i"),
    ("fd_fdstat_get", "ii>i"),
    ("clock_time_get", "iIi>i"),
    ("clock_res_get", "ii>i"),
    ("random_get", "ii>i"),
    ("environ_sizes_get", "ii>i"),
    ("environ_get", "ii>i"),
    ("args_sizes_get", "ii>i"),
    ("poll_oneoff", "iiii>i"),
    ("proc_exit", "i>"),
];

/// The functions that answer with one number. Two of them (`path_link`, `path_symlink`) have a parameter less than in WASI,
/// as in Envoy since 1.39, which refuses a module that imports them with the standard's type.
pub(super) const FIXED: &[Fixed] = &[
    row("args_get", "ii>i", SUCCESS),
    row("sched_yield", ">i", SUCCESS),
    row("fd_close", "i>i", SUCCESS),
    row("fd_seek", "iIii>i", SUCCESS),
    row("fd_advise", "iIIi>i", SUCCESS),
    existing("fd_tell", "ii>i", &[(1, 8)]),
    existing("fd_allocate", "iII>i", &[]),
    existing("fd_datasync", "i>i", &[]),
    existing("fd_sync", "i>i", &[]),
    existing("fd_fdstat_set_rights", "iII>i", &[]),
    existing("fd_filestat_set_size", "iI>i", &[]),
    existing("fd_filestat_set_times", "iIIi>i", &[]),
    row("fd_read", "iiii>i", NOSYS),
    row("fd_pread", "iiiIi>i", NOSYS),
    row("fd_fdstat_set_flags", "ii>i", NOSYS),
    row("fd_prestat_dir_name", "iii>i", NOSYS),
    row("fd_prestat_get", "ii>i", BADF),
    row("fd_filestat_get", "ii>i", BADF),
    zeroing("fd_readdir", "iiiIi>i", NOTDIR, &[(4, 4)]),
    row("fd_renumber", "ii>i", NOTSUP),
    row("path_open", "iiiiiIIii>i", NOENT),
    row("path_filestat_get", "iiiii>i", NOTSUP),
    row("path_create_directory", "iii>i", NOTSUP),
    row("path_filestat_set_times", "iiiiIIi>i", NOTSUP),
    row("path_link", "iiiiii>i", NOTSUP),
    zeroing("path_readlink", "iiiiii>i", NOTSUP, &[(5, 4)]),
    row("path_remove_directory", "iii>i", NOTSUP),
    row("path_rename", "iiiiii>i", NOTSUP),
    row("path_symlink", "iiii>i", NOTSUP),
    row("path_unlink_file", "iii>i", NOTSUP),
    // Envoy writes eight bytes here, although a descriptor has four.
    zeroing("sock_accept", "iii>i", NOTSUP, &[(2, 8)]),
    zeroing("sock_recv", "iiiiii>i", NOTSUP, &[(4, 4), (5, 2)]),
    zeroing("sock_send", "iiiii>i", NOTSUP, &[(4, 4)]),
    row("sock_shutdown", "ii>i", NOTSUP),
];

const fn row(name: &'static str, signature: &'static str, errno: u32) -> Fixed {
    zeroing(name, signature, errno, &[])
}

const fn zeroing(
    name: &'static str,
    signature: &'static str,
    errno: u32,
    zeros: &'static [(usize, usize)],
) -> Fixed {
    Fixed {
        name,
        signature,
        errno,
        descriptor: Descriptor::Any,
        zeros,
    }
}

const fn existing(
    name: &'static str,
    signature: &'static str,
    zeros: &'static [(usize, usize)],
) -> Fixed {
    Fixed {
        descriptor: Descriptor::Existing,
        ..zeroing(name, signature, SUCCESS, zeros)
    }
}
