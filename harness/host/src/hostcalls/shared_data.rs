//! Shared data (`proxy_*_shared_data`): one map for all VMs of a process that have the same `vm_id`. No key can be deleted.

use crate::abi_types::{Answer, Status, refuse};
use crate::host_call::HostCall;

/// Gives the guest a value and its compare-and-swap number (`proxy_get_shared_data`).
///
/// # Parameters
/// - `key`, `key_size`: the key, any bytes.
/// - `value_out`, `value_size_out`: destinations of the value's address and size (u32 each).
/// - `cas_out`: destination of the number (u32).
///
/// # Statuses
/// - OK.
/// - NOT_FOUND: no such key.
/// - INVALID_MEMORY_ACCESS: an address is outside the memory, or the guest's allocator failed.
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

/// Sets a value, unless it was set since the guest read it (`proxy_set_shared_data`).
///
/// # Parameters
/// - `key`, `key_size`: the key, any bytes.
/// - `value`, `value_size`: the value, any bytes.
/// - `cas`: the number from `proxy_get_shared_data`; 0 to set in any case.
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
