//! YAML as Kubernetes reads it, built from the events of a parser: aliases and merge keys resolved, every key text.
//!
//! A repeated key, a key that Kubernetes refuses, and a key that it reads as something else than what is written are
//! remarked on, and reading goes on. Built from events because the deserializers for YAML forget which keys were
//! quoted, and limit the nodes of a file.
//!
//! Memory is linear in the text: what aliases repeat is limited by [go-yaml's own rule], so that what is refused here
//! is refused by kubectl too.
//!
//! [go-yaml's own rule]: https://github.com/yaml/go-yaml/blob/v2.4.2/decode.go

use granit_parser::{Options, Parser};

mod builder;
mod frame;
mod reading;

pub(in crate::check) use reading::{Reading, Remark, Unreadable};

use builder::{Builder, MAX_DEPTH};

/// Returns a parser's options without limits that a real file could reach.
pub(super) fn options() -> Options {
    granit_parser::options! {
        emit_comments: false,
        simple_key_max_lookahead: 1 << 20,
        flow_nesting_limit: MAX_DEPTH,
        block_nesting_limit: MAX_DEPTH,
    }
}

/// Reads all documents of a text.
pub(super) fn read(text: &str) -> Result<Reading, Unreadable> {
    let mut builder = Builder::default();
    for next in Parser::new_from_str_with_options(text, options()) {
        let (event, span) = next.map_err(|error| Unreadable::of(&error))?;
        builder.line = span.start.line();
        builder.take(event)?;
    }
    Ok(builder.reading)
}

#[cfg(test)]
mod tests;
