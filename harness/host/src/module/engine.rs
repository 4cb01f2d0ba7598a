//! The compiler and the table of host functions, made once for each kind of module: they hold nothing of any VM.

use std::sync::OnceLock;

use wasmtime::{Config, Engine, Linker};

use crate::load_error::LoadError;
use crate::vm_state::VmState;
use crate::{callback_deadline, hostcalls, wasi};

/// The counting of instructions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fuel {
    /// Instructions are not counted.
    #[default]
    Unmetered,
    /// Instructions are counted, and [`Host::fuel_used`](crate::Host::fuel_used) returns their number, equal for equal
    /// inputs.
    Metered,
}

/// The parts that all modules of one kind share.
pub(super) struct Prepared {
    pub(super) engine: Engine,
    pub(super) linker: Linker<VmState>,
}

impl Prepared {
    /// Returns the engine and the host functions for modules whose instructions are counted, or are not.
    ///
    /// # Errors
    /// [`LoadError::Engine`] on a processor that wasmtime has no compiler for.
    pub(super) fn with(fuel: Fuel) -> Result<&'static Self, LoadError> {
        static UNMETERED: OnceLock<Result<Prepared, String>> = OnceLock::new();
        static METERED: OnceLock<Result<Prepared, String>> = OnceLock::new();
        let prepared = match fuel {
            Fuel::Unmetered => &UNMETERED,
            Fuel::Metered => &METERED,
        };
        let new = || Self::new(fuel).map_err(|error| format!("{error:#}"));
        let prepared = prepared.get_or_init(new).as_ref();
        prepared.map_err(|error| LoadError::Engine(error.clone()))
    }

    fn new(fuel: Fuel) -> wasmtime::Result<Self> {
        let mut config = Config::new();
        config.consume_fuel(fuel == Fuel::Metered);
        config.epoch_interruption(true);
        // Equal inputs must give equal bits on every machine.
        config.cranelift_nan_canonicalization(true);
        config.relaxed_simd_deterministic(true);
        let engine = Engine::new(&config)?;
        callback_deadline::watch(&engine);
        let mut linker = Linker::new(&engine);
        hostcalls::link(&mut linker)?;
        wasi::link(&mut linker)?;
        Ok(Self { engine, linker })
    }
}
