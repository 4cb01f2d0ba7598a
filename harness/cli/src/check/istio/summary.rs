//! The result of Istio's settings: a percentage for all workloads that the files name, and plugins that give the filter
//! the same.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::resolve::{Istio, PILOT_DEFAULT, Side};
use super::settings::{Labels, Mode, Settings, Workload, written};
use super::translate::{Groups, Plugin, is_off, plugins, rate};

/// Istio's settings, resolved.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// The root namespace.
    pub root: String,
    /// True if Istio's tracer is turned off everywhere.
    pub off: bool,
    /// One row for the mesh and for each namespace, and one for each group of workloads that differs from its
    /// namespace.
    pub workloads: Vec<Row>,
    /// Plugins that give the filter the same percentages.
    pub plugins: Vec<Plugin>,
}

impl Summary {
    /// Returns true if Istio's settings only turn its tracer off, so that there is no percentage to take over: in the
    /// whole mesh, or in namespaces of which each has a plugin of ours among the files (`installed`).
    pub(in crate::check) fn is_only_off(&self, installed: &BTreeSet<&str>) -> bool {
        let is_silent = |row: &Row, side: &Percentage| {
            let is_ours = || {
                row.namespace
                    .as_deref()
                    .is_some_and(|own| installed.contains(own))
            };
            side.by == PILOT_DEFAULT || (side.by == OFF && is_ours())
        };
        let is_off_somewhere = |row: &Row| row.client.by == OFF || row.server.by == OFF;
        (self.off || self.workloads.iter().any(is_off_somewhere))
            && self
                .workloads
                .iter()
                .all(|row| is_silent(row, &row.client) && is_silent(row, &row.server))
    }
}

/// A group of workloads, and its percentages.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// Namespace of the workloads; `None` for namespaces that no setting names, and for a workload without one.
    pub namespace: Option<String>,
    /// `Deployment cart`, `app=cart`, or `None` for all others of the namespace.
    pub workload: Option<String>,
    /// Percentage of the requests that the workloads send.
    pub client: Percentage,
    /// Percentage of the requests that the workloads receive.
    pub server: Percentage,
}

/// Istio's percentage on one side.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Percentage {
    /// Percentage of new traces, which the filter has to be given.
    pub percentage: f64,
    /// Source of the percentage.
    pub by: String,
    /// True if Istio's own tracer runs there, as far as the files show.
    pub native: bool,
}

impl Summary {
    /// Resolves all settings; `None` where none of them is Istio's.
    pub fn of(settings: &Settings) -> Option<Self> {
        if !settings.has_istio() {
            return None;
        }
        let istio = Istio::new(settings);
        let groups = Groups::of(settings);
        let is_off = is_off(&istio, &groups);
        let none = Labels::new();
        let mut by_namespace = BTreeMap::<&str, Vec<_>>::new();
        for workload in &settings.workloads {
            if let Some(namespace) = &workload.namespace {
                let list = by_namespace.entry(namespace).or_default();
                list.push(workload);
            }
        }
        let row = |namespace: Option<&str>, workload: Option<String>, labels: &Labels| {
            let side = |mode| percentage(&istio.side(namespace, labels, mode), is_off);
            Row {
                namespace: namespace.map(Into::into),
                workload,
                client: side(Mode::Client),
                server: side(Mode::Server),
            }
        };
        let of_workload = |workload: &Workload, name: String| {
            let side = |mode| percentage(&istio.side_of(workload, mode), is_off);
            Row {
                namespace: workload.namespace.clone(),
                workload: Some(name),
                client: side(Mode::Client),
                server: side(Mode::Server),
            }
        };
        let mut rows = vec![row(None, None, &none)];
        for namespace in &groups.namespaces {
            let whole = row(Some(namespace), None, &none);
            let differs = |row: &Row| row.client != whole.client || row.server != whole.server;
            let selectors: BTreeSet<_> = settings
                .telemetries
                .iter()
                .filter(|telemetry| telemetry.namespace.as_ref() == Some(namespace))
                .filter_map(|telemetry| telemetry.selector.as_ref())
                .collect();
            let selected = selectors
                .into_iter()
                .map(|selector| row(Some(namespace), Some(written(selector)), selector));
            let workloads = by_namespace.get(namespace.as_str()).into_iter().flatten();
            let workloads = workloads.map(|workload| {
                let name = workload
                    .place
                    .name
                    .replacen(&format!("{namespace}/"), "", 1);
                of_workload(workload, name)
            });
            let differing: Vec<_> = selected.chain(workloads).filter(differs).collect();
            rows.push(whole);
            rows.extend(differing);
        }
        let unplaced = settings
            .workloads
            .iter()
            .filter(|workload| workload.namespace.is_none() && workload.tracing.is_some());
        rows.extend(unplaced.map(|workload| of_workload(workload, workload.place.name.clone())));
        Some(Self {
            root: istio.root().into(),
            off: is_off,
            workloads: rows,
            plugins: plugins(&istio, settings),
        })
    }
}

fn percentage(side: &Side<'_>, is_off: bool) -> Percentage {
    let by = match side.disabled && !is_off {
        true => OFF.into(),
        false => side.by.clone(),
    };
    Percentage {
        percentage: rate(side, is_off),
        by,
        native: side.native.is_some(),
    }
}

/// The source of a percentage where Istio's tracer is turned off.
const OFF: &str = "disableSpanReporting";
