//! The project's own rules: core and guest equal, the module anybody's, every counter tested, documents true, no test skipped without a reason.

mod builder;
mod counters;
mod external;
mod parity;
mod peers;
mod ports;
mod quick;
mod skipped;
mod tidy;
mod vendored;
