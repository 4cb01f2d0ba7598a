//! Instructions, calls and processor time of one request.

mod bench;
mod budget;
mod comparison;
