//! The guest's log lines: kept for the caller, and passed to the `log` facade in Envoy's format.

use std::collections::VecDeque;

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

/// One line that the guest, or the host about the guest, has logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// The line's level.
    pub level: LogLevel,
    /// The text; bytes that are not UTF-8 have become U+FFFD.
    pub text: String,
}

/// The last log lines, at most `MAX_LINES`.
#[derive(Debug, Default)]
pub(crate) struct Logs {
    level: LogLevel,
    prefix: String,
    lines: VecDeque<LogLine>,
}

impl Logs {
    /// Returns an empty log, with Envoy's prefix: name, root id and `vm_id`, without the empty ones.
    pub(crate) fn new(level: LogLevel, parts: [&str; 3]) -> Self {
        let prefix = parts
            .iter()
            .filter(|part| !part.is_empty())
            .map(|part| format!(" {part}"))
            .collect();
        Self {
            level,
            prefix,
            lines: VecDeque::new(),
        }
    }

    pub(crate) fn level(&self) -> LogLevel {
        self.level
    }

    pub(crate) fn set_level(&mut self, level: LogLevel) {
        self.level = level;
    }

    pub(crate) fn push(&mut self, level: LogLevel, text: String) {
        if level < self.level {
            return;
        }
        log::log!(target: "wasm", level.facade(), "wasm log{}: {text}", self.prefix);
        if self.lines.len() == MAX_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(LogLine { level, text });
    }

    pub(crate) fn put_in_front(&mut self, lines: Vec<LogLine>) {
        let later = std::mem::take(&mut self.lines);
        self.lines = lines.into_iter().chain(later).collect();
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
        let mut logs = Logs::new(LogLevel::Warn, ["", "", ""]);
        logs.push(LogLevel::Info, "no".into());
        logs.push(LogLevel::Warn, "yes".into());
        assert_eq!(
            logs.lines(),
            [LogLine {
                level: LogLevel::Warn,
                text: "yes".into()
            }]
        );
        assert_eq!(logs.take().len(), 1);
        assert!(logs.lines().is_empty());
    }

    #[test]
    fn leaves_empty_parts_out_of_the_prefix() {
        assert_eq!(
            Logs::new(LogLevel::Info, ["name", "", "vm"]).prefix,
            " name vm"
        );
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
