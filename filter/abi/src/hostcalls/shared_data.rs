//! Hostcalls on shared data: values of all VMs with one VM id, set always or only if unchanged since they were read.
//!
//! Shared data has no delete (<https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1>), so an empty value stands
//! for none.

use super::memory::Out;
use crate::types::Status;

/// The version of a shared value, with which a later write is compared (the ABI's `cas`).
#[derive(Clone, Copy)]
pub struct Version(u32);

impl Version {
    /// The number that asks for no comparison.
    const ANY: Self = Self(0);
    /// The version of a missing value. The proxy sets a missing value whatever the number is; because no value has this
    /// version, the write fails if another worker has set the value since.
    const MISSING: Self = Self(u32::MAX);
}

/// Returns a shared value and its version.
#[inline]
pub fn get_shared_data(key: impl AsRef<[u8]>) -> (Vec<u8>, Version) {
    let key = key.as_ref();
    let mut out = Out::default();
    let mut version = 0_u32;
    // SAFETY: the key and all out pointers live as long as the call.
    let status = unsafe {
        proxy_get_shared_data(
            key.as_ptr(),
            key.len(),
            &raw mut out.data,
            &raw mut out.size,
            &raw mut version,
        )
    };
    match out.into_bytes(status) {
        Some(value) => (value, Version(version)),
        None => (Vec::new(), Version::MISSING),
    }
}

/// Sets a shared value.
#[inline]
pub fn set_shared_data(key: impl AsRef<[u8]>, value: &[u8]) {
    let _ = swap_shared_data(key, value, Version::ANY);
}

/// Sets a shared value if its version is still the version that was read.
///
/// # Errors
/// [`Status::CasMismatch`] where another write came first; every other status where the proxy does not share data.
#[inline]
pub fn swap_shared_data(
    key: impl AsRef<[u8]>,
    value: &[u8],
    Version(read): Version,
) -> Result<(), Status> {
    let key = key.as_ref();
    // SAFETY: key and value live as long as the call.
    Status::check(unsafe {
        proxy_set_shared_data(key.as_ptr(), key.len(), value.as_ptr(), value.len(), read)
    })
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_get_shared_data(
        key: *const u8,
        key_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
        cas: *mut u32,
    ) -> u32;
    fn proxy_set_shared_data(
        key: *const u8,
        key_size: usize,
        value: *const u8,
        value_size: usize,
        cas: u32,
    ) -> u32;
}
