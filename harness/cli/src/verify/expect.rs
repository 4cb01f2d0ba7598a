//! What must be among traces, and what must not: `--expect FILE`.

mod compare;
mod file;
mod values;

#[cfg(test)]
mod tests;

pub(super) use file::{Expectations, load};
