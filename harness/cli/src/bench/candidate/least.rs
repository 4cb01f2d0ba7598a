//! The least that a filter can do: the filter without an SDK, in each of its kinds of work.

use super::description::{Candidate, Group, RECEIVER, Work};
use crate::bench::least::LeastWork;

/// Returns the candidates with the least filter, in their order.
pub(super) fn all() -> [Candidate; 4] {
    let least = |name: &str, title: &str, work: LeastWork| Candidate {
        name: name.into(),
        title: title.into(),
        group: Group::Least,
        work: Work::Least(work, work.configuration(RECEIVER)),
        floor: None,
        own: None,
    };
    [
        least(
            LEAST_SAMPLED,
            "sampled: reads, writes traceparent, exports the span",
            LeastWork::Sampled,
        ),
        least(
            LEAST_UNSAMPLED,
            "not sampled: reads, writes traceparent",
            LeastWork::Unsampled,
        ),
        least(
            "least-unsampled-by-name",
            "not sampled: reads traceparent alone, writes it",
            LeastWork::UnsampledByName,
        ),
        least(
            LEAST_KEEP,
            "not sampled: the same, and looks at the status",
            LeastWork::Keep,
        ),
    ]
}

pub(super) const LEAST_SAMPLED: &str = "least-sampled";
pub(super) const LEAST_UNSAMPLED: &str = "least-unsampled";
pub(super) const LEAST_KEEP: &str = "least-keep";
