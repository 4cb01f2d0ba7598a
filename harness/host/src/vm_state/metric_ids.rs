//! The metric ids of one VM. The low two bits of an id are the kind, as in Envoy; the values are process-wide.

use std::collections::BTreeMap;

/// The kind of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MetricKind {
    Counter,
    Gauge,
    Histogram,
}

impl MetricKind {
    pub(crate) fn from_wire(kind: u32) -> Option<Self> {
        match kind {
            0 => Some(Self::Counter),
            1 => Some(Self::Gauge),
            2 => Some(Self::Histogram),
            _ => None,
        }
    }

    /// Returns the kind in an id's low bits; `None` for the fourth pattern of two bits.
    pub(crate) fn of_id(id: u32) -> Option<Self> {
        Self::from_wire(id & 3)
    }

    fn bits(self) -> u32 {
        match self {
            Self::Counter => 0,
            Self::Gauge => 1,
            Self::Histogram => 2,
        }
    }
}

/// One metric that this VM has defined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Metric {
    pub(crate) kind: MetricKind,
    pub(crate) name: String,
}

/// The ids so far: counters 4, 8, …; gauges 5, 9, …; histograms 6, 10, ….
#[derive(Debug, Default)]
pub(crate) struct MetricIds {
    given: [u32; 3],
    metrics: BTreeMap<u32, Metric>,
}

impl MetricIds {
    /// Defines a metric and returns a new id. A name that is defined again gets another id for the same metric.
    pub(crate) fn define(&mut self, metric: Metric) -> u32 {
        let bits = metric.kind.bits();
        let given = match metric.kind {
            MetricKind::Counter => &mut self.given[0],
            MetricKind::Gauge => &mut self.given[1],
            MetricKind::Histogram => &mut self.given[2],
        };
        *given += 4;
        let id = *given + bits;
        self.metrics.insert(id, metric);
        id
    }

    pub(crate) fn find(&self, id: u32) -> Option<&Metric> {
        self.metrics.get(&id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_ids_as_envoy_does() {
        let mut ids = MetricIds::default();
        let mut define = |kind| {
            ids.define(Metric {
                kind,
                name: "same".into(),
            })
        };
        assert_eq!(
            [define(MetricKind::Counter), define(MetricKind::Counter)],
            [4, 8]
        );
        assert_eq!(
            [define(MetricKind::Gauge), define(MetricKind::Gauge)],
            [5, 9]
        );
        assert_eq!(
            [define(MetricKind::Histogram), define(MetricKind::Histogram)],
            [6, 10]
        );
    }

    #[test]
    fn reads_the_kind_out_of_an_id() {
        let kinds = [4, 5, 6, 7].map(MetricKind::of_id);
        let [counter, gauge, histogram] = [
            MetricKind::Counter,
            MetricKind::Gauge,
            MetricKind::Histogram,
        ];
        assert_eq!(kinds, [Some(counter), Some(gauge), Some(histogram), None]);
    }
}
