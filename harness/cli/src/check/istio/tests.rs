//! Istio's settings, resolved here and by a second reading of istiod's source.

mod istiod;
mod percentages;
mod random_meshes;

use super::resolve::Istio;
use super::settings::{Note, Settings};
use super::summary::Summary;
use crate::check::input::document::Document;

/// Reads documents as files are read.
fn read_into(settings: &mut Settings, text: &str) {
    let documents = Document::parse("-", text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    for (index, tree) in documents.iter().enumerate() {
        settings.read(0, index + 1, tree);
    }
}

fn read(text: &str) -> Settings {
    let mut settings = Settings::default();
    read_into(&mut settings, text);
    settings
}

/// Returns who gets which percentage, as `shop, app=cart: 5`, with both sides where they differ.
fn rows(settings: &Settings) -> Vec<String> {
    let summary = Summary::of(settings);
    let rows = summary.into_iter().flat_map(|summary| summary.workloads);
    rows.map(|row| {
        let who = [row.namespace, row.workload].into_iter().flatten();
        let who = who.collect::<Vec<_>>().join(", ");
        let (client, server) = (row.client.percentage, row.server.percentage);
        match client.total_cmp(&server).is_eq() {
            true => format!("{who}: {client}"),
            false => format!("{who}: {client}/{server}"),
        }
    })
    .collect()
}

fn told(notes: &[Note]) -> Vec<String> {
    notes
        .iter()
        .map(|note| format!("{:?}: {}: {}", note.weight, note.place.path, note.message))
        .collect()
}

#[test]
fn the_root_namespace_is_the_options_then_the_meshs_then_the_charts() {
    let helm = "global: {istioNamespace: of-chart}";
    let both = "global: {istioNamespace: of-chart}\nmeshConfig: {rootNamespace: of-mesh}";
    for (text, option, expected) in [
        ("", None, "istio-system"),
        (helm, None, "of-chart"),
        (both, None, "of-mesh"),
        ("{rootNamespace: of-mesh}", None, "of-mesh"),
        ("{rootNamespace: ''}", None, "istio-system"),
        (both, Some("asked"), "asked"),
        (
            "kind: IstioOperator\nspec: {values: {global: {istioNamespace: of-chart}}, meshConfig: {enableTracing: true}}",
            None,
            "of-chart",
        ),
    ] {
        let mut settings = Settings::with_root(option.map(str::to_owned));
        read_into(&mut settings, text);
        assert_eq!(Istio::new(&settings).root(), expected, "{text}");
    }
    // The namespace of the chart alone is a setting, and no percentage.
    assert_eq!(rows(&read(helm)), [""; 0]);
}
