//! The sections of a module as far as anyone here asks for them, read in one pass.
//!
//! What cannot be read is left out, because the verdict on a broken module is the host's, and the rest is still worth telling.

use std::collections::BTreeMap;

use wasmparser::{
    CustomSectionReader, ExternalKind, FunctionBody, KnownCustom, Name, NameSectionReader,
    Operator, Parser, Payload, TypeRef,
};

/// The contents of a module.
#[derive(Debug, Default)]
pub(super) struct Binary<'a> {
    /// Imported functions: module and name, in the module's order.
    pub(super) imports: Vec<(&'a str, &'a str)>,
    /// Exported functions, by name, with their index.
    pub(super) exports: BTreeMap<&'a str, u32>,
    /// The first memory: pages of 64 KiB at the start, and at most.
    pub(super) memory: Option<(u64, Option<u64>)>,
    /// Functions of the module's own that do nothing but return.
    pub(super) idle_functions: Vec<u32>,
    /// The number of the module's own functions.
    pub(super) function_count: u32,
    /// Bytes of all function bodies.
    pub(super) code_bytes: usize,
    /// The contents of the data segments.
    pub(super) data: Vec<&'a [u8]>,
    /// Data segments, names of custom sections, and the texts of debug information.
    pub(super) texts: Vec<&'a [u8]>,
    /// Languages and tools that the section `producers` names, with their versions.
    pub(super) producers: Vec<(&'a str, &'a str)>,
    /// Names of functions, from the section `name`.
    pub(super) function_names: Vec<&'a str>,
    /// Bytes of sections that are there for debuggers alone.
    pub(super) debug_bytes: usize,
}

impl<'a> Binary<'a> {
    /// Reads a module as far as it can be read.
    pub(super) fn read(wasm: &'a [u8]) -> Self {
        let mut binary = Self::default();
        for payload in Parser::new(0).parse_all(wasm) {
            let Ok(payload) = payload else { break };
            binary.add(payload);
        }
        binary
    }

    fn add(&mut self, payload: Payload<'a>) {
        match payload {
            Payload::ImportSection(section) => {
                let functions = section.into_imports().flatten();
                self.imports.extend(functions.filter_map(|import| {
                    matches!(import.ty, TypeRef::Func(_)).then_some((import.module, import.name))
                }));
            }
            Payload::ExportSection(section) => {
                let functions = section.into_iter().flatten();
                self.exports.extend(functions.filter_map(|export| {
                    (export.kind == ExternalKind::Func).then_some((export.name, export.index))
                }));
            }
            Payload::MemorySection(section) => {
                let memory = section.into_iter().flatten().next();
                self.memory = memory.map(|memory| (memory.initial, memory.maximum));
            }
            Payload::CodeSectionEntry(body) => self.add_function(&body),
            Payload::DataSection(section) => {
                let segments = section.into_iter().flatten();
                self.data.extend(segments.map(|segment| segment.data));
                self.texts.extend(&self.data);
            }
            Payload::CustomSection(section) => self.add_custom(&section),
            _ => {}
        }
    }

    fn add_custom(&mut self, section: &CustomSectionReader<'a>) {
        self.texts.push(section.name().as_bytes());
        match section.as_known() {
            KnownCustom::Producers(fields) => {
                self.texts.push(section.data());
                for field in fields.into_iter().flatten() {
                    let values = field.values.into_iter().flatten();
                    let named = values.map(|value| (value.name, value.version));
                    self.producers.extend(named);
                }
            }
            KnownCustom::Name(names) => {
                self.debug_bytes += section.data().len();
                self.add_names(names);
            }
            _ if section.name().starts_with(".debug") => {
                self.debug_bytes += section.data().len();
                self.texts.push(section.data());
            }
            _ => {}
        }
    }

    fn add_function(&mut self, body: &FunctionBody<'_>) {
        let imported = u32::try_from(self.imports.len()).unwrap_or(u32::MAX);
        if is_idle(body) {
            self.idle_functions
                .push(imported.saturating_add(self.function_count));
        }
        self.function_count = self.function_count.saturating_add(1);
        self.code_bytes += body.range().len();
    }

    fn add_names(&mut self, names: NameSectionReader<'a>) {
        for name in names.into_iter().flatten() {
            if let Name::Function(functions) = name {
                let functions = functions.into_iter().flatten();
                self.function_names
                    .extend(functions.map(|function| function.name));
            }
        }
    }
}

/// Returns true for a function that returns a constant or nothing, whatever it is called with.
fn is_idle(body: &FunctionBody<'_>) -> bool {
    let Ok(operators) = body.get_operators_reader() else {
        return false;
    };
    operators.into_iter().all(|operator| {
        matches!(
            operator,
            Ok(Operator::I32Const { .. } | Operator::Return | Operator::Nop | Operator::End)
        )
    })
}
