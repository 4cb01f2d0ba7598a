//! Real Envoys with the filter in them.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;
use std::{fs, process};

use serde_json::Value;
use sidespan_envoy::{Bootstrap, Envoy, Wasm, install, wait_for};

/// No wait of these tests needs this long on any machine; it is where a test gives up.
pub const LIMIT: Duration = Duration::from_secs(30);

/// Starts an Envoy.
///
/// # Panics
/// With the end of its log, when it does not serve.
pub fn start(bootstrap: &Bootstrap) -> Envoy {
    Envoy::start(binary(), bootstrap).unwrap_or_else(|error| panic!("{error}"))
}

/// The filter with this configuration, failing closed: a trap turns every later request into a 503, so that no test
/// can miss it.
pub fn filter(configuration: &Value) -> Wasm {
    filter_with(&configuration.to_string())
}

/// The filter with a configuration that need not be JSON.
pub fn filter_with(configuration: &str) -> Wasm {
    filter_named("sidespan", configuration)
}

/// The same under another plugin's name.
pub fn filter_named(name: &str, configuration: &str) -> Wasm {
    Wasm::new(name, module())
        .root_id(name)
        .configuration(configuration)
}

/// Returns one of the filter's counters or gauges by its name in the README, without the prefix; 0 when it is not there.
///
/// # Panics
/// When Envoy does not say.
pub fn counter(envoy: &Envoy, name: &str) -> u64 {
    envoy
        .stat(&stat(name))
        .expect("the admin interface")
        .unwrap_or(0)
}

/// Waits until one of the filter's counters or gauges is as wanted. They are written on the tick, not at once.
///
/// # Panics
/// When it never is.
pub fn wait_for_counter(envoy: &Envoy, name: &str, wanted: impl Fn(u64) -> bool) -> u64 {
    envoy
        .wait_for_stat(&stat(name), wanted, LIMIT)
        .unwrap_or_else(|error| panic!("{error}"))
}

/// Waits until the filter has ticked often enough, on one worker and on the main thread, which has a VM too, that all that
/// happened before is in the counters. Both tick at the same pace.
///
/// # Panics
/// When the filter ticks no more.
pub fn settle(envoy: &Envoy) {
    let seen = counter(envoy, "worker.ticks");
    wait_for_counter(envoy, "worker.ticks", |now| now >= seen + 6);
}

/// Waits until this many spans have ended and each of them is in exactly one of the counters of what became of it, or
/// still waits.
///
/// # Panics
/// With what was counted, when that is never so.
pub fn wait_until_accounted(envoy: &Envoy, finished: u64) {
    let mut seen = (0, 0);
    let is_so = wait_for(LIMIT, || {
        let gone = ENDS.map(|name| counter(envoy, name)).iter().sum::<u64>();
        seen = (gone, counter(envoy, "spans.finished"));
        (seen == (finished, finished)).then_some(())
    });
    let (gone, counted) = seen;
    assert!(
        is_so.is_some(),
        "{gone} spans are accounted for, {counted} have ended, {finished} were to"
    );
}

/// What becomes of a span.
const ENDS: [&str; 7] = [
    "spans.exported",
    "spans.rejected",
    "spans.dropped_queue",
    "spans.dropped_export",
    "spans.dropped_shutdown",
    "spans.dropped_restart",
    "queue.spans",
];

/// The name of a counter in `/stats`.
pub fn stat(name: &str) -> String {
    format!("wasmcustom.sidespan.{name}")
}

/// Envoy's binary, fetched by the first test that needs it.
///
/// # Panics
/// When it cannot be fetched.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| install(&target_dir()).unwrap_or_else(|error| panic!("{error}")))
}

/// The filter's module as a file, for Envoy to load. It is the one that the command line embeds.
///
/// # Panics
/// When it cannot be written.
pub fn module() -> &'static Path {
    static MODULE: OnceLock<PathBuf> = OnceLock::new();
    MODULE.get_or_init(|| {
        let mut hasher = DefaultHasher::new();
        sidespan::FILTER.hash(&mut hasher);
        let folder = target_dir().join("tmp");
        let path = folder.join(format!("sidespan-{:016x}.wasm", hasher.finish()));
        if !path.exists() {
            fs::create_dir_all(&folder).expect("a folder for test files");
            // Another process may be doing the same, so the file appears whole or not at all.
            let part = folder.join(format!("sidespan-{}.part", process::id()));
            fs::write(&part, sidespan::FILTER).expect("the filter's module");
            fs::rename(&part, &path).expect("the filter's module");
        }
        path
    })
}

/// The folder of build products: a test binary is `target/<profile>/deps/<name>`.
pub(crate) fn target_dir() -> PathBuf {
    let program = std::env::current_exe().expect("the path of the test binary");
    program
        .ancestors()
        .nth(3)
        .expect("a test binary lies three folders deep in target")
        .to_owned()
}
