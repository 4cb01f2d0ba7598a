//! Sidespan's command line, as a library because tests call its parts.
//!
//! A subcommand is a module with its arguments and one function `run`, which returns the exit code: 0 for success, 1
//! for a negative verdict, 2 for wrong use.

pub mod bench;
pub mod check;
pub mod completions;
pub mod demo;
mod embedded;
mod envoy;
pub mod inspect;
mod interrupt;
mod junit;
pub mod man;
mod module_file;
pub mod output;
pub mod package;
pub mod run;
pub mod sidecar;
pub mod sink;
mod terminal;
mod token;
pub mod trace;
pub mod verify;

pub use embedded::{FILTER, FILTER_FLAGS, FLOOR, LEAST, VERSION};
pub use token::TokenArgs;
