//! A compiled module: checked as Envoy checks it, and ready to be started any number of times.
//!
//! Compiled code is kept in a [`ModuleCache`]. Only wasm bytes are accepted, never compiled code from elsewhere.

mod cache;
#[cfg(unix)]
mod directory;
mod engine;
mod package;

use std::path::Path;
use std::sync::Arc;

use wasmtime::{
    Engine, Extern, ExternType, ImportType, Instance, InstancePre, Linker, Memory, Ref, Store,
    Table,
};

use crate::abi_types::AbiVersion;
use crate::load_error::LoadError;
use crate::settings::EnvoyVersion;
use crate::vm_state::VmState;
use crate::{load_check, wasi};
pub use cache::ModuleCache;
pub use engine::Fuel;
use engine::Prepared;
pub use package::PackageError;

/// A compiled proxy-wasm module. Clones are handles to the same code.
#[derive(Clone)]
pub struct Module(Arc<Compiled>);

struct Compiled {
    code: Code,
    abi: AbiVersion,
    fuel: Fuel,
}

/// A module and the functions that it imports.
enum Code {
    Linked(InstancePre<VmState>),
    /// A module that imports a memory or a table, which V8 makes anew for each VM.
    LinkedPerVm(wasmtime::Module, &'static Linker<VmState>),
}

impl Module {
    /// Compiles a module, or takes it from the cache of this user, with the defaults of [`Module::builder`].
    ///
    /// # Errors
    /// [`LoadError`] if Envoy would refuse the module.
    pub fn compile(wasm: &[u8]) -> Result<Self, LoadError> {
        Self::builder().compile(wasm)
    }

    /// Builds a filter in Rust with cargo, as `cargo build --release --target wasm32-wasip1` in its folder does, and compiles its
    /// module: in the filter's own tests the folder is `env!("CARGO_MANIFEST_DIR")`. Cargo does nothing where nothing has changed.
    ///
    /// # Errors
    /// [`PackageError`] with cargo's own words if the package cannot be built, or if Envoy would refuse its module.
    pub fn of_package(folder: impl AsRef<Path>) -> Result<Self, PackageError> {
        let wasm = package::build(folder.as_ref())?;
        Ok(Self::compile(&wasm)?)
    }

    /// Returns a builder of modules, for those whose instructions are counted, and for another cache.
    pub fn builder() -> ModuleBuilder {
        ModuleBuilder::default()
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
        let import = self.module().imports().find(|it| is_unknown(&it))?;
        Some(format!("{}.{}", import.module(), import.name()))
    }

    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn module(&self) -> &wasmtime::Module {
        match &self.0.code {
            Code::Linked(instance) => instance.module(),
            Code::LinkedPerVm(module, _) => module,
        }
    }

    pub(crate) fn engine(&self) -> &Engine {
        self.module().engine()
    }

    /// Instantiates the module in a VM, which runs its start section. A memory or table that it imports is made for it, by
    /// the type that it asks for.
    ///
    /// # Errors
    /// A trap of the start section, or a memory beyond the limit.
    pub(crate) fn instantiate(&self, store: &mut Store<VmState>) -> wasmtime::Result<Instance> {
        let (module, mut linker) = match &self.0.code {
            Code::Linked(instance) => return instance.instantiate(store),
            Code::LinkedPerVm(module, linker) => (module, (*linker).clone()),
        };
        for import in module.imports() {
            let made: Extern = match import.ty() {
                ExternType::Memory(ty) => {
                    let memory = Memory::new(&mut *store, ty)?;
                    store.data_mut().memory = Some(memory);
                    memory.into()
                }
                ExternType::Table(ty) => {
                    let empty = Ref::null(ty.element().heap_type());
                    Table::new(&mut *store, ty, empty)?.into()
                }
                _ => continue,
            };
            linker.define(&*store, import.module(), import.name(), made)?;
        }
        linker.instantiate(store, module)
    }

    pub(crate) fn fuel(&self) -> Fuel {
        self.0.fuel
    }
}

/// A builder of [`Module`]s. Every setting has a default.
///
/// ```
/// use sidespan_host::{Fuel, Module, ModuleCache};
///
/// let wasm = wat::parse_str(r#"(module
///     (memory (export "memory") 1)
///     (func (export "proxy_abi_version_0_2_1"))
///     (func (export "malloc") (param i32) (result i32) (i32.const 1024)))"#)?;
/// let module = Module::builder().fuel(Fuel::Metered).cache(ModuleCache::off()).compile(&wasm)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct ModuleBuilder {
    fuel: Fuel,
    cache: ModuleCache,
}

impl ModuleBuilder {
    /// Sets whether instructions are counted; they are not by default.
    pub fn fuel(mut self, fuel: Fuel) -> Self {
        self.fuel = fuel;
        self
    }

    /// Sets the place where compiled code is kept; [`ModuleCache::of_user`] by default.
    pub fn cache(mut self, cache: ModuleCache) -> Self {
        self.cache = cache;
        self
    }

    /// Compiles a module, or takes it from the cache.
    ///
    /// # Errors
    /// [`LoadError`] if Envoy would refuse the module.
    pub fn compile(&self, wasm: &[u8]) -> Result<Module, LoadError> {
        let abi = load_check::abi_version(wasm)?;
        let Prepared { engine, linker } = Prepared::with(self.fuel)?;
        let module = self.cache.module(engine, wasm);
        let module = module.map_err(|error| LoadError::Invalid(one_line(&error)))?;
        load_check::imports(&module, abi)?;
        load_check::memory(&module)?;
        load_check::exports(&module, abi)?;
        let is_made = |import: ImportType<'_>| {
            import.ty().memory().is_some() || import.ty().table().is_some()
        };
        let code = if module.imports().any(is_made) {
            Code::LinkedPerVm(module, linker)
        } else {
            let instance = linker
                .instantiate_pre(&module)
                .map_err(|error| LoadError::Unlinkable(format!("{error:#}")))?;
            Code::Linked(instance)
        };
        Ok(Module(Arc::new(Compiled {
            code,
            abi,
            fuel: self.fuel,
        })))
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

#[cfg(test)]
mod tests;
