//! The proof that a module runs: before it goes into an image, the built-in host loads and configures it as a proxy does,
//! and sends one request through it.
//!
//! `failStrategy: FAIL_OPEN` covers an image that cannot be fetched. It covers neither a module that does not load, of
//! which a proxy answers 500 to every request, nor one that traps, of which it answers 503 until the VM is started anew.

use sidespan_host::{EndOfStream, Ending, Host, LogLevel, Module, StreamProperties};

/// Says why a proxy would not run the module.
///
/// # Errors
/// With Envoy's words, or with what the module logged, and with what a proxy would do.
pub(super) fn runs(wasm: &[u8], configuration: &[u8]) -> Result<(), String> {
    let module = Module::compile(wasm).map_err(|error| {
        let words = error.envoy_says().join("\n  ");
        format!(
            "Envoy does not load it, and would answer 500 to every request. Its log says\n  {words}"
        )
    })?;
    let started = Host::builder(&module)
        .plugin_name(NAME)
        .root_id(NAME)
        .plugin_configuration(configuration)
        .any_cluster()
        .start();
    let mut host = started.map_err(|mut error| told(error.reason, &mut error.host))?;
    if host.gauge(REFUSED).is_some_and(|refused| refused > 0) {
        let refusal = "it refuses this configuration, and would let all requests pass unseen";
        return Err(told(refusal, &mut host));
    }
    let stream = host.open_stream(StreamProperties::new());
    // Whether it lets a request pass is its own affair.
    let _ = host.request_headers(stream, REQUEST, EndOfStream::Yes);
    let _ = host.response_headers(stream, [(":status", "200")], EndOfStream::Yes);
    host.end(stream, Ending::Complete);
    match host.trap().map(ToString::to_string) {
        Some(trap) => {
            let refusal =
                format!("it traps at its first request, which a proxy answers with 503: {trap}");
            Err(told(refusal, &mut host))
        }
        None => Ok(()),
    }
}

/// Returns a refusal with the warnings and errors that the module logged before.
fn told(refusal: impl ToString, host: &mut Host) -> String {
    let logs = host.logs().iter();
    let lines = logs.filter(|line| line.level >= LogLevel::Warn);
    lines.fold(refusal.to_string(), |told, line| {
        format!("{told}\n  {}", line.text)
    })
}

/// The name of the plugin and of its root in all manifests that are shipped.
const NAME: &str = "sidespan";
/// The gauge by which the filter says that it stands aside; other filters do not have it.
const REFUSED: &str = "sidespan.config.refused";
const REQUEST: [(&str, &str); 5] = [
    (":method", "GET"),
    (":path", "/"),
    (":scheme", "http"),
    (":authority", "shop"),
    ("x-forwarded-proto", "http"),
];
