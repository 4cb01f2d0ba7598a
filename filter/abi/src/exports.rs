//! Exports: every callback that the filter uses, under its name in proxy-wasm ABI 0.2.1.
//!
//! The proxy does not call a callback that is not exported, which spares each request an entry into the module.
#![expect(
    unsafe_code,
    reason = "an exported name is one that nothing else may have"
)]

use crate::contexts::Contexts;
use crate::types::Action;
use crate::{hostcalls, owner};

/// Marks the version of the ABI by its name; the proxy only looks for the export.
#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

/// Allocates memory for the result of a hostcall, as a boxed slice; `hostcalls/memory.rs` takes it over.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    Box::into_raw(Box::<[u8]>::new_uninit_slice(size)).cast()
}

/// Begins a root context, which has no callback of its own for that. A proxy starts it anew for a second installation of the
/// same configuration.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_vm_start(id: u32, _: usize) -> bool {
    Contexts::with(None, |contexts| contexts.create_root(id));
    true
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_configure(id: u32, bytes: usize) -> bool {
    Contexts::with((), |contexts| {
        contexts.create_root(id);
        let is_alone = contexts.is_alone();
        contexts.note(id, |note| {
            note.name = hostcalls::get_property("plugin_name");
            if note.mark.is_none() && !is_alone {
                note.mark = owner::mark(id);
            }
        });
    });
    Contexts::root(id, false, |root| root.on_configure(bytes))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_tick(id: u32) {
    Contexts::root(id, (), |root| root.on_tick());
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_http_call_response(
    _: u32,
    token: u32,
    headers: usize,
    body_bytes: usize,
    trailers: usize,
) {
    let Some(id) = Contexts::with(None, |contexts| contexts.answered(token)) else {
        return;
    };
    hostcalls::set_effective_context(id);
    Contexts::root(id, (), |root| {
        root.on_http_call_response(token, headers, body_bytes, trailers);
    });
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(id: u32, _: usize, _: bool) -> Action {
    Contexts::with(None, |contexts| contexts.begin(id, &owner::Proxy));
    Action::Continue
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_headers(id: u32, _: usize, is_end: bool) -> Action {
    Contexts::stream(id, |stream| stream.on_http_response_headers(is_end));
    Action::Continue
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_trailers(id: u32, _: usize) -> Action {
    Contexts::stream(id, |stream| stream.on_http_response_trailers());
    Action::Continue
}

/// Ends the VM at a connection, as the SDK does, because only a network filter gets connections: this HTTP filter is then
/// installed wrongly.
#[unsafe(no_mangle)]
#[expect(
    clippy::panic,
    reason = "connections that pass without a trace would look like a filter at work"
)]
extern "C" fn proxy_on_new_connection(_: u32) -> Action {
    panic!("an HTTP filter is installed as a network filter");
}

/// Ends a stream, or a root context that may end. A stream that never began has nothing to end.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_done(id: u32) -> bool {
    match Contexts::with(None, |contexts| contexts.end(id)) {
        Some(mut stream) => {
            stream.on_end();
            true
        }
        None => Contexts::end_root(id),
    }
}
