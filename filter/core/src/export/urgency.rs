//! On what occasion spans may be sent.

/// On what occasion a sender asks, which tells when it will ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// The tick.
    Tick,
    /// An answer has come. There is still the tick, so only what must not wait for it goes now; otherwise each answer
    /// would take along what little has come in since the last.
    Answer,
    /// The end: whatever there is goes, batch by batch, but no earlier than a collector that refuses may be asked again.
    Drain,
}
