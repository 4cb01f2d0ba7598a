//! Real Envoys with the filter in them.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;
use std::{fs, process};

use serde_json::Value;
use sidespan_envoy::{Bootstrap, Envoy, Wasm, install, wait_for};

/// The time limit of every wait: longer than any wait takes on any machine.
pub const LIMIT: Duration = Duration::from_secs(30);

/// Starts an Envoy.
///
/// # Panics
/// With the end of Envoy's log, when Envoy does not serve.
pub fn start(bootstrap: &Bootstrap) -> Envoy {
    Envoy::start(binary(), bootstrap).unwrap_or_else(|error| panic!("{error}"))
}

/// Returns the filter with this configuration, failing closed: a trap turns every later request into a 503, so that no test
/// can miss a trap.
pub fn filter(configuration: &Value) -> Wasm {
    filter_with(&configuration.to_string())
}

/// Returns the filter with a configuration that need not be JSON.
pub fn filter_with(configuration: &str) -> Wasm {
    filter_named("sidespan", configuration)
}

/// Returns the filter with a configuration, under another plugin name.
pub fn filter_named(name: &str, configuration: &str) -> Wasm {
    Wasm::new(name, module())
        .root_id(name)
        .configuration(configuration)
}

/// Returns one of the filter's counters or gauges by its name in the README, without the prefix; 0 when it is not there.
///
/// # Panics
/// When Envoy does not answer.
pub fn counter(envoy: &Envoy, name: &str) -> u64 {
    envoy
        .stat(&stat(name))
        .expect("the admin interface")
        .unwrap_or(0)
}

/// Waits until one of the filter's counters or gauges is as wanted. They are written on the tick only.
///
/// # Panics
/// When the value is never as wanted.
pub fn wait_for_counter(envoy: &Envoy, name: &str, wanted: impl Fn(u64) -> bool) -> u64 {
    envoy
        .wait_for_stat(&stat(name), wanted, LIMIT)
        .unwrap_or_else(|error| panic!("{error}"))
}

/// Waits until the filter has ticked so often, on the one worker and on the main thread (which has a VM too), that
/// everything before is in the counters. Both tick at the same pace.
///
/// # Panics
/// When the filter ticks no more.
pub fn settle(envoy: &Envoy) {
    let seen = counter(envoy, "worker.ticks");
    wait_for_counter(envoy, "worker.ticks", |now| now >= seen + 4);
}

/// Waits until this many spans have finished and each is in exactly one of the counters of `ENDS`.
///
/// # Panics
/// With the counts, when they never agree.
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

/// Counters of finished spans, and the gauge of those that wait in the queue.
const ENDS: [&str; 7] = [
    "spans.exported",
    "spans.rejected",
    "spans.dropped_queue",
    "spans.dropped_export",
    "spans.dropped_shutdown",
    "spans.dropped_restart",
    "queue.spans",
];

/// Returns the name of a counter in `/stats`.
pub fn stat(name: &str) -> String {
    format!("wasmcustom.sidespan.{name}")
}

/// Returns the path of Envoy's binary, which the first call installs.
///
/// # Panics
/// When Envoy cannot be installed.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| install(&target_dir()).unwrap_or_else(|error| panic!("{error}")))
}

/// Returns the path of the filter's module as a file, for Envoy to load: the module that the command line embeds.
///
/// # Panics
/// When the file cannot be written.
pub fn module() -> &'static Path {
    static MODULE: OnceLock<PathBuf> = OnceLock::new();
    MODULE.get_or_init(|| {
        let mut hasher = DefaultHasher::new();
        sidespan::FILTER.hash(&mut hasher);
        let folder = target_dir().join("tmp");
        let path = folder.join(format!("sidespan-{:016x}.wasm", hasher.finish()));
        if !path.exists() {
            fs::create_dir_all(&folder).expect("a folder for test files");
            // Written under another name first, because another process may write the same file at the same time.
            let part = folder.join(format!("sidespan-{}.part", process::id()));
            fs::write(&part, sidespan::FILTER).expect("the filter's module");
            fs::rename(&part, &path).expect("the filter's module");
        }
        path
    })
}

/// Returns the folder of build products: a test binary is `target/<profile>/deps/<name>`.
pub fn target_dir() -> PathBuf {
    let program = std::env::current_exe().expect("the path of the test binary");
    program
        .ancestors()
        .nth(3)
        .expect("a test binary lies three folders deep in target")
        .to_owned()
}
