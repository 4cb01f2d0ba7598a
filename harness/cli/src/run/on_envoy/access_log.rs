//! Envoy's own word on an exchange: response code details and response flags, from its access log.
//!
//! Exchanges that are under way at once end in any order; the client's address tells which is whose.

use std::net::SocketAddr;

use anyhow::Context;
use sidespan_envoy::{Envoy, wait_for};

use super::names::PATIENCE;

/// The form of a line.
pub(super) const FORMAT: &str =
    "%DOWNSTREAM_DIRECT_REMOTE_ADDRESS% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%";

/// One line.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) details: Option<String>,
    pub(super) flags: String,
}

/// Waits for the line of an exchange, behind `before` lines of earlier ones.
///
/// # Errors
/// When it never comes.
pub(super) fn wait(
    envoy: &Envoy,
    listener: &str,
    before: usize,
    client: SocketAddr,
) -> anyhow::Result<Line> {
    let client = format!("{client} ");
    let text = || {
        let log = envoy.access_log(listener);
        let is_whole = log.ends_with('\n');
        let mut lines = log.lines().skip(before);
        let line = lines.find_map(|line| Some(line.strip_prefix(&client)?.to_owned()));
        line.filter(|_| is_whole)
    };
    let text = wait_for(PATIENCE, text).context("no line came in Envoy's access log")?;
    let (flags, details) = text.split_once(' ').unwrap_or((&text, "-"));
    let there = |text: &str| (text != "-" && !text.is_empty()).then(|| text.to_owned());
    Ok(Line {
        details: there(details),
        flags: there(flags).unwrap_or_default(),
    })
}
