//! The choice of a place for compiled code, and what happens where there is none.

use std::path::{Path, PathBuf};

use wasmtime::{Engine, Module};

#[cfg(unix)]
use super::directory::Directory;

/// The place where compiled modules are kept, so that a module is compiled once and not in each process.
///
/// An entry is code that is run as it is. It is loaded only from a directory and a file that belong to this user and that
/// nobody else may write to, and only for the very bytes that it was compiled from. Whatever else is found there is not used,
/// and the module compiled. Entries that were not used for longest are removed beyond 512 MiB.
///
/// A cache that cannot be used is no error: the module is compiled each time, and the reason goes to the crate `log`. On
/// systems other than Unix nothing is kept.
#[derive(Clone, Debug, Default)]
pub struct ModuleCache(Place);

#[derive(Clone, Debug, Default)]
enum Place {
    #[default]
    OfUser,
    Directory(PathBuf),
    Off,
}

impl ModuleCache {
    /// Returns the default: `sidespan-host` in the user's directory of caches (`XDG_CACHE_HOME`, or else `.cache` in `HOME`).
    #[must_use]
    pub fn of_user() -> Self {
        Self(Place::OfUser)
    }

    /// Returns a cache in a directory, which is created for this user alone where it does not exist.
    #[must_use]
    pub fn directory(path: impl AsRef<Path>) -> Self {
        Self(Place::Directory(path.as_ref().to_owned()))
    }

    /// Returns no cache: every module is compiled.
    #[must_use]
    pub fn off() -> Self {
        Self(Place::Off)
    }

    /// Returns the directory; `None` if there is no cache.
    #[cfg_attr(not(unix), expect(dead_code, reason = "nothing is kept there"))]
    fn path(&self) -> Option<PathBuf> {
        match &self.0 {
            Place::OfUser => {
                let absolute = |name| {
                    let path = std::env::var_os(name).map(PathBuf::from);
                    path.filter(|path| path.is_absolute())
                };
                let caches = absolute("XDG_CACHE_HOME");
                let caches = caches.or_else(|| Some(absolute("HOME")?.join(".cache")))?;
                Some(caches.join("sidespan-host"))
            }
            Place::Directory(path) => Some(path.clone()),
            Place::Off => None,
        }
    }

    /// Returns the code of a module, from the directory or compiled.
    #[cfg(unix)]
    pub(super) fn module(&self, engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Module> {
        let Some(path) = self.path() else {
            return Module::from_binary(engine, wasm);
        };
        let directory = Directory::new(&path);
        match directory.load(engine, wasm) {
            Ok(Some(module)) => return Ok(module),
            Ok(None) => {}
            Err(error) => log::warn!(
                "a compiled module in {} is not used: {error}",
                path.display()
            ),
        }
        let module = Module::from_binary(engine, wasm)?;
        if let Err(error) = directory.store(engine, wasm, &module) {
            log::warn!(
                "the compiled module is not kept in {}: {error}",
                path.display()
            );
        }
        Ok(module)
    }

    /// Compiles a module.
    #[cfg(not(unix))]
    pub(super) fn module(&self, engine: &Engine, wasm: &[u8]) -> wasmtime::Result<Module> {
        Module::from_binary(engine, wasm)
    }
}
