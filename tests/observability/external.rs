//! Rules, queries and scrapes in Prometheus' own hands, and a log line in Envoy's.

mod log_line;
mod promtool;
