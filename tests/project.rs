//! The project's own rules: core and guest equal, every counter moved, documents true, nothing skipped in silence.

mod counters;
mod external;
mod parity;
mod quick;
mod skipped;
mod tidy;
