//! The host functions, callable by name with bare numbers: also with pointers that point nowhere.

/// Declares the imports, and `call`, which finds one by its name.
macro_rules! host {
    ($($proxy:ident($($argument:ident: $kind:ty),*);)*) => {
        mod import {
            #[link(wasm_import_module = "env")]
            unsafe extern "C" {
                $(pub fn $proxy($($argument: $kind),*) -> u32;)*
            }
        }

        /// Calls a host function; `None` if there is none of that name, or if numbers are missing.
        pub fn call(name: &str, numbers: &[u64]) -> Option<u32> {
            let mut numbers = numbers.iter().copied();
            let _ = &mut numbers;
            $(if name == stringify!($proxy).trim_start_matches("proxy_") {
                $(let $argument = numbers.next()? as $kind;)*
                return Some(unsafe { import::$proxy($($argument),*) });
            })*
            None
        }
    };
}

host! {
    proxy_log(a: u32, b: u32, c: u32);
    proxy_get_log_level(a: u32);
    proxy_get_current_time_nanoseconds(a: u32);
    proxy_set_tick_period_milliseconds(a: u32);
    proxy_get_buffer_bytes(a: u32, b: u32, c: u32, d: u32, e: u32);
    proxy_get_buffer_status(a: u32, b: u32, c: u32);
    proxy_set_buffer_bytes(a: u32, b: u32, c: u32, d: u32, e: u32);
    proxy_get_header_map_size(a: u32, b: u32);
    proxy_get_header_map_pairs(a: u32, b: u32, c: u32);
    proxy_set_header_map_pairs(a: u32, b: u32, c: u32);
    proxy_get_header_map_value(a: u32, b: u32, c: u32, d: u32, e: u32);
    proxy_add_header_map_value(a: u32, b: u32, c: u32, d: u32, e: u32);
    proxy_replace_header_map_value(a: u32, b: u32, c: u32, d: u32, e: u32);
    proxy_remove_header_map_value(a: u32, b: u32, c: u32);
    proxy_continue_stream(a: u32);
    proxy_close_stream(a: u32);
    proxy_get_status(a: u32, b: u32, c: u32);
    proxy_send_local_response(a: u32, b: u32, c: u32, d: u32, e: u32, f: u32, g: u32, h: u32);
    proxy_http_call(a: u32, b: u32, c: u32, d: u32, e: u32, f: u32, g: u32, h: u32, i: u32, j: u32);
    proxy_grpc_call(
        a: u32, b: u32, c: u32, d: u32, e: u32, f: u32, g: u32, h: u32, i: u32, j: u32, k: u32, l: u32
    );
    proxy_grpc_stream(a: u32, b: u32, c: u32, d: u32, e: u32, f: u32, g: u32, h: u32, i: u32);
    proxy_grpc_send(a: u32, b: u32, c: u32, d: u32);
    proxy_grpc_cancel(a: u32);
    proxy_grpc_close(a: u32);
    proxy_get_shared_data(a: u32, b: u32, c: u32, d: u32, e: u32);
    proxy_set_shared_data(a: u32, b: u32, c: u32, d: u32, e: u32);
    proxy_register_shared_queue(a: u32, b: u32, c: u32);
    proxy_resolve_shared_queue(a: u32, b: u32, c: u32, d: u32, e: u32);
    proxy_enqueue_shared_queue(a: u32, b: u32, c: u32);
    proxy_dequeue_shared_queue(a: u32, b: u32, c: u32);
    proxy_define_metric(a: u32, b: u32, c: u32, d: u32);
    proxy_increment_metric(a: u32, b: u64);
    proxy_record_metric(a: u32, b: u64);
    proxy_get_metric(a: u32, b: u32);
    proxy_get_property(a: u32, b: u32, c: u32, d: u32);
    proxy_set_property(a: u32, b: u32, c: u32, d: u32);
    proxy_set_effective_context(a: u32);
    proxy_done();
    proxy_call_foreign_function(a: u32, b: u32, c: u32, d: u32, e: u32, f: u32);
}

/// Logs a line.
pub fn log(level: u64, text: &[u8]) -> Option<u32> {
    call("log", &[level, address(text), size(text)])
}

/// Returns where bytes begin.
pub fn address<T>(bytes: &[T]) -> u64 {
    bytes.as_ptr() as u64
}

/// Returns where the host may write a result.
pub fn place<T>(out: &mut [T]) -> u64 {
    out.as_mut_ptr() as u64
}

/// Returns how many bytes there are.
pub fn size(bytes: &[u8]) -> u64 {
    bytes.len() as u64
}

/// Takes over bytes that the host has put into memory that it asked `malloc` for.
pub fn taken(address: u32, size: u32) -> Vec<u8> {
    if address == 0 {
        return Vec::new();
    }
    let size = size as usize;
    unsafe { Vec::from_raw_parts(address as *mut u8, size, size) }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    let mut bytes = std::mem::ManuallyDrop::new(Vec::<u8>::with_capacity(size));
    bytes.as_mut_ptr()
}
