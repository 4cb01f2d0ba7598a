//! The border to the proxy: every export, every call out, and all memory that both sides use (proxy-wasm ABI 0.2.1). All
//! `unsafe` code of this crate is here.
#![expect(
    unsafe_code,
    reason = "exports have names that nothing else may have, calls out are foreign functions, their answers are raw memory"
)]

use core::cell::UnsafeCell;

use crate::worker::Worker;

/// A value that the module has once.
struct Single<T>(UnsafeCell<T>);

// SAFETY: a module for `wasm32-wasip1` without the feature `atomics` has one thread, and nothing else runs this code.
unsafe impl<T> Sync for Single<T> {}

static WORKER: Single<Worker> = Single(UnsafeCell::new(Worker::new()));
static ANSWER: Single<[u8; ANSWER_BYTES]> = Single(UnsafeCell::new([0; ANSWER_BYTES]));

/// Room for the longest answer: Envoy's limit of a request's headers is 60 KiB.
const ANSWER_BYTES: usize = 64 << 10;

/// Runs a callback.
#[inline]
fn with<T>(run: impl FnOnce(&mut Worker, &mut Answers) -> T) -> T {
    // SAFETY: the proxy enters the module from a callback again for `proxy_on_memory_allocate` alone, which does not touch
    // the worker; and `with` is called by exports alone, none of which calls another.
    run(unsafe { &mut *WORKER.0.get() }, &mut Answers(()))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

/// Returns the buffer for an answer, the same each time; null where it is too small, and the proxy then gives none.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    match size {
        0..=ANSWER_BYTES => ANSWER.0.get().cast(),
        _ => core::ptr::null_mut(),
    }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_vm_start(_: u32, _: usize) -> bool {
    true
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_configure(_: u32, _: usize) -> bool {
    with(|worker, answers| worker.configure(answers))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_tick(_: u32) {
    with(|worker, _| worker.tick());
}

/// Lets every request pass: 0 is the action to continue.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(id: u32, _: usize, _: bool) -> u32 {
    with(|worker, answers| worker.request_headers(id, answers));
    0
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_log(id: u32) {
    with(|worker, answers| worker.log(id, answers));
}

/// The right to ask the proxy: an answer lives until the next question, because there is one buffer.
pub(crate) struct Answers(());

/// A map of headers, by its number in the ABI.
#[derive(Clone, Copy)]
pub(crate) enum Headers {
    Request = 0,
    Response = 2,
}

impl Answers {
    /// Returns the configuration of the plugin.
    pub(crate) fn configuration(&mut self) -> &[u8] {
        self.of(|data, size| {
            // SAFETY: both out pointers live as long as the call.
            unsafe { proxy_get_buffer_bytes(PLUGIN_CONFIGURATION, 0, ANSWER_BYTES, data, size) }
        })
    }

    /// Returns the headers of the request.
    #[inline]
    pub(crate) fn headers(&mut self) -> &[u8] {
        self.of(|data, size| {
            // SAFETY: both out pointers live as long as the call.
            unsafe { proxy_get_header_map_pairs(Headers::Request as u32, data, size) }
        })
    }

    /// Returns a header; empty where there is none.
    #[inline]
    pub(crate) fn header(&mut self, map: Headers, name: &[u8]) -> &[u8] {
        self.of(|data, size| {
            // SAFETY: the name and both out pointers live as long as the call.
            unsafe { proxy_get_header_map_value(map as u32, name.as_ptr(), name.len(), data, size) }
        })
    }

    /// Calls a foreign function of the proxy.
    #[inline]
    pub(crate) fn call(&mut self, name: &[u8], arguments: &[u8]) -> &[u8] {
        self.of(|data, size| {
            // SAFETY: name, arguments and both out pointers live as long as the call.
            unsafe {
                proxy_call_foreign_function(
                    name.as_ptr(),
                    name.len(),
                    arguments.as_ptr(),
                    arguments.len(),
                    data,
                    size,
                )
            }
        })
    }

    /// Asks, and returns the answer; empty where there is none.
    #[inline]
    fn of(&mut self, ask: impl FnOnce(*mut *mut u8, *mut usize) -> u32) -> &[u8] {
        let (mut data, mut size) = (core::ptr::null_mut(), 0_usize);
        let status = ask(&raw mut data, &raw mut size);
        if status != 0 || data.is_null() || size > ANSWER_BYTES {
            return &[];
        }
        // SAFETY: the proxy got this address from `proxy_on_memory_allocate`, has written `size` bytes there and keeps no
        // pointer. The next answer, which overwrites them, needs `&mut self`, and so the end of this borrow.
        unsafe { core::slice::from_raw_parts(data, size) }
    }
}

/// Adds a header to the request.
#[inline]
pub(crate) fn add_header(name: &[u8], value: &[u8]) {
    // SAFETY: name and value live as long as the call.
    unsafe {
        proxy_add_header_map_value(
            Headers::Request as u32,
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        )
    };
}

/// Writes a header of the request in place of those of its name.
#[inline]
pub(crate) fn replace_header(name: &[u8], value: &[u8]) {
    // SAFETY: name and value live as long as the call.
    unsafe {
        proxy_replace_header_map_value(
            Headers::Request as u32,
            name.as_ptr(),
            name.len(),
            value.as_ptr(),
            value.len(),
        )
    };
}

/// Fills bytes with randomness.
pub(crate) fn random(bytes: &mut [u8]) {
    // SAFETY: the bytes live as long as the call.
    unsafe { random_get(bytes.as_mut_ptr(), bytes.len()) };
}

/// Sets the period of the tick, in milliseconds.
pub(crate) fn set_tick_period(milliseconds: u32) {
    // SAFETY: a plain number.
    unsafe { proxy_set_tick_period_milliseconds(milliseconds) };
}

/// Sends a request to a cluster; nobody waits for the answer.
pub(crate) fn http_call(cluster: &[u8], headers: &[u8], body: &[u8]) {
    let (no_trailers, mut token) = ([0_u8; 4], 0_u32);
    // SAFETY: all arguments and the out pointer live as long as the call.
    unsafe {
        proxy_http_call(
            cluster.as_ptr(),
            cluster.len(),
            headers.as_ptr(),
            headers.len(),
            body.as_ptr(),
            body.len(),
            no_trailers.as_ptr(),
            no_trailers.len(),
            CALL_TIMEOUT,
            &raw mut token,
        )
    };
}

const PLUGIN_CONFIGURATION: u32 = 7;
/// The time limit of a call, in milliseconds.
const CALL_TIMEOUT: u32 = 10_000;

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_set_tick_period_milliseconds(period: u32) -> u32;
    fn proxy_get_buffer_bytes(
        buffer: u32,
        start: usize,
        max_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_get_header_map_pairs(map: u32, data: *mut *mut u8, size: *mut usize) -> u32;
    fn proxy_get_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_add_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_replace_header_map_value(
        map: u32,
        name: *const u8,
        name_size: usize,
        value: *const u8,
        value_size: usize,
    ) -> u32;
    fn proxy_call_foreign_function(
        name: *const u8,
        name_size: usize,
        arguments: *const u8,
        arguments_size: usize,
        data: *mut *mut u8,
        size: *mut usize,
    ) -> u32;
    fn proxy_http_call(
        cluster: *const u8,
        cluster_size: usize,
        headers: *const u8,
        headers_size: usize,
        body: *const u8,
        body_size: usize,
        trailers: *const u8,
        trailers_size: usize,
        timeout: u32,
        token: *mut u32,
    ) -> u32;
}

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn random_get(bytes: *mut u8, size: usize) -> u32;
}

/// Ends the module, where it has no standard library that would.
#[cfg(target_family = "wasm")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
