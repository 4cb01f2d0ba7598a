//! The statistics of a proxy, in the bytes in which Envoy hands them to a filter.

use crate::host_call::word;

/// Counters and gauges at one moment, for `envoy_on_stats_update`.
///
/// ```
/// use sidespan_host::Statistics;
///
/// let statistics = Statistics::new().counter("requests", 12, 2).gauge("connections", 3);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Statistics {
    counters: Vec<(String, [u64; 2])>,
    gauges: Vec<(String, [u64; 1])>,
}

impl Statistics {
    /// Returns no statistics.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a counter: its value, and by how much it has grown since the last update.
    pub fn counter(mut self, name: impl Into<String>, value: u64, growth: u64) -> Self {
        self.counters.push((name.into(), [value, growth]));
        self
    }

    /// Adds a gauge.
    pub fn gauge(mut self, name: impl Into<String>, value: u64) -> Self {
        self.gauges.push((name.into(), [value]));
        self
    }

    /// Returns a block of counters (type 1) and one of gauges (type 2): the size of the block, its type, the number of
    /// entries; for each the length of its name, the name, zeros up to a multiple of 8 bytes, and the values.
    ///
    /// Envoy writes the sizes before the values are aligned, and counts those of gauges twice, so that zeros end the whole.
    pub(super) fn encode(&self) -> Vec<u8> {
        const COUNTERS: u32 = 1;
        const GAUGES: u32 = 2;
        let size_of_counters = self.counters.iter().fold(HEAD, |size, (name, values)| {
            (size + 4 + name.len() + 8 * values.len()).next_multiple_of(8)
        });
        let size_of_gauges = self.gauges.iter().fold(HEAD, |size, (name, values)| {
            let size = size + 4 + name.len();
            size + (size + 8 * values.len()).next_multiple_of(8)
        });
        let mut bytes = Vec::new();
        block(&mut bytes, size_of_counters, COUNTERS, &self.counters);
        block(&mut bytes, size_of_gauges, GAUGES, &self.gauges);
        bytes.resize(size_of_counters + size_of_gauges, 0);
        bytes
    }
}

fn block<const COUNT: usize>(
    bytes: &mut Vec<u8>,
    size: usize,
    kind: u32,
    entries: &[(String, [u64; COUNT])],
) {
    for number in [word(size), kind, word(entries.len())] {
        bytes.extend(number.to_le_bytes());
    }
    for (name, values) in entries {
        bytes.extend(word(name.len()).to_le_bytes());
        bytes.extend(name.bytes());
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        values
            .iter()
            .for_each(|value| bytes.extend(value.to_le_bytes()));
    }
}

/// The bytes of three numbers.
const HEAD: usize = 12;
