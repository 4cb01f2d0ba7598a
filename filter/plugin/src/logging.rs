//! The `log` facade over the proxy's log, and panics with it: a trap without a word would be a riddle.

use crate::host;

/// Sends everything to the proxy from now on.
pub(crate) fn start() {
    // A second logger is refused, and then the first one serves.
    if log::set_logger(&ProxyLog).is_ok() {
        log::set_max_level(log::LevelFilter::Info);
    }
    std::panic::set_hook(Box::new(|panic| {
        host::write_log(CRITICAL, &panic.to_string())
    }));
}

/// Logs what the proxy would write, down to one line a request at level debug; read now and then, for it may change at any
/// time. A proxy that does not tell its level gets everything but those.
pub(crate) fn follow() {
    let is_debug = host::log_level().is_some_and(|level| level <= DEBUG);
    log::set_max_level(match is_debug {
        true => log::LevelFilter::Debug,
        false => log::LevelFilter::Info,
    });
}

struct ProxyLog;

impl log::Log for ProxyLog {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &log::Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let level = match record.level() {
            log::Level::Trace => 0,
            log::Level::Debug => 1,
            log::Level::Info => 2,
            log::Level::Warn => 3,
            log::Level::Error => 4,
        };
        host::write_log(level, &record.args().to_string());
    }

    fn flush(&self) {}
}

const DEBUG: u32 = 1;
const CRITICAL: u32 = 5;
