//! Prometheus' own tool: it runs the rules' tests, and parses every query.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::observability::files::{
    DASHBOARDS, RULES, linked_queries, list, path, queries, read, told_queries, yaml,
};

#[test]
#[cfg_attr(no_promtool, ignore = "no promtool (Debian: prometheus)")]
fn the_rules_do_what_their_tests_say() {
    for name in RULES {
        let test = path(&format!("rules/tests/{name}.yaml"));
        let ended = promtool(&["test", "rules"], &test);
        assert!(ended.status.success(), "{name}: {}", said(&ended));
    }
}

#[test]
#[cfg_attr(no_promtool, ignore = "no promtool (Debian: prometheus)")]
fn a_threshold_that_is_wrong_fails_its_test() {
    let folder = TempDir::new().expect("a folder");
    let rules = read("rules/sidespan.yaml");
    let wrong = rules.replace(
        "(sidespan_queue_spans) > 4096",
        "(sidespan_queue_spans) > 40960",
    );
    assert_ne!(rules, wrong);
    fs::create_dir(folder.path().join("tests")).expect("a folder");
    fs::write(folder.path().join("sidespan.yaml"), wrong).expect("a file");
    let test = folder.path().join("tests/sidespan.yaml");
    fs::copy(path("rules/tests/sidespan.yaml"), &test).expect("a file");
    let ended = promtool(&["test", "rules"], &test);
    assert!(!ended.status.success() && said(&ended).contains("SidespanQueueFills"));
}

#[test]
#[cfg_attr(no_promtool, ignore = "no promtool (Debian: prometheus)")]
fn every_query_of_rules_panels_links_and_runbooks_is_promql() {
    for name in RULES {
        let ended = promtool(&["check", "rules"], &path(&format!("rules/{name}.yaml")));
        assert!(ended.status.success(), "{name}: {}", said(&ended));
    }
    let panels = DASHBOARDS.iter().flat_map(|name| queries(name));
    let asked: Vec<_> = panels
        .chain(linked_queries())
        .chain(told_queries())
        .collect();
    assert!(asked.len() > 120, "{} queries", asked.len());
    let recorded = asked.iter().zip(0..).map(|(query, number)| {
        // The label tells the place where an expression is wrong.
        json!({"record": format!("query:{number}"), "expr": query.expression, "labels": {"place": query.place}})
    });
    let recorded: Vec<Value> = recorded.collect();
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("queries.json");
    let groups = json!({"groups": [{"name": "queries", "rules": recorded}]});
    fs::write(&file, groups.to_string()).expect("a file");
    let ended = promtool(&["check", "rules"], &file);
    assert!(ended.status.success(), "{}", said(&ended));
    assert!(said(&ended).contains(&format!("{} rules found", asked.len())));
}

#[test]
#[cfg_attr(no_promtool, ignore = "no promtool (Debian: prometheus)")]
fn the_scrapes_are_prometheus_own() {
    let mut whole = yaml("scrape/prometheus.yaml");
    // Debian's Prometheus is built without the discovery of Kubernetes.
    for job in whole["scrape_configs"].as_array_mut().expect("a list") {
        let discovery = job
            .as_object_mut()
            .expect("a job")
            .remove("kubernetes_sd_configs");
        assert!(discovery.is_some());
        job["static_configs"] = json!([{"targets": ["127.0.0.1:9"]}]);
    }
    let files = list(&whole["rule_files"]).iter().filter_map(Value::as_str);
    let files = files.map(|file| {
        path(&format!(
            "rules/{}",
            file.rsplit('/').next().expect("a name")
        ))
    });
    whole["rule_files"] = files.map(|file| file.display().to_string()).collect();
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("prometheus.json");
    fs::write(&file, whole.to_string()).expect("a file");
    let ended = promtool(&["check", "config"], &file);
    assert!(ended.status.success(), "{}", said(&ended));
}

fn promtool(arguments: &[&str], file: &Path) -> Output {
    let mut command = Command::new("promtool");
    command.args(arguments).arg(file);
    command.output().expect("promtool runs")
}

fn said(ended: &Output) -> String {
    let both = [&ended.stdout[..], &ended.stderr[..]].concat();
    String::from_utf8_lossy(&both).into_owned()
}
