//! One call of a host function by the guest, with checked access to guest memory and to the guest's allocator.
//!
//! Invariant: no slice of guest memory lives across a call into the guest, because the guest's allocator may grow and so
//! move the memory. Bytes are copied out before such a call and written after it.

mod memory;
mod values;

use wasmtime::{AsContext, AsContextMut, Caller, Memory, TypedFunc};

pub(crate) use memory::{GuestMemory, word};
use memory::{outside, range};

use crate::abi_types::{Answer, Failure, Status, refuse};
use crate::explanations::Explanation;
use crate::logs::LogLevel;
use crate::restriction::Restriction;
use crate::transcript::{Detail, Function, Refusal};
use crate::vm_state::VmState;

/// One call of a host function: the guest that calls, and the state of its VM.
pub(crate) struct HostCall<'a> {
    pub(crate) caller: Caller<'a, VmState>,
}

impl HostCall<'_> {
    pub(crate) fn state(&self) -> &VmState {
        self.caller.data()
    }

    pub(crate) fn state_mut(&mut self) -> &mut VmState {
        self.caller.data_mut()
    }

    /// Returns guest memory beside the state of the VM, for what is read where it stands.
    pub(crate) fn memory_and_state(&mut self) -> Answer<(GuestMemory<'_>, &mut VmState)> {
        let memory = self.memory()?;
        let (bytes, state) = memory.data_and_store_mut(&mut self.caller);
        Ok((GuestMemory::new(bytes), state))
    }

    /// Copies bytes out of guest memory.
    pub(crate) fn read(&mut self, pointer: u32, size: u32) -> Answer<Vec<u8>> {
        let (memory, _) = self.memory_and_state()?;
        memory.slice(pointer, size).map(<[u8]>::to_vec)
    }

    /// Copies text out of guest memory; bytes that are not UTF-8 become U+FFFD.
    pub(crate) fn read_text(&mut self, pointer: u32, size: u32) -> Answer<String> {
        Ok(String::from_utf8_lossy(&self.read(pointer, size)?).into_owned())
    }

    /// Copies bytes into guest memory.
    pub(crate) fn write(&mut self, pointer: u32, bytes: &[u8]) -> Answer {
        let memory = self.memory()?.data_mut(&mut self.caller);
        let size = word(bytes.len());
        let target = range(pointer, size).and_then(|range| memory.get_mut(range));
        target
            .ok_or_else(|| outside(pointer, size))?
            .copy_from_slice(bytes);
        Ok(())
    }

    /// Writes a number into guest memory, without the copy of a slice whose length nobody knows.
    #[inline]
    fn write_array<const COUNT: usize>(&mut self, pointer: u32, bytes: [u8; COUNT]) -> Answer {
        let memory = self.memory()?.data_mut(&mut self.caller);
        let start = usize::try_from(pointer).ok();
        let target = start
            .and_then(|start| memory.get_mut(start..))
            .and_then(<[u8]>::first_chunk_mut);
        *target.ok_or_else(|| outside(pointer, word(COUNT)))? = bytes;
        Ok(())
    }

    pub(crate) fn write_u32(&mut self, pointer: u32, value: u32) -> Answer {
        self.write_array(pointer, value.to_le_bytes())
    }

    pub(crate) fn write_u64(&mut self, pointer: u32, value: u64) -> Answer {
        self.write_array(pointer, value.to_le_bytes())
    }

    /// Hands over what `fill` writes into a buffer that the VM keeps. Without an answer of `fill` nothing is handed over.
    pub(crate) fn hand_over_filled(
        &mut self,
        pointer_out: u32,
        size_out: u32,
        fill: impl FnOnce(&VmState, &mut Vec<u8>) -> Answer,
    ) -> Answer {
        let mut bytes = std::mem::take(&mut self.state_mut().scratch);
        bytes.clear();
        let answer = fill(self.state(), &mut bytes)
            .and_then(|()| self.hand_over(&bytes, pointer_out, size_out));
        self.state_mut().scratch = bytes;
        answer
    }

    /// Hands over what `write` makes of bytes of the guest, which it reads where they stand.
    pub(crate) fn hand_over_read(
        &mut self,
        pointer: u32,
        size: u32,
        pointer_out: u32,
        size_out: u32,
        write: impl FnOnce(&VmState, &[u8], &mut Vec<u8>) -> Answer,
    ) -> Answer {
        let mut bytes = std::mem::take(&mut self.state_mut().scratch);
        bytes.clear();
        let written = self.memory_and_state().and_then(|(memory, state)| {
            let read = memory.slice(pointer, size)?;
            write(state, read, &mut bytes)
        });
        let answer = written.and_then(|()| self.hand_over(&bytes, pointer_out, size_out));
        self.state_mut().scratch = bytes;
        answer
    }

    /// Hands bytes to the guest: copied to memory that the guest allocates, with address and size written to the two
    /// destinations.
    ///
    /// An empty slice becomes address 0 and size 0, without an allocation.
    pub(crate) fn hand_over(&mut self, bytes: &[u8], pointer_out: u32, size_out: u32) -> Answer {
        let pointer = if bytes.is_empty() {
            0
        } else {
            self.allocate(bytes)?
        };
        self.write_u32(pointer_out, pointer)?;
        self.write_u32(size_out, word(bytes.len()))
    }

    /// Copies bytes to memory that the guest allocates, also when there are none, and returns the address.
    pub(crate) fn allocate(&mut self, bytes: &[u8]) -> Answer<u32> {
        let malloc = self.malloc()?;
        let state = self.state_mut();
        state.transcript.allocate();
        state.restriction = Restriction::Allocating;
        let pointer = malloc.call(self.caller.as_context_mut(), word(bytes.len()));
        let state = self.state_mut();
        state.malloc = Some(malloc);
        // Envoy lifts every restriction here, also that of a module that is starting.
        state.restriction = Restriction::None;
        let pointer = pointer.map_err(Failure::Trap)?;
        if pointer == 0 {
            let reason = format!("the guest's allocator had no {} bytes", bytes.len());
            return Err(Failure::Status(Status::InvalidMemoryAccess, reason.into()));
        }
        self.write(pointer, bytes)?;
        Ok(pointer)
    }

    /// Returns the guest's memory, looked up by name in a host call that comes before the instance exists.
    #[inline]
    fn memory(&mut self) -> Answer<Memory> {
        match self.state().memory {
            Some(memory) => Ok(memory),
            None => self.find_memory(),
        }
    }

    #[cold]
    fn find_memory(&mut self) -> Answer<Memory> {
        let memory = self
            .caller
            .get_export("memory")
            .and_then(wasmtime::Extern::into_memory);
        self.state_mut().memory = memory;
        memory.ok_or_else(|| {
            Failure::Status(
                Status::InvalidMemoryAccess,
                "the guest exports no memory".into(),
            )
        })
    }

    /// Takes the guest's allocator out of the state, where it is put back after the call: a clone would count the references
    /// to its type with atomics. `malloc` if a module exports both names, as in Envoy.
    fn malloc(&mut self) -> Answer<TypedFunc<u32, u32>> {
        if let Some(malloc) = self.state_mut().malloc.take() {
            return Ok(malloc);
        }
        for name in ["malloc", "proxy_on_memory_allocate"] {
            let function = self
                .caller
                .get_export(name)
                .and_then(wasmtime::Extern::into_func);
            if let Some(Ok(malloc)) =
                function.map(|function| function.typed(self.caller.as_context()))
            {
                return Ok(malloc);
            }
        }
        Err(Failure::Status(
            Status::InvalidMemoryAccess,
            "the guest exports no allocator".into(),
        ))
    }
}

impl HostCall<'_> {
    /// Notes the call in the transcript.
    ///
    /// # Errors
    /// A trap if Envoy's V8 refuses the function while the module starts or allocates.
    #[inline]
    pub(crate) fn begin<const COUNT: usize>(
        &mut self,
        function: Function,
        arguments: impl FnOnce() -> [(&'static str, i64); COUNT],
    ) -> wasmtime::Result<()> {
        let transcript = &mut self.state_mut().transcript;
        transcript.count_call(function);
        if transcript.detail() != Detail::Counts {
            self.note(function, &arguments());
        }
        self.check(function.name)
    }

    #[cold]
    fn note(&mut self, function: Function, arguments: &[values::Argument]) {
        let meaning = match self.memory_and_state() {
            Ok((memory, state)) if state.transcript.detail() == Detail::Values => {
                values::given(arguments, memory.bytes())
            }
            _ => String::new(),
        };
        let transcript = &mut self.state_mut().transcript;
        transcript.write_call(function, arguments, &meaning);
    }

    #[cold]
    fn note_ok(&mut self, function: Function) {
        let got = match self.memory_and_state() {
            Ok((memory, state)) => values::got(
                function.name,
                state.transcript.open_arguments(),
                memory.bytes(),
            ),
            Err(_) => String::new(),
        };
        let comma = if got.is_empty() { "" } else { ", " };
        let transcript = &mut self.state_mut().transcript;
        transcript.answer(|| format!("OK{comma}{got}"));
    }

    /// Traps if Envoy's V8 refuses the function while the module starts or allocates.
    #[inline]
    pub(crate) fn check(&mut self, function: &str) -> wasmtime::Result<()> {
        let restriction = self.state().restriction;
        if restriction == Restriction::None {
            return Ok(());
        }
        self.check_restricted(restriction, function)
    }

    #[cold]
    fn check_restricted(
        &mut self,
        restriction: Restriction,
        function: &str,
    ) -> wasmtime::Result<()> {
        if restriction.allows(function) {
            return Ok(());
        }
        self.state_mut()
            .transcript
            .answer(|| format!("trap: restricted_callback, {restriction}"));
        Err(wasmtime::Error::msg(format!(
            "restricted_callback ({function}, {restriction})"
        )))
    }

    /// Refuses a host call that `allowed_capabilities` does not have, with Envoy's line in the log.
    #[inline]
    pub(crate) fn permit(&mut self, function: Function) -> Answer {
        match self.state().settings.capabilities {
            None => Ok(()),
            Some(_) => self.permit_named(function.name),
        }
    }

    #[cold]
    fn permit_named(&mut self, function: &'static str) -> Answer {
        let state = self.state_mut();
        if state.settings.allows(function) {
            return Ok(());
        }
        let text = format!("Attempted call to restricted proxy-wasm capability: {function}");
        state.logs.push(LogLevel::Error, None, text);
        refuse(
            Status::InternalFailure,
            format!("`allowed_capabilities` does not have `{function}`"),
        )
    }

    /// Notes the answer in the transcript, and returns it as the guest gets it.
    #[inline]
    pub(crate) fn finish(&mut self, function: Function, answer: Answer) -> wasmtime::Result<u32> {
        match answer {
            Ok(()) => {
                if self.state().transcript.detail() != Detail::Counts {
                    self.note_ok(function);
                }
                Ok(Status::Ok.to_wire())
            }
            Err(failure) => self.finish_refused(function.name, failure),
        }
    }

    fn finish_refused(
        &mut self,
        function: &'static str,
        failure: Failure,
    ) -> wasmtime::Result<u32> {
        match failure {
            Failure::Status(status, reason) => {
                let state = self.state_mut();
                let callback = state.callback;
                state.explanations.push(Explanation {
                    function,
                    callback,
                    context: state.current,
                    status,
                    situation: None,
                    why: reason.clone(),
                });
                state.transcript.refuse(Refusal {
                    function,
                    callback,
                    status,
                    reason,
                });
                Ok(status.to_wire())
            }
            Failure::Trap(trap) => {
                // The lines end with the trap itself, in the log.
                if self.state().transcript.detail() == Detail::Values {
                    self.state_mut().transcript.answer(|| "trap".to_owned());
                }
                Err(trap)
            }
        }
    }
}
