//! The lines of the guests in Envoy's log, and their metrics among Envoy's.
//!
//! Envoy starts a VM more than once: on the main thread, which takes no request, and on the worker. Only the worker's
//! lines count here.

use std::collections::BTreeMap;

use sidespan_envoy::Envoy;

/// The form of Envoy's log: a mark, thread, level, component, text. Only the mark begins a line, because a text may have
/// several.
pub(super) const FORMAT: &str = "\u{1e}%t|%l|%n|%v";

/// A reader of the guests' lines.
#[derive(Debug)]
pub(super) struct GuestLog {
    prefixes: Vec<String>,
    main_thread: String,
}

impl GuestLog {
    /// Returns a reader of the lines that begin with one of these prefixes. The main thread has the number of the process.
    pub(super) fn new(prefixes: &[String], process: u32) -> Self {
        Self {
            prefixes: prefixes.to_vec(),
            main_thread: process.to_string(),
        }
    }

    /// Returns the lines of the guests on the worker, and Envoy's own about them, each with its level in front.
    pub(super) fn lines(&self, log: &str) -> (Vec<String>, Vec<String>) {
        let (mut of_guests, mut of_envoy) = (Vec::new(), Vec::new());
        for (level, text) in self.on_threads(log, |thread| thread != self.main_thread) {
            match self.text(text) {
                Some(text) => of_guests.push(format!("{level}: {text}")),
                None => of_envoy.push(format!("{level}: {text}")),
            }
        }
        (of_guests, of_envoy)
    }

    /// Returns the lines of the guests on the main thread.
    pub(super) fn lines_of_main(&self, log: &str) -> Vec<String> {
        let lines = self.on_threads(log, |thread| thread == self.main_thread);
        let lines = lines.into_iter();
        let of_guests =
            lines.filter_map(|(level, text)| Some(format!("{level}: {}", self.text(text)?)));
        of_guests.collect()
    }

    /// Returns all lines about wasm of some threads, with their levels.
    fn on_threads<'a>(
        &self,
        log: &'a str,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Vec<(&'a str, &'a str)> {
        let lines = log.split('\u{1e}').filter_map(|line| {
            let mut parts = line.splitn(4, '|');
            let mut next = || parts.next();
            let (thread, level, component, text) = (next()?, next()?, next()?, next()?);
            let is_shown = component == "wasm" && is_wanted(thread);
            let text = text.strip_suffix('\n').unwrap_or(text);
            let level = if level == "warning" { "warn" } else { level };
            is_shown.then_some((level, text))
        });
        lines.collect()
    }

    /// Returns a line without Envoy's prefix; `None` for lines of Envoy itself.
    fn text<'a>(&self, line: &'a str) -> Option<&'a str> {
        self.prefixes
            .iter()
            .find_map(|prefix| line.strip_prefix(prefix.as_str()))
    }

    /// Returns true if Envoy has written of its own crash.
    pub(super) fn has_crashed(&self, log: &str) -> bool {
        log.contains("Caught Segmentation fault") || log.contains("Caught Aborted")
    }
}

/// Returns the metrics that guests have defined.
///
/// # Errors
/// When Envoy does not answer.
pub(super) fn counters(envoy: &Envoy) -> anyhow::Result<BTreeMap<String, u64>> {
    let stats = envoy.stats(PREFIX)?;
    let named = stats
        .into_iter()
        .filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?.to_owned(), value)));
    Ok(named.collect())
}

/// The prefix that Envoy gives to metrics of guests.
const PREFIX: &str = "wasmcustom.";
