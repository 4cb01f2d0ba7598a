//! Groups of workloads that may differ from others: those of a namespace, and those that selectors pick, alone or
//! together.

use std::collections::{BTreeMap, BTreeSet};

use crate::check::istio::resolve::fits;
use crate::check::istio::settings::{Labels, Mode, Settings};

/// The groups of workloads in Istio's settings.
pub(in crate::check) struct Groups {
    /// Namespaces that a setting names.
    pub(in crate::check) namespaces: BTreeSet<String>,
    /// Selectors and their overlaps, by namespace.
    pub(in crate::check) selectors: BTreeMap<String, BTreeSet<Labels>>,
    /// True if there are too many overlaps to look at them all.
    pub(in crate::check) is_cut: bool,
}

impl Groups {
    pub(in crate::check) fn of(settings: &Settings) -> Self {
        let telemetries = settings
            .telemetries
            .iter()
            .filter_map(|telemetry| telemetry.namespace.as_ref());
        let workloads = settings
            .workloads
            .iter()
            .filter_map(|workload| workload.namespace.as_ref());
        let mut selectors = BTreeMap::<String, BTreeSet<Labels>>::new();
        let mut is_cut = false;
        let selected = settings.telemetries.iter().filter_map(|telemetry| {
            Some((telemetry.namespace.as_ref()?, telemetry.selector.as_ref()?))
        });
        let annotated = settings
            .workloads
            .iter()
            .filter(|workload| workload.tracing.is_some() && !workload.selector.is_empty())
            .filter_map(|workload| Some((workload.namespace.as_ref()?, &workload.selector)));
        for (namespace, selector) in selected.chain(annotated) {
            let known = selectors.entry(namespace.clone()).or_default();
            let unions: Vec<_> = known
                .iter()
                .filter_map(|other| union(selector, other))
                .collect();
            known.insert(selector.clone());
            if !unions.is_empty() && known.len() + unions.len() > MAX_GROUPS {
                is_cut = true;
            } else {
                known.extend(unions);
            }
        }
        Self {
            namespaces: telemetries.chain(workloads).cloned().collect(),
            selectors,
            is_cut,
        }
    }
}

/// A group of workloads that needs a plugin: the number of selectors that fit, its labels, and the percentage of both
/// sides, or of those that need one.
pub(super) type Differing<'a> = (usize, &'a Labels, Vec<(Option<Mode>, f64)>);

/// Returns the groups whose percentage differs from that of the group below, or of the namespace where no group is
/// below.
pub(super) fn differing(
    selectors: &BTreeSet<Labels>,
    rate: impl Fn(&Labels, Mode) -> f64,
) -> Vec<Differing<'_>> {
    let mut ranked: Vec<_> = selectors
        .iter()
        .map(|labels| (rank(selectors, labels), labels))
        .collect();
    ranked.sort();
    let mut groups: Vec<Differing<'_>> = Vec::new();
    for (rank, labels) in ranked {
        let is_needed = |mode: Mode, own: f64| {
            let of_mode = |rates: &[(Option<Mode>, f64)]| {
                let mut fitting = rates
                    .iter()
                    .filter(|(side, _)| side.is_none_or(|side| side == mode));
                fitting.next().map(|(_, percentage)| *percentage)
            };
            let below: Vec<_> = groups
                .iter()
                .filter(|(_, other, _)| fits(other, labels))
                .filter_map(|(rank, _, rates)| Some((*rank, of_mode(rates)?)))
                .collect();
            match below.iter().map(|(rank, _)| *rank).max() {
                Some(highest) => below
                    .iter()
                    .any(|(rank, other)| *rank == highest && !is_same(*other, own)),
                None => !is_same(rate(&Labels::new(), mode), own),
            }
        };
        let own = Mode::ALL.map(|mode| (mode, rate(labels, mode)));
        let needed: Vec<_> = own
            .into_iter()
            .filter(|(mode, own)| is_needed(*mode, *own))
            .collect();
        let [(_, client), (_, server)] = own;
        let rates = match needed.as_slice() {
            [] => continue,
            // One plugin for both sides is less to look after, even where one side would do.
            _ if is_same(client, server) => vec![(None, client)],
            _ => needed
                .into_iter()
                .map(|(mode, own)| (Some(mode), own))
                .collect(),
        };
        groups.push((rank, labels, rates));
    }
    groups
}

/// Returns the number of selectors that fit: of two sets of labels of which one contains the other, the larger has
/// more.
fn rank(selectors: &BTreeSet<Labels>, labels: &Labels) -> usize {
    selectors
        .iter()
        .filter(|selector| fits(selector, labels))
        .count()
}

/// Returns all labels of both sets; `None` where no workload can have them all.
fn union(one: &Labels, other: &Labels) -> Option<Labels> {
    let mut all = one.clone();
    for (name, value) in other {
        if all
            .insert(name.clone(), value.clone())
            .is_some_and(|had| had != *value)
        {
            return None;
        }
    }
    Some(all)
}

pub(super) fn is_same(one: f64, other: f64) -> bool {
    one.total_cmp(&other).is_eq()
}

/// Limit of groups in one namespace, beyond any real overlap of selectors.
const MAX_GROUPS: usize = 256;
