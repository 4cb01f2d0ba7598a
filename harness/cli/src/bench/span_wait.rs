//! How many spans a receiver is waited for. One that a tracer has lost never comes: it is waited for once, and told of in the end,
//! but no later round is held up by it again.

/// The spans of one candidate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SpanWait {
    sent: u64,
    lost: u64,
}

impl SpanWait {
    /// So many requests more were sent, each of which is to become a span.
    pub(super) fn send(&mut self, requests: u64) {
        self.sent += requests;
    }

    /// All that were sent.
    pub(super) fn sent(self) -> u64 {
        self.sent
    }

    /// How many are to have come, of which the last few may be late.
    pub(super) fn due(self, late: u64) -> u64 {
        self.sent.saturating_sub(late).saturating_sub(self.lost)
    }

    /// No more than these have come in time.
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
