//! Shared data: one map for all VMs of a process that have the same vm_id. Nothing in it can be deleted.

use crate::abi_types::{Answer, Status, refuse};
use crate::host_call::HostCall;

/// `proxy_get_shared_data`: gives a value and the number to compare against when it is set.
///
/// # Parameters
/// - `key`, `key_size`: the key, any bytes.
/// - `value_out`, `value_size_out`: where address and size of the value go (u32 each).
/// - `cas_out`: where the number goes (u32).
///
/// # Statuses
/// - OK.
/// - NOT_FOUND: no such key.
/// - INVALID_MEMORY_ACCESS: an address is outside the memory, or the guest's allocator had nothing.
///
/// ```text
/// get(key="k", key_size=1, value_out=8, value_size_out=12, cas_out=16) with {"k": "v"}, set first of all
///      8: 00 10 00 00  01 00 00 00  01 00 00 00
/// 0x1000: 76
/// ```
pub(super) fn get(
    call: &mut HostCall<'_>,
    key: u32,
    key_size: u32,
    value_out: u32,
    value_size_out: u32,
    cas_out: u32,
) -> Answer {
    let key = call.read(key, key_size)?;
    let state = call.state();
    let Some((value, cas)) = state.shared.data_with_cas(&state.settings.vm_id, &key) else {
        return refuse(Status::NotFound, "there is no such key");
    };
    call.hand_over(&value, value_out, value_size_out)?;
    call.write_u32(cas_out, cas)
}

/// `proxy_set_shared_data`: sets a value, if nobody else has meanwhile.
///
/// # Parameters
/// - `key`, `key_size`: the key, any bytes.
/// - `value`, `value_size`: the value, any bytes.
/// - `cas`: the number that `proxy_get_shared_data` gave; 0 to set in any case.
///
/// # Statuses
/// - OK: also with any number for a key that is missing.
/// - CAS_MISMATCH: the value was set since it was read.
/// - INVALID_MEMORY_ACCESS: key or value is outside the memory.
pub(super) fn set(
    call: &mut HostCall<'_>,
    key: u32,
    key_size: u32,
    value: u32,
    value_size: u32,
    cas: u32,
) -> Answer {
    let (key, value) = (call.read(key, key_size)?, call.read(value, value_size)?);
    let state = call.state();
    match state
        .shared
        .set_data(&state.settings.vm_id, key, value, cas)
    {
        Ok(()) => Ok(()),
        Err(_) => refuse(
            Status::CasMismatch,
            "another VM has set this key since it was read",
        ),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Guest, start};

    #[test]
    fn sets_and_gets_against_the_number_that_was_read() {
        let host = start(&Guest {
            imports: r#"
                (import "env" "proxy_get_shared_data" (func $get (param i32 i32 i32 i32 i32) (result i32)))
                (import "env" "proxy_set_shared_data" (func $set (param i32 i32 i32 i32 i32) (result i32)))"#,
            data: &[(256, "kvw")],
            on_configure: "
                (call $check (call $get (i32.const 256) (i32.const 1) (i32.const 8) (i32.const 12) (i32.const 16))
                    (i32.const 1))
                (call $check (call $set (i32.const 256) (i32.const 1) (i32.const 257) (i32.const 1) (i32.const 99))
                    (i32.const 0))
                (call $check (call $get (i32.const 256) (i32.const 1) (i32.const 8) (i32.const 12) (i32.const 16))
                    (i32.const 0))
                (call $check (i32.load8_u (i32.load (i32.const 8))) (i32.const 118))
                (call $check (i32.load (i32.const 12)) (i32.const 1))
                (call $check (i32.load (i32.const 16)) (i32.const 1))
                (call $check (call $set (i32.const 256) (i32.const 1) (i32.const 258) (i32.const 1) (i32.const 2))
                    (i32.const 8))
                (call $check (call $set (i32.const 256) (i32.const 1) (i32.const 258) (i32.const 1) (i32.const 1))
                    (i32.const 0))
                (call $check (call $set (i32.const -1) (i32.const 1) (i32.const 258) (i32.const 1) (i32.const 0))
                    (i32.const 6))
                (call $check (call $get (i32.const 256) (i32.const 1) (i32.const 8) (i32.const 12) (i32.const -1))
                    (i32.const 6))",
            ..Guest::default()
        });
        assert_eq!(host.shared().data("vm", "k"), Some(b"w".to_vec()));
    }
}
