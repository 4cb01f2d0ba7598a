//! What an answer means for the message.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;

/// The meaning of an answer, or of its absence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The destination has the message, and has rejected some of its spans for good.
    Taken {
        /// The number of rejected spans.
        rejected: u64,
        /// The reason, or advice; empty where all is well.
        message: String,
    },
    /// The message is to be sent again.
    Again {
        /// The delay that the destination asks for.
        after: Option<Duration>,
        /// The cause.
        cause: String,
    },
    /// The message is refused for good.
    Refused {
        /// The cause.
        cause: String,
    },
}

impl Answer {
    /// Returns the meaning of a success.
    pub(super) fn success(response: ExportTraceServiceResponse) -> Self {
        let partial = response.partial_success.unwrap_or_default();
        Self::Taken {
            rejected: u64::try_from(partial.rejected_spans).unwrap_or(0),
            message: printable(&partial.error_message),
        }
    }

    /// Returns the absence of an answer, as after a broken connection.
    pub(super) fn absent(cause: &(dyn std::error::Error + 'static)) -> Self {
        Self::Again {
            after: None,
            cause: chain(cause),
        }
    }
}

/// Returns an error with its causes, each that its predecessor does not name already.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    printable(&text)
}

/// Returns a text of a destination as a terminal and a log can take it: short, and without control characters.
pub(super) fn printable(text: &str) -> String {
    let shown = text.chars().take(MAX_CHARS);
    let mut clean: String = shown
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if clean.len() < text.len() {
        clean.push('…');
    }
    clean
}

const MAX_CHARS: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_a_destination_is_short_and_harms_no_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\n"), "a [2Jb ");
        assert_eq!(printable(&"é".repeat(400)).chars().count(), MAX_CHARS + 1);
        assert_eq!(printable("fine"), "fine");
    }
}
