//! Requests, errors and durations by service, route, kind and status.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use super::sampling::Weight;
use super::series::{Exemplar, Series};
use crate::store::NewSpan;

/// The services that have labels of their own.
pub(super) const MAX_SERVICES: usize = 200;

/// The routes of one service that have labels of their own.
pub(super) const MAX_ROUTES: usize = 100;

/// The sets of labels, each of 15 buckets.
pub(super) const MAX_SERIES: usize = 4_000;

/// The length of a route, in bytes, beyond which it has no label of its own.
const MAX_ROUTE: usize = 200;

/// The label of all that is beyond the bounds.
pub(super) const OTHER: &str = "_other";

/// The names of OTLP's numbers; a number of a later protocol is shown as the first.
pub(super) const KINDS: [&str; 6] = [
    "unspecified",
    "internal",
    "server",
    "client",
    "producer",
    "consumer",
];
pub(super) const STATUSES: [&str; 3] = ["unset", "ok", "error"];

type Cells = [[Option<Box<Series>>; STATUSES.len()]; KINDS.len()];

/// The counts since the start.
#[derive(Clone, Debug, Default)]
pub(super) struct Red {
    services: HashMap<String, HashMap<String, Cells>>,
    series: usize,
    /// The spans whose service was beyond the bounds, and those whose route alone was.
    pub(super) overflowed: [u64; 2],
    /// The spans that were kept although they were not sampled.
    pub(super) kept: u64,
}

impl Red {
    /// Adds the new spans of a request.
    pub(super) fn add(&mut self, spans: &mut dyn Iterator<Item = NewSpan<'_>>) {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let at_millis = u64::try_from(now.as_millis()).unwrap_or_default();
        for span in spans {
            self.add_one(&span, at_millis);
        }
    }

    fn add_one(&mut self, span: &NewSpan<'_>, at_millis: u64) {
        if span.is_kept {
            self.kept += 1;
            return;
        }
        let has_room = self.services.len() < MAX_SERVICES;
        let routes = match self.services.get_mut(span.service) {
            Some(routes) => routes,
            None if has_room => self.services.entry(span.service.to_owned()).or_default(),
            None => {
                self.overflowed[0] += 1;
                self.services.entry(OTHER.to_owned()).or_default()
            }
        };
        let route = span.route.as_deref().unwrap_or(span.name);
        let has_room =
            routes.len() < MAX_ROUTES && route.len() <= MAX_ROUTE && self.series < MAX_SERIES;
        // Two look-ups in the rare case, and one in all others.
        let is_known = routes.contains_key(route);
        let route = if is_known || has_room { route } else { OTHER };
        if route == OTHER && !is_known {
            self.overflowed[1] += 1;
        }
        let cells = match is_known {
            true => routes.get_mut(route),
            false => Some(routes.entry(route.to_owned()).or_default()),
        };
        let kind = usize::try_from(span.kind)
            .ok()
            .filter(|kind| *kind < KINDS.len());
        let status = usize::try_from(span.status)
            .ok()
            .filter(|status| *status < STATUSES.len());
        let cell = cells
            .and_then(|cells| cells.get_mut(kind.unwrap_or_default()))
            .and_then(|row| row.get_mut(status.unwrap_or_default()));
        let Some(cell) = cell else { return };
        if cell.is_none() {
            self.series += 1;
        }
        cell.get_or_insert_default().add(
            Weight::of(span.trace_state),
            Exemplar {
                trace_id: span.trace_id,
                span_id: span.span_id,
                nanos: span.duration_nanos,
                at_millis,
            },
        );
    }

    /// Returns the number of sets of labels.
    pub(super) fn len(&self) -> usize {
        self.series
    }

    /// Returns each set of labels with its series, in alphabetical order: service, route, kind and status.
    pub(super) fn series(&self) -> Vec<([&str; 4], &Series)> {
        let mut all = Vec::with_capacity(self.series);
        for (service, routes) in &self.services {
            for (route, cells) in routes {
                for (kind, row) in KINDS.iter().zip(cells) {
                    for (status, cell) in STATUSES.iter().zip(row) {
                        if let Some(series) = cell {
                            all.push(([service.as_str(), route, kind, status], &**series));
                        }
                    }
                }
            }
        }
        all.sort_unstable_by_key(|(labels, _)| *labels);
        all
    }
}
