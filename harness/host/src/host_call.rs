//! One call of a host function by the guest, with checked access to guest memory and to the guest's allocator.
//!
//! Invariant: no slice of guest memory lives across a call into the guest, because the guest's allocator may grow and so
//! move the memory. Bytes are copied out before such a call and written after it.

use wasmtime::{AsContext, AsContextMut, Caller, Memory, TypedFunc};

use crate::abi_types::{Answer, Failure, Status, refuse};
use crate::explanations::Explanation;
use crate::logs::LogLevel;
use crate::restriction::Restriction;
use crate::transcript::Refusal;
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

    /// Copies bytes out of guest memory.
    pub(crate) fn read(&mut self, pointer: u32, size: u32) -> Answer<Vec<u8>> {
        let memory = self.memory()?;
        let range = range(pointer, size).ok_or_else(|| outside(pointer, size))?;
        let bytes = memory.data(self.caller.as_context()).get(range);
        bytes
            .map(<[u8]>::to_vec)
            .ok_or_else(|| outside(pointer, size))
    }

    /// Copies text out of guest memory; bytes that are not UTF-8 become U+FFFD.
    pub(crate) fn read_text(&mut self, pointer: u32, size: u32) -> Answer<String> {
        Ok(String::from_utf8_lossy(&self.read(pointer, size)?).into_owned())
    }

    /// Copies bytes into guest memory.
    pub(crate) fn write(&mut self, pointer: u32, bytes: &[u8]) -> Answer {
        let memory = self.memory()?;
        let size = word(bytes.len());
        let range = range(pointer, size).ok_or_else(|| outside(pointer, size))?;
        let target = memory.data_mut(self.caller.as_context_mut()).get_mut(range);
        target
            .ok_or_else(|| outside(pointer, size))?
            .copy_from_slice(bytes);
        Ok(())
    }

    pub(crate) fn write_u32(&mut self, pointer: u32, value: u32) -> Answer {
        self.write(pointer, &value.to_le_bytes())
    }

    pub(crate) fn write_u64(&mut self, pointer: u32, value: u64) -> Answer {
        self.write(pointer, &value.to_le_bytes())
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
        // Envoy lifts every restriction here, also that of a module that is starting.
        self.state_mut().restriction = Restriction::None;
        let pointer = pointer.map_err(Failure::Trap)?;
        if pointer == 0 {
            let reason = format!("the guest's allocator had no {} bytes", bytes.len());
            return Err(Failure::Status(Status::InvalidMemoryAccess, reason.into()));
        }
        self.write(pointer, bytes)?;
        Ok(pointer)
    }

    /// Returns the guest's memory, looked up by name in a host call that comes before the instance exists.
    fn memory(&mut self) -> Answer<Memory> {
        if let Some(memory) = self.state().memory {
            return Ok(memory);
        }
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

    /// Returns the guest's allocator: `malloc` if a module exports both names, as in Envoy.
    fn malloc(&mut self) -> Answer<TypedFunc<u32, u32>> {
        if let Some(malloc) = &self.state().malloc {
            return Ok(malloc.clone());
        }
        for name in ["malloc", "proxy_on_memory_allocate"] {
            let function = self
                .caller
                .get_export(name)
                .and_then(wasmtime::Extern::into_func);
            if let Some(Ok(malloc)) =
                function.map(|function| function.typed(self.caller.as_context()))
            {
                self.state_mut().malloc = Some(malloc.clone());
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
    pub(crate) fn begin(
        &mut self,
        function: &'static str,
        arguments: &[(&'static str, i64)],
    ) -> wasmtime::Result<()> {
        self.state_mut().transcript.call(function, arguments);
        self.check(function)
    }

    /// Traps if Envoy's V8 refuses the function while the module starts or allocates.
    pub(crate) fn check(&mut self, function: &str) -> wasmtime::Result<()> {
        let restriction = self.state().restriction;
        if restriction.allows(function) {
            return Ok(());
        }
        self.state_mut()
            .transcript
            .answer(&format!("trap: restricted_callback, {restriction}"));
        Err(wasmtime::Error::msg(format!(
            "restricted_callback ({function}, {restriction})"
        )))
    }

    /// Refuses a host call that `allowed_capabilities` does not have, with Envoy's line in the log.
    pub(crate) fn permit(&mut self, function: &'static str) -> Answer {
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
    pub(crate) fn finish(
        &mut self,
        function: &'static str,
        answer: Answer,
    ) -> wasmtime::Result<u32> {
        match answer {
            Ok(()) => {
                self.state_mut().transcript.answer("OK");
                Ok(Status::Ok.to_wire())
            }
            Err(Failure::Status(status, reason)) => {
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
            Err(Failure::Trap(trap)) => Err(trap),
        }
    }
}

fn range(pointer: u32, size: u32) -> Option<std::ops::Range<usize>> {
    let start = usize::try_from(pointer).ok()?;
    Some(start..start.checked_add(usize::try_from(size).ok()?)?)
}

fn outside(pointer: u32, size: u32) -> Failure {
    let reason = format!("{size} bytes at {pointer:#x} are not all inside the guest's memory");
    Failure::Status(Status::InvalidMemoryAccess, reason.into())
}

/// Returns a count as the guest's 32-bit number. Guest memory ends at 4 GiB, so a count of its bytes always fits.
pub(crate) fn word(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
