//! The project's own rules: core and guest equal, every counter tested, documents true, no test skipped without a reason.

mod counters;
mod external;
mod parity;
mod peers;
mod ports;
mod quick;
mod skipped;
mod tidy;
mod vendored;
