//! A clock that can be set, for one program alone.
//!
//! Debian's `libfaketime` would be that, but no Envoy starts with it: it looks for functions of the C library as it is loaded, that wants memory, Envoy's
//! allocator (tcmalloc) then begins with `poll`, which is `libfaketime`'s own, which looks for functions, and waits for the allocator for ever.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicI64, Ordering};

use sidespan_envoy::Bootstrap;
use tempfile::TempDir;

pub(super) struct MovedClock {
    folder: TempDir,
    file: File,
    seconds: AtomicI64,
}

impl MovedClock {
    /// Returns a clock that is right, and compiles what is to be preloaded.
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let source = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/security/external/clock/preloaded.c"
        );
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
            .arg(folder.path().join(LIBRARY))
            .arg(source)
            .output()
            .expect("a C compiler, which Rust links with");
        assert!(built.status.success(), "{built:?}");
        let clock = Self {
            file: File::create(folder.path().join(SECONDS)).expect("a file"),
            folder,
            seconds: AtomicI64::new(0),
        };
        clock.set(0);
        clock
    }

    /// Lets an Envoy go by this clock.
    pub(super) fn of(&self, envoy: Bootstrap) -> Bootstrap {
        envoy
            .with_variable("LD_PRELOAD", self.path(LIBRARY))
            .with_variable("SIDESPAN_CLOCK", self.path(SECONDS))
    }

    /// Sets the clock to so many seconds from the right time.
    pub(super) fn set(&self, seconds: i64) {
        // In place, because the file is mapped.
        let written = self.file.write_all_at(&seconds.to_ne_bytes(), 0);
        written.expect("a file");
        self.seconds.store(seconds, Ordering::Relaxed);
    }

    /// Returns how many seconds it is from the right time.
    pub(super) fn seconds(&self) -> i64 {
        self.seconds.load(Ordering::Relaxed)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

const LIBRARY: &str = "clock.so";
const SECONDS: &str = "seconds";
