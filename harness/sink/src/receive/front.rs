//! The numbers of what arrives, for the metrics.

use super::received::Received;
use crate::metrics::Front;

/// Returns the numbers with the labels that they are told under.
pub(super) fn front(received: &Received) -> Front {
    Front {
        connections: [
            ("taken", received.connections),
            ("refused", received.refused_connections),
            ("failed_handshake", received.failed_handshakes),
        ],
        refused: [
            ("unauthenticated", received.unauthenticated),
            ("broken", received.broken),
            ("too_large", received.too_large),
            ("busy", received.busy),
            ("slow", received.slow),
            ("unavailable", received.unavailable),
            ("bad_question", received.bad_questions),
            ("foreign", received.foreign),
        ],
        dropped: [
            ("logs", received.log_records),
            ("metrics", received.data_points),
        ],
        zipkin_spans: received.zipkin_spans,
    }
}
