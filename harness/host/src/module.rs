//! A compiled module: checked as Envoy checks it, and ready to be started any number of times.
//!
//! Compiled code is kept in wasmtime's own cache, one directory per user, keyed by the module, the compiler and its
//! settings; entries are written under another name and renamed, so that parallel processes never see an incomplete entry.
//! Without a cache directory modules are compiled each time. Only wasm bytes are accepted, never compiled code from
//! elsewhere.

use std::sync::Arc;

use wasmtime::{Cache, CacheConfig, Config, Engine, ImportType, InstancePre, Linker};

use crate::abi_types::AbiVersion;
use crate::load_error::LoadError;
use crate::settings::EnvoyVersion;
use crate::vm_state::VmState;
use crate::{callback_deadline, hostcalls, load_check, wasi};

/// A compiled proxy-wasm module. Clones are handles to the same code.
#[derive(Clone)]
pub struct Module(Arc<Compiled>);

struct Compiled {
    engine: Engine,
    instance: InstancePre<VmState>,
    abi: AbiVersion,
    fuel: Fuel,
}

/// The counting of instructions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fuel {
    /// Instructions are not counted.
    #[default]
    Unmetered,
    /// Instructions are counted, and [`Host::fuel_used`](crate::Host::fuel_used) returns their number, equal for equal
    /// inputs.
    Metered,
}

impl Module {
    /// Compiles a module, or takes it from the cache.
    ///
    /// # Errors
    /// [`LoadError`] if Envoy would refuse the module.
    pub fn compile(wasm: &[u8]) -> Result<Self, LoadError> {
        Self::compile_with(wasm, Fuel::Unmetered)
    }

    /// Compiles a module, with instructions counted or not.
    ///
    /// # Errors
    /// [`LoadError`] if Envoy would refuse the module.
    pub fn compile_with(wasm: &[u8], fuel: Fuel) -> Result<Self, LoadError> {
        let abi = load_check::abi_version(wasm)?;
        let engine = engine(fuel).map_err(|error| LoadError::Engine(format!("{error:#}")))?;
        let module = wasmtime::Module::from_binary(&engine, wasm);
        let module = module.map_err(|error| LoadError::Invalid(one_line(&error)))?;
        load_check::imports(&module, abi)?;
        load_check::exports(&module, abi)?;
        let mut linker = Linker::new(&engine);
        hostcalls::link(&mut linker)
            .and_then(|()| wasi::link(&mut linker))
            .map_err(|error| LoadError::Engine(format!("{error:#}")))?;
        let instance = linker
            .instantiate_pre(&module)
            .map_err(|error| LoadError::Unlinkable(format!("{error:#}")))?;
        Ok(Self(Arc::new(Compiled {
            engine,
            instance,
            abi,
            fuel,
        })))
    }

    /// Returns the version of the ABI that the module declares.
    pub fn abi_version(&self) -> AbiVersion {
        self.0.abi
    }

    /// Returns the first import that this version of Envoy does not have.
    pub(crate) fn import_unknown_to(&self, version: EnvoyVersion) -> Option<String> {
        let is_unknown = |import: &&ImportType<'_>| {
            let first = wasi::first_version(import.name());
            import.module().starts_with("wasi") && first.is_some_and(|first| version < first)
        };
        let import = self
            .0
            .instance
            .module()
            .imports()
            .find(|it| is_unknown(&it))?;
        Some(format!("{}.{}", import.module(), import.name()))
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    pub(crate) fn instance(&self) -> &InstancePre<VmState> {
        &self.0.instance
    }

    pub(crate) fn fuel(&self) -> Fuel {
        self.0.fuel
    }
}

impl std::fmt::Debug for Module {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Module")
            .field("abi", &self.0.abi)
            .finish_non_exhaustive()
    }
}

/// Returns the cause of an error on one line, without the context in front of it that wasmtime adds.
fn one_line(error: &wasmtime::Error) -> String {
    let cause = error.root_cause().to_string();
    let lines: Vec<_> = cause.lines().map(str::trim).collect();
    lines.join(" ").trim_end().to_owned()
}

fn engine(fuel: Fuel) -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config.consume_fuel(fuel == Fuel::Metered);
    config.epoch_interruption(true);
    // Equal inputs must give equal bits on every machine.
    config.cranelift_nan_canonicalization(true);
    config.relaxed_simd_deterministic(true);
    match Cache::new(CacheConfig::new()) {
        Ok(cache) => drop(config.cache(Some(cache))),
        Err(error) => log::debug!("compiled modules are not kept: {error:#}"),
    }
    let engine = Engine::new(&config)?;
    callback_deadline::watch(&engine);
    Ok(engine)
}

#[cfg(test)]
mod tests;
