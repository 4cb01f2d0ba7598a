//! A compiled module: checked as Envoy checks it, and ready to be started any number of times.
//!
//! Compiled code is kept in wasmtime's own cache, one directory per user, keyed by the module, the compiler and its
//! settings; entries are written under another name and renamed, so that parallel processes never see an incomplete entry.
//! Without a cache directory modules are compiled each time. Only wasm bytes are accepted, never compiled code from
//! elsewhere.

use std::sync::Arc;

use wasmtime::{
    Cache, CacheConfig, Config, Engine, ExternType, FuncType, InstancePre, Linker,
    UnknownImportError,
};

use crate::abi_types::AbiVersion;
use crate::guest::EXPORTS;
use crate::vm_state::VmState;
use crate::{callback_deadline, hostcalls, wasi};

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

/// The reasons for which Envoy would not load a module.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The bytes are not valid WebAssembly.
    #[error("not a WebAssembly module: {0}")]
    Invalid(String),
    /// No export `proxy_abi_version_0_1_0`, `_0_2_0` or `_0_2_1`.
    #[error("missing or unknown Proxy-Wasm ABI version")]
    AbiVersion,
    /// A function that Envoy does not have.
    #[error("Failed to load Wasm module due to a missing import: {module}.{name}")]
    Import {
        /// The module that the function is imported from.
        module: String,
        /// The function's name.
        name: String,
    },
    /// A known function, imported with another type.
    #[error("an import has another type than Envoy's: {0}")]
    ImportType(String),
    /// A callback with another type than Envoy calls it with.
    #[error("bad function signature for: {name}: expected {expected}, found {found}")]
    ExportType {
        /// The export.
        name: String,
        /// The type that Envoy calls.
        expected: String,
        /// The type that the module has.
        found: String,
    },
    /// No export `malloc` or `proxy_on_memory_allocate`.
    #[error("the module exports neither malloc nor proxy_on_memory_allocate")]
    Allocator,
    /// An engine that could not be made.
    #[error("no engine: {0}")]
    Engine(String),
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
        let engine = engine(fuel).map_err(|error| LoadError::Engine(format!("{error:#}")))?;
        if !wasm.starts_with(MAGIC) {
            let reason = "it does not begin with the bytes 00 61 73 6d";
            return Err(LoadError::Invalid(reason.to_owned()));
        }
        let module = wasmtime::Module::from_binary(&engine, wasm);
        let module = module.map_err(|error| LoadError::Invalid(one_line(&error)))?;
        let abi = module.exports().find_map(|export| {
            // Envoy looks at functions only, in the order of the module.
            export
                .ty()
                .func()
                .and_then(|_| AbiVersion::from_export(export.name()))
        });
        let abi = abi.ok_or(LoadError::AbiVersion)?;
        check_exports(&module, abi)?;
        let mut linker = Linker::new(&engine);
        hostcalls::link(&mut linker)
            .and_then(|()| wasi::link(&mut linker))
            .map_err(|error| LoadError::Engine(format!("{error:#}")))?;
        let instance = linker
            .instantiate_pre(&module)
            .map_err(|error| unlinkable(&error))?;
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

/// The first bytes of every module.
const MAGIC: &[u8] = b"\0asm";

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

fn check_exports(module: &wasmtime::Module, abi: AbiVersion) -> Result<(), LoadError> {
    for (name, signature) in EXPORTS {
        let signature = match (*name, abi) {
            // 0.1.0 has no parameter `end_of_stream`.
            ("proxy_on_request_headers" | "proxy_on_response_headers", AbiVersion::V0_1_0) => {
                "ii>i"
            }
            _ => signature,
        };
        let Some(ExternType::Func(found)) = module.get_export(name) else {
            continue;
        };
        let (parameters, results) = hostcalls::types(signature);
        let expected = FuncType::new(module.engine(), parameters, results);
        if !FuncType::eq(&found, &expected) {
            let (name, expected, found) =
                ((*name).to_owned(), expected.to_string(), found.to_string());
            return Err(LoadError::ExportType {
                name,
                expected,
                found,
            });
        }
    }
    let has = |name| matches!(module.get_export(name), Some(ExternType::Func(_)));
    if has("malloc") || has("proxy_on_memory_allocate") {
        Ok(())
    } else {
        Err(LoadError::Allocator)
    }
}

fn unlinkable(error: &wasmtime::Error) -> LoadError {
    match error.downcast_ref::<UnknownImportError>() {
        Some(import) => LoadError::Import {
            module: import.module().to_owned(),
            name: import.name().to_owned(),
        },
        None => LoadError::ImportType(format!("{error:#}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"(module
        (memory (export "memory") 1)
        (func (export "proxy_abi_version_0_2_1"))
        (func (export "malloc") (param i32) (result i32) i32.const 1024)
        (func (export "proxy_on_tick") (param i32)))"#;

    fn load(change: impl Fn(&str) -> String) -> Result<Module, LoadError> {
        Module::compile(&wat::parse_str(change(GOOD)).unwrap())
    }

    #[test]
    fn loads_a_module_and_knows_its_version() {
        assert_eq!(
            load(str::to_owned).unwrap().abi_version(),
            AbiVersion::V0_2_1
        );
    }

    #[test]
    fn takes_the_first_version_that_is_exported() {
        let both = |good: &str| {
            good.replacen(
                "(memory",
                r#"(func (export "proxy_abi_version_0_1_0")) (memory"#,
                1,
            )
        };
        assert_eq!(load(both).unwrap().abi_version(), AbiVersion::V0_1_0);
    }

    #[test]
    fn refuses_each_way_in_which_envoy_would_not_load_it() {
        let error = |change: &dyn Fn(&str) -> String| load(change).unwrap_err();
        for (bytes, reason) in [
            (&b""[..], "it does not begin with the bytes 00 61 73 6d"),
            (b"MZ", "it does not begin with the bytes 00 61 73 6d"),
            (b"\0asm\x01\0\0\0\x7f", "at offset"),
            (b"\0asm\x01\0", "at offset"),
        ] {
            let error = Module::compile(bytes).unwrap_err().to_string();
            let begins = error.starts_with("not a WebAssembly module: ");
            assert!(begins && error.contains(reason), "{error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
        assert!(matches!(
            error(&|good| good.replace("_0_2_1", "_0_9_0")),
            LoadError::AbiVersion
        ));
        assert!(matches!(
            error(&|good| good.replace("malloc", "valloc")),
            LoadError::Allocator
        ));
        let callback = error(&|good| {
            good.replace(
                "\"proxy_on_tick\") (param i32)",
                "\"proxy_on_tick\") (param i64)",
            )
        });
        assert!(
            matches!(callback, LoadError::ExportType { .. }),
            "{callback}"
        );
        let import = |name, signature| {
            error(&move |good| {
                good.replacen(
                    "(memory",
                    &format!(r#"(import "env" "{name}" (func {signature})) (memory"#),
                    1,
                )
            })
        };
        assert!(matches!(
            import("proxy_nothing", ""),
            LoadError::Import { .. }
        ));
        let changed = import("proxy_done", "(param i32) (result i32)");
        assert!(matches!(changed, LoadError::ImportType(_)), "{changed}");
    }
}
