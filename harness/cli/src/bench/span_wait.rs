//! The number of spans that a receiver is waited for. A span that a tracer has lost never comes: one round waits for it
//! and the report counts it as missing, but no later round waits again.

/// The spans of one candidate, sent and lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SpanWait {
    sent: u64,
    lost: u64,
}

impl SpanWait {
    /// Adds requests, each of which is to become a span.
    pub(super) fn send(&mut self, requests: u64) {
        self.sent += requests;
    }

    /// Returns the number of all requests.
    pub(super) fn sent(self) -> u64 {
        self.sent
    }

    /// Returns the number of spans that are due, of which the last `late` may come later.
    pub(super) fn due(self, late: u64) -> u64 {
        self.sent.saturating_sub(late).saturating_sub(self.lost)
    }

    /// Counts the due spans that have not come in time as lost.
    pub(super) fn give_up(&mut self, received: u64, late: u64) {
        self.lost += self.due(late).saturating_sub(received);
    }
}

#[cfg(test)]
mod tests {
    use super::SpanWait;

    #[test]
    fn waits_once_for_what_never_comes() {
        let mut awaited = SpanWait::default();
        awaited.send(100);
        assert_eq!(awaited.due(4), 96);
        awaited.give_up(98, 4);
        assert_eq!(awaited.due(4), 96, "nothing is missing");
        awaited.give_up(91, 4);
        awaited.send(100);
        assert_eq!(awaited.due(4), 191);
        awaited.give_up(191, 4);
        assert_eq!((awaited.due(4), awaited.due(0)), (191, 195));
        assert_eq!(awaited.sent(), 200);
    }
}
