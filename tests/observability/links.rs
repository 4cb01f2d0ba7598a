//! Links: between data sources both ways, from dashboards to each other, from kustomizations to files.

use std::collections::BTreeSet;

use serde_json::Value;

use super::files::{DASHBOARDS, RULES, dashboard, list, path, yaml};

/// Returns a data source by its type.
fn source(sources: &Value, kind: &str) -> Value {
    let mut all = list(&sources["datasources"]).iter();
    all.find(|it| it["type"] == kind).expect(kind).clone()
}

#[test]
fn metrics_traces_and_logs_lead_to_each_other() {
    let sources = yaml("grafana/datasources.yaml");
    let [prometheus, tempo, jaeger, loki] =
        ["prometheus", "tempo", "jaeger", "loki"].map(|kind| source(&sources, kind));
    let uids = |of: &Value, pointer: &str| -> BTreeSet<String> {
        let links = of["jsonData"].pointer(pointer).expect(pointer);
        let text = links.to_string();
        let found = text.split("\"datasourceUid\":\"").skip(1);
        found
            .map(|rest| rest.split('"').next().expect("a uid").to_owned())
            .collect()
    };
    let uid = |of: &Value| of["uid"].as_str().expect("a uid").to_owned();
    let stores = BTreeSet::from([uid(&tempo), uid(&jaeger)]);
    assert_eq!(uids(&prometheus, "/exemplarTraceIdDestinations"), stores);
    assert_eq!(uids(&loki, "/derivedFields"), stores);
    for store in [&tempo, &jaeger] {
        assert_eq!(uids(store, "/tracesToLogsV2"), BTreeSet::from([uid(&loki)]));
        assert_eq!(
            uids(store, "/tracesToMetrics"),
            BTreeSet::from([uid(&prometheus)])
        );
    }
}

#[test]
fn dashboards_lead_to_each_other_and_ask_the_provisioned_prometheus() {
    let prometheus = source(&yaml("grafana/datasources.yaml"), "prometheus")["uid"].clone();
    let all = DASHBOARDS.map(dashboard);
    let uids: BTreeSet<&str> = all.iter().filter_map(|it| it["uid"].as_str()).collect();
    assert_eq!(uids.len(), all.len());
    for one in &all {
        let links = list(&one["links"]);
        assert_eq!(links.len(), all.len() - 1);
        for link in links {
            let url = link["url"].as_str().expect("a URL");
            assert!(
                url.strip_prefix("/d/")
                    .is_some_and(|uid| uids.contains(uid)),
                "{url}"
            );
        }
        let variables = list(&one["templating"]["list"]);
        assert_eq!(variables[0]["current"]["value"], prometheus);
        let panels = list(&one["panels"]);
        let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64()).collect();
        assert_eq!(ids.len(), panels.len(), "ids");
        for panel in panels.iter().filter(|panel| panel["type"] != "row") {
            assert_eq!(
                panel["datasource"]["uid"], "${datasource}",
                "{}",
                panel["title"]
            );
        }
    }
}

#[test]
fn durations_of_the_mesh_have_exemplars() {
    let mesh = dashboard("mesh");
    let with = list(&mesh["panels"]).iter().filter(|panel| {
        let targets = panel["targets"].as_array();
        targets.is_some_and(|all| all.iter().any(|it| it["exemplar"] == true))
    });
    assert_eq!(with.count(), 2);
}

#[test]
fn kustomize_and_prometheus_name_files_that_are_there() {
    let whole = yaml("kustomization.yaml");
    let resources = list(&whole["resources"]).iter();
    let generated = list(&whole["configMapGenerator"]).iter();
    let files = resources.chain(generated.flat_map(|it| list(&it["files"])));
    for file in files {
        assert!(path(file.as_str().expect("a path")).is_file(), "{file}");
    }
    let loaded = yaml("scrape/prometheus.yaml");
    let loaded = list(&loaded["rule_files"]).iter().filter_map(Value::as_str);
    let names = RULES.map(|name| format!("/etc/prometheus/rules/{name}.yaml"));
    assert_eq!(Vec::from_iter(loaded), names);
}

#[test]
fn both_ways_of_scraping_have_the_same_jobs() {
    let jobs = yaml("scrape/prometheus.yaml");
    let jobs = list(&jobs["scrape_configs"]).iter();
    let jobs: Vec<_> = jobs.map(|job| job["job_name"].clone()).collect();
    let text = super::files::read("scrape/podmonitors.yaml");
    let monitors: Vec<Value> = serde_saphyr::from_multiple(&text).expect("YAML");
    let names: Vec<_> = monitors
        .iter()
        .map(|it| it["metadata"]["name"].clone())
        .collect();
    assert_eq!(names, jobs);
}
