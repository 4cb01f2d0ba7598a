//! Go's reading and writing of numbers, durations and times, with its words for what is wrong: Jaeger's errors quote them.

mod duration;
mod number;
mod quote;
mod time;

pub(super) use duration::{duration, write_duration};
pub(super) use number::{float, hexadecimal, integer, truth};
pub(super) use time::{rfc3339, write_time};
