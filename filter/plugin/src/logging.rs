//! The `log` facade over the proxy's log. Panics are logged as well, because a trap without a line would be a riddle.

use sidespan_abi::hostcalls;
use sidespan_abi::types::LogLevel;

/// Sends everything to the proxy from now on.
pub(crate) fn start() {
    // A second logger is refused, and then the first one serves.
    if log::set_logger(&ProxyLog).is_ok() {
        log::set_max_level(log::LevelFilter::Info);
    }
    std::panic::set_hook(Box::new(|panic| {
        hostcalls::log(LogLevel::Critical, &panic.to_string())
    }));
}

/// Logs what the proxy would write, down to one line a request at level debug; read now and then, for it may change at any
/// time. A proxy that does not tell its level gets everything but those.
pub(crate) fn follow() {
    let is_debug = hostcalls::get_log_level().is_some_and(|level| level <= LogLevel::Debug);
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
            log::Level::Trace => LogLevel::Trace,
            log::Level::Debug => LogLevel::Debug,
            log::Level::Info => LogLevel::Info,
            log::Level::Warn => LogLevel::Warn,
            log::Level::Error => LogLevel::Error,
        };
        hostcalls::log(level, &record.args().to_string());
    }

    fn flush(&self) {}
}
