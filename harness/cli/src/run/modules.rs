//! The modules of scenarios: read once, compiled once, by name or beside the scenario.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context, bail};
use sidespan_host::Module;

use super::scenario::{Filter, beside};
use crate::module_file;

/// A module, ready to be run.
#[derive(Clone)]
pub(super) struct Loaded {
    /// The module, compiled for the built-in host.
    pub(super) module: Module,
    /// The module's bytes, for Envoy.
    pub(super) wasm: Arc<[u8]>,
    /// The plugin's name, if the scenario gives none.
    pub(super) name: &'static str,
    /// The root id, if the scenario gives none.
    pub(super) root_id: &'static str,
}

impl fmt::Debug for Loaded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a module of {} bytes", self.wasm.len())
    }
}

/// All modules that scenarios may name.
#[derive(Debug)]
pub(super) struct Modules {
    default: Loaded,
    guests: BTreeMap<String, PathBuf>,
    loaded: Mutex<BTreeMap<PathBuf, Loaded>>,
}

impl Modules {
    /// Returns Sidespan's own filter as the default, under its own name.
    ///
    /// # Errors
    /// When the bytes are no filter that Envoy would load.
    pub(super) fn sidespan(wasm: &[u8]) -> anyhow::Result<Self> {
        Ok(Self::of(compile(wasm, SIDESPAN, SIDESPAN)?))
    }

    /// Returns any module as the default, without a root id, as Envoy has it by default.
    ///
    /// # Errors
    /// When the file cannot be read, or is no filter that Envoy would load.
    pub(super) fn file(path: &Path) -> anyhow::Result<Self> {
        Ok(Self::of(load(path)?))
    }

    fn of(default: Loaded) -> Self {
        Self {
            default,
            guests: BTreeMap::new(),
            loaded: Mutex::default(),
        }
    }

    /// Gives a name to a module's file.
    pub(super) fn name(&mut self, name: &str, path: &Path) {
        self.guests.insert(name.into(), path.into());
    }

    /// Returns the module of a filter.
    ///
    /// # Errors
    /// When the file cannot be read, is no filter that Envoy would load, or when nothing has the name.
    pub(super) fn find(&self, filter: &Filter, scenario: &Path) -> anyhow::Result<Loaded> {
        let Some(wanted) = &filter.module else {
            return Ok(self.default.clone());
        };
        let path = match self.guests.get(wanted) {
            Some(path) => path.clone(),
            None => beside(scenario, wanted),
        };
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(module) = loaded.get(&path) {
            return Ok(module.clone());
        }
        if !path.exists() {
            let names: Vec<_> = self.guests.keys().map(String::as_str).collect();
            bail!(
                "`module: {wanted}` is neither a file beside the scenario nor one of the guests [{}]; `--guest {wanted}=FILE` names one",
                names.join(", ")
            );
        }
        let module = load(&path)?;
        loaded.insert(path, module.clone());
        Ok(module)
    }
}

fn load(path: &Path) -> anyhow::Result<Loaded> {
    let wasm = module_file::read(path)?;
    compile(&wasm, "filter", "").with_context(|| path.display().to_string())
}

fn compile(wasm: &[u8], name: &'static str, root_id: &'static str) -> anyhow::Result<Loaded> {
    Ok(Loaded {
        module: Module::compile(wasm)?,
        wasm: wasm.into(),
        name,
        root_id,
    })
}

const SIDESPAN: &str = "sidespan";
