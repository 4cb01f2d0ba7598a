//! The guest's log lines: kept for the caller, and passed to the `log` facade in Envoy's format.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

/// Envoy's log levels, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum LogLevel {
    /// Number 0.
    Trace,
    /// Number 1.
    Debug,
    /// Number 2, Envoy's default.
    #[default]
    Info,
    /// Number 3.
    Warn,
    /// Number 4.
    Error,
    /// Number 5.
    Critical,
}

impl LogLevel {
    /// Returns the level of a number on the wire.
    pub(crate) fn from_wire(level: u32) -> Option<Self> {
        [
            Self::Trace,
            Self::Debug,
            Self::Info,
            Self::Warn,
            Self::Error,
            Self::Critical,
        ]
        .into_iter()
        .find(|known| known.to_wire() == level)
    }

    /// Returns the number on the wire.
    pub(crate) fn to_wire(self) -> u32 {
        match self {
            Self::Trace => 0,
            Self::Debug => 1,
            Self::Info => 2,
            Self::Warn => 3,
            Self::Error => 4,
            Self::Critical => 5,
        }
    }

    /// Returns the level's name, as Envoy writes it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }

    fn facade(self) -> log::Level {
        match self {
            Self::Trace => log::Level::Trace,
            Self::Debug => log::Level::Debug,
            Self::Info => log::Level::Info,
            Self::Warn => log::Level::Warn,
            Self::Error | Self::Critical => log::Level::Error,
        }
    }
}

/// One line that the guest, or Envoy about the guest, has logged; as text it stands as in Envoy's log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogLine {
    /// The line's level.
    pub level: LogLevel,
    /// Envoy's prefix of a line of the guest: in a stream the plugin's name, its root id and the `vm_id`, in a root context
    /// the last two, each without what is empty. `None` for a line of Envoy, as about a trap.
    pub prefix: Option<Arc<str>>,
    /// The text; bytes that are not UTF-8 have become U+FFFD.
    pub text: String,
}

impl fmt::Display for LogLine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.prefix.as_deref() {
            None => formatter.write_str(&self.text),
            Some("") => write!(formatter, "wasm log: {}", self.text),
            Some(prefix) => write!(formatter, "wasm log {prefix}: {}", self.text),
        }
    }
}

/// Returns Envoy's prefix of these names, without the empty ones.
pub(crate) fn prefix(names: &[&str]) -> Arc<str> {
    let names: Vec<_> = names
        .iter()
        .filter(|name| !name.is_empty())
        .copied()
        .collect();
    names.join(" ").into()
}

/// The last log lines, at most `MAX_LINES`.
#[derive(Debug, Default)]
pub(crate) struct Logs {
    level: LogLevel,
    lines: VecDeque<LogLine>,
}

impl Logs {
    /// Returns an empty log.
    pub(crate) fn new(level: LogLevel) -> Self {
        Self {
            level,
            lines: VecDeque::new(),
        }
    }

    pub(crate) fn level(&self) -> LogLevel {
        self.level
    }

    pub(crate) fn set_level(&mut self, level: LogLevel) {
        self.level = level;
    }

    /// Adds a line of the guest, with its prefix, or of Envoy, without.
    pub(crate) fn push(&mut self, level: LogLevel, prefix: Option<Arc<str>>, text: String) {
        if level < self.level {
            return;
        }
        let line = LogLine {
            level,
            prefix,
            text,
        };
        log::log!(target: "wasm", level.facade(), "{line}");
        if self.lines.len() == MAX_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    pub(crate) fn put_in_front(&mut self, lines: Vec<LogLine>) {
        let later = std::mem::take(&mut self.lines);
        self.lines = lines.into_iter().chain(later).collect();
    }

    pub(crate) fn append(&mut self, lines: Vec<LogLine>) {
        self.lines.extend(lines);
    }

    pub(crate) fn lines(&mut self) -> &[LogLine] {
        self.lines.make_contiguous()
    }

    pub(crate) fn take(&mut self) -> Vec<LogLine> {
        self.lines.drain(..).collect()
    }
}

/// A bound that Envoy does not have, because a sidecar may run for days without anybody reading its log.
const MAX_LINES: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_is_grave_enough() {
        let mut logs = Logs::new(LogLevel::Warn);
        logs.push(LogLevel::Info, None, "no".into());
        logs.push(LogLevel::Warn, None, "yes".into());
        assert_eq!(
            logs.lines(),
            [LogLine {
                level: LogLevel::Warn,
                prefix: None,
                text: "yes".into()
            }]
        );
        assert_eq!(logs.take().len(), 1);
        assert!(logs.lines().is_empty());
    }

    #[test]
    fn reads_as_in_envoys_log() {
        let line = |prefix: Option<&str>| LogLine {
            level: LogLevel::Info,
            prefix: prefix.map(Arc::from),
            text: "text".into(),
        };
        assert_eq!(line(Some("name vm")).to_string(), "wasm log name vm: text");
        assert_eq!(line(Some("")).to_string(), "wasm log: text");
        assert_eq!(line(None).to_string(), "text");
    }

    #[test]
    fn leaves_empty_parts_out_of_the_prefix() {
        assert_eq!(&*prefix(&["name", "", "vm"]), "name vm");
    }

    #[test]
    fn knows_the_six_levels_of_the_wire() {
        for level in 0..6 {
            assert_eq!(
                LogLevel::from_wire(level).map(LogLevel::to_wire),
                Some(level)
            );
        }
        assert_eq!(LogLevel::from_wire(6), None);
    }
}
