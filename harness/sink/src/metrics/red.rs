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
    places: HashMap<String, HashMap<String, usize>>,
    routes: Vec<Route>,
    series: usize,
    /// The last `tracestate`, and its weight.
    last_weight: Option<(String, Weight)>,
    /// The spans whose service was beyond the bounds, and those whose route alone was.
    pub(super) overflowed: [u64; 2],
    /// The spans that were kept although they were not sampled.
    pub(super) kept: u64,
}

/// A route of a service.
#[derive(Clone, Debug)]
struct Route {
    service: String,
    name: String,
    cells: Cells,
}

impl Red {
    /// Adds the new spans of a request.
    pub(super) fn add(&mut self, spans: &mut dyn Iterator<Item = NewSpan<'_>>) {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let at_millis = u64::try_from(now.as_millis()).unwrap_or_default();
        for span in spans {
            match span.is_kept {
                true => self.kept += 1,
                false => self.add_one(&span, at_millis),
            }
        }
    }

    fn add_one(&mut self, span: &NewSpan<'_>, at_millis: u64) {
        let weight = self.weight(span.trace_state);
        let exemplar = Exemplar {
            trace_id: span.trace_id,
            span_id: span.span_id,
            nanos: span.duration_nanos,
            at_millis,
        };
        let place = self.place(span.service, span.route.unwrap_or(span.name));
        let mut cell = self.cell(place, span);
        if cell.as_ref().is_some_and(|cell| cell.is_none()) {
            cell = self.new_cell(place, span);
        }
        if let Some(cell) = cell {
            cell.get_or_insert_default().add(weight, exemplar);
        }
    }

    /// Returns the weight of a span; neighbours have the same `tracestate` nearly always.
    fn weight(&mut self, trace_state: &str) -> Weight {
        if trace_state.is_empty() {
            return Weight::ONE;
        }
        match &self.last_weight {
            Some((last, weight)) if *last == trace_state => *weight,
            _ => {
                let weight = Weight::of(trace_state);
                self.last_weight = Some((trace_state.to_owned(), weight));
                weight
            }
        }
    }

    /// Returns the place of a route.
    fn place(&mut self, service: &str, route: &str) -> usize {
        let known = self.places.get(service).and_then(|it| it.get(route));
        match known {
            Some(place) => *place,
            None => self.new_place(service, route),
        }
    }

    /// Makes a place for a route, or returns that of what is beyond the bounds.
    fn new_place(&mut self, service: &str, route: &str) -> usize {
        let has_room = self.places.len() < MAX_SERVICES || self.places.contains_key(service);
        let service = if has_room { service } else { OTHER };
        self.overflowed[0] += u64::from(!has_room);
        let routes = self.places.entry(service.to_owned()).or_default();
        let has_room =
            routes.len() < MAX_ROUTES && route.len() <= MAX_ROUTE && self.series < MAX_SERIES
                || routes.contains_key(route);
        let route = if has_room { route } else { OTHER };
        self.overflowed[1] += u64::from(!has_room);
        if let Some(place) = routes.get(route) {
            return *place;
        }
        let place = self.routes.len();
        routes.insert(route.to_owned(), place);
        self.routes.push(Route {
            service: service.to_owned(),
            name: route.to_owned(),
            cells: Cells::default(),
        });
        place
    }

    fn cell(&mut self, place: usize, span: &NewSpan<'_>) -> Option<&mut Option<Box<Series>>> {
        let index = |number: i32, names: &[&str]| {
            let index = usize::try_from(number).ok();
            index.filter(|it| *it < names.len()).unwrap_or_default()
        };
        let route = self.routes.get_mut(place)?;
        let row = route.cells.get_mut(index(span.kind, &KINDS))?;
        row.get_mut(index(span.status, &STATUSES))
    }

    /// Returns an empty cell of a route, or where there are too many, that of all other routes of its service.
    fn new_cell(&mut self, place: usize, span: &NewSpan<'_>) -> Option<&mut Option<Box<Series>>> {
        let route = self.routes.get(place)?;
        let mut place = place;
        if self.series >= MAX_SERIES && route.name != OTHER {
            let service = route.service.clone();
            self.overflowed[1] += 1;
            place = self.place(&service, OTHER);
        }
        let is_new = self.cell(place, span)?.is_none();
        self.series += usize::from(is_new);
        self.cell(place, span)
    }

    /// Returns the number of sets of labels.
    pub(super) fn len(&self) -> usize {
        self.series
    }

    /// Returns each set of labels with its series, in alphabetical order: service, route, kind and status.
    pub(super) fn series(&self) -> Vec<([&str; 4], &Series)> {
        let mut all = Vec::with_capacity(self.series);
        for route in &self.routes {
            for (kind, row) in KINDS.iter().zip(&route.cells) {
                for (status, cell) in STATUSES.iter().zip(row) {
                    if let Some(series) = cell {
                        let labels = [route.service.as_str(), route.name.as_str(), kind, status];
                        all.push((labels, &**series));
                    }
                }
            }
        }
        all.sort_unstable_by_key(|(labels, _)| *labels);
        all
    }
}
