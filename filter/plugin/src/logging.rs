//! The `log` facade over the proxy's log. Panics are logged as well, because the proxy reports a trap without its cause.

use sidespan_abi::hostcalls;
use sidespan_abi::types::LogLevel;

/// Installs the logger and the panic hook, which write to the proxy's log.
pub(crate) fn start() {
    // A second call is refused and keeps the first logger.
    if log::set_logger(&ProxyLog).is_ok() {
        log::set_max_level(log::LevelFilter::Info);
    }
    std::panic::set_hook(Box::new(|panic| {
        hostcalls::log(LogLevel::Critical, &panic.to_string())
    }));
}

/// Reads the proxy's log level, which may change at any time, and logs lines of level debug (one for each request) only
/// where the proxy writes them. A proxy that does not know `proxy_get_log_level` gets all lines but those.
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
