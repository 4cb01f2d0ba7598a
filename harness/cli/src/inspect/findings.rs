//! What will go wrong with a module, or costs without need, each with its cure.

use super::binary::Binary;
use super::callbacks::{ALLOCATORS, Callback};
use super::needs::Need;
use super::origin::{Origin, Sdk};
use super::strings::Removed;
use super::{callbacks, needs};

/// A finding.
#[derive(Debug, PartialEq, Eq, serde::Serialize)]
pub(super) struct Finding {
    /// The matter, as one word for scripts.
    pub(super) kind: Kind,
    /// Name of the thing, and its number.
    pub(super) what: String,
    /// Effect on traffic or cost, and the cure.
    pub(super) advice: &'static str,
}

/// The kinds of findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// Only newer versions of Envoy load the module.
    NeedsEnvoy,
    /// The module names properties that Envoy removed.
    RemovedProperty,
    /// Both allocators are exported.
    TwoAllocators,
    /// An export looks like a callback and is none.
    UnknownCallback,
    /// A callback does nothing but return.
    IdleCallback,
    /// A command's `_start` stands where a library's `_initialize` should.
    Command,
    /// The SDK ends the VM on an answer that it does not expect.
    SdkPanics,
    /// Functions of WASI that Envoy only answers with an error.
    Unsupported,
    /// Debug information makes the module larger.
    DebugInformation,
}

/// The facts that findings are made of.
pub(super) struct Facts<'a> {
    pub(super) binary: &'a Binary<'a>,
    pub(super) origin: Origin,
    pub(super) callbacks: &'a [Callback],
    pub(super) need: Option<&'a Need<'a>>,
    pub(super) removed: &'a [Removed],
}

/// Returns the findings, the worst first.
pub(super) fn of(facts: &Facts<'_>) -> Vec<Finding> {
    let binary = facts.binary;
    let mut findings = Vec::new();
    let mut add = |kind, what: String, advice| findings.push(Finding { kind, what, advice });
    if let Some(need) = facts.need {
        let what = format!(
            "needs Envoy {} or later: {}",
            need.version,
            list(&need.imports)
        );
        add(Kind::NeedsEnvoy, what, NEEDS_ENVOY);
    }
    let unknown = callbacks::unknown(binary);
    if !unknown.is_empty() {
        let what = format!("Envoy never calls {}", list(&unknown));
        add(Kind::UnknownCallback, what, UNKNOWN_CALLBACK);
    }
    let has = |name| binary.exports.contains_key(name);
    if has("_start") && !has("_initialize") && facts.origin.language == Some("Go") {
        add(
            Kind::Command,
            "exports _start and no _initialize".into(),
            COMMAND,
        );
    }
    if facts.origin.sdk == Some(Sdk::Rust) {
        add(
            Kind::SdkPanics,
            "the Rust SDK ends the VM on unexpected answers".into(),
            RUST_SDK,
        );
    }
    for removed in facts.removed {
        let what = format!(
            "names the property {}, today {}",
            removed.name, removed.since
        );
        add(Kind::RemovedProperty, what, REMOVED);
    }
    if ALLOCATORS.iter().all(|name| has(name)) {
        let what = format!("exports both {}", ALLOCATORS.join(" and "));
        add(Kind::TwoAllocators, what, TWO_ALLOCATORS);
    }
    for callback in facts
        .callbacks
        .iter()
        .filter(|callback| callback.is_idle && PER_STREAM.contains(&callback.name))
    {
        let what = format!(
            "{} only returns; Envoy calls it {}",
            callback.name, callback.called
        );
        add(Kind::IdleCallback, what, IDLE);
    }
    let refused: Vec<_> = needs::wasi(binary)
        .into_iter()
        .filter(|name| is_refused(name))
        .collect();
    if !refused.is_empty() {
        let what = format!("imports {}", list(&refused));
        add(Kind::Unsupported, what, UNSUPPORTED);
    }
    if binary.debug_bytes > LARGE_DEBUG_BYTES {
        let what = format!(
            "{} KiB of names and debug information",
            binary.debug_bytes / 1024
        );
        add(Kind::DebugInformation, what, DEBUG);
    }
    findings
}

fn list(names: &[&str]) -> String {
    names.join(", ")
}

/// Returns true for functions that have no meaning in a proxy: files that are not there, and sockets.
fn is_refused(name: &str) -> bool {
    name.starts_with("path_")
        || name.starts_with("sock_")
        || matches!(name, "fd_read" | "fd_pread" | "fd_readdir")
}

/// Callbacks that are called for each stream or more often. The others are rare.
const PER_STREAM: &[&str] = &[
    "proxy_on_context_create",
    "proxy_on_request_headers",
    "proxy_on_request_body",
    "proxy_on_request_trailers",
    "proxy_on_response_headers",
    "proxy_on_response_body",
    "proxy_on_response_trailers",
    "proxy_on_log",
    "proxy_on_done",
    "proxy_on_delete",
];

/// Less is not worth a word.
const LARGE_DEBUG_BYTES: usize = 64 * 1024;

const NEEDS_ENVOY: &str = "older versions refuse the module with \"missing import\"; build with an older toolchain for them, or state the version";
const UNKNOWN_CALLBACK: &str = "an export that begins with proxy_ and is no callback of Envoy is a misspelt one, or another proxy's";
const COMMAND: &str =
    "main runs once and ends the program before the first request; build with -buildmode=c-shared";
const RUST_SDK: &str = "e.g. a header that is not UTF-8, or get_http_request_header outside a request; every stream of the worker then gets 503 (or passes unfiltered under FAIL_OPEN). Use the _bytes variants, and try `sidespan run` with odd input";
const REMOVED: &str = "since Envoy 1.33 the old name is NOT_FOUND; ask for the new one first, and fall back to the old where 1.32 still runs";
const TWO_ALLOCATORS: &str = "Envoy calls malloc, though the specification prefers the other; what only proxy_on_memory_allocate notes is missed. Export one";
const IDLE: &str =
    "each call is an entry into the VM for nothing; leave the export out, and Envoy does without";
const UNSUPPORTED: &str =
    "a proxy has neither files nor sockets: Envoy answers these with an error";
const DEBUG: &str = "every proxy fetches and keeps it; strip it (wasm-tools strip, wasm-opt --strip-debug, or the compiler's option), unless backtraces should have names";
