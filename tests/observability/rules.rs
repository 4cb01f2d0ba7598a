//! The rules and their tests: each alert fires in one and is silent in another, leads to a runbook, and stands in every form that is shipped.

use std::collections::BTreeMap;
use std::{env, fs};

use regex::Regex;
use serde_json::Value;

use super::files::{DASHBOARDS, RULES, Rule, dashboard, list, path, read, rules, yaml};
use super::names::{Selected, selected};

#[test]
fn every_alert_fires_in_one_test_and_is_silent_in_another() {
    for file in RULES {
        let mut fires = BTreeMap::new();
        let mut silent = BTreeMap::new();
        let text = yaml(&format!("rules/tests/{file}.yaml"));
        for test in list(&text["tests"]) {
            for alert in list(&test["alert_rule_test"]) {
                let name = alert["alertname"].as_str().expect("an alert");
                let is_silent = list(&alert["exp_alerts"]).is_empty();
                let tests = if is_silent { &mut silent } else { &mut fires };
                tests.entry(name.to_owned()).or_insert(test.clone());
            }
        }
        let alerts: Vec<Rule> = rules().into_iter().filter(|it| it.file == file).collect();
        for rule in alerts.iter().filter(|rule| rule.is_alert) {
            assert!(fires.contains_key(&rule.name), "{} never fires", rule.name);
            let test = silent.get(&rule.name);
            let test = test.unwrap_or_else(|| panic!("{} is never silent", rule.name));
            assert!(
                has_its_series(rule, test, &alerts),
                "{}: silent for lack of series",
                rule.name
            );
        }
    }
}

/// Tells whether a test has series of the metrics that an alert asks for, or that those which it asks for are recorded from.
fn has_its_series(rule: &Rule, test: &Value, all: &[Rule]) -> bool {
    let mut asked = selected(&rule.expression);
    for other in all.iter().filter(|other| !other.is_alert) {
        if asked.contains(&Selected::Name(other.name.clone())) {
            asked.extend(selected(&other.expression));
        }
    }
    list(&test["input_series"]).iter().any(|series| {
        let text = series["series"].as_str().expect("a series");
        let name = text.split('{').next().expect("a name");
        asked.iter().any(|it| match it {
            Selected::Name(asked) => asked == name,
            Selected::Pattern(pattern) => {
                let pattern = Regex::new(&format!("^(?:{pattern})$")).expect("a pattern");
                pattern.is_match(name)
            }
        })
    })
}

#[test]
fn every_alert_has_a_severity_and_leads_to_a_section_of_the_runbooks() {
    let sections = anchors(&read("runbooks.md"));
    for rule in rules().iter().filter(|rule| rule.is_alert) {
        let severity = rule.whole["labels"]["severity"]
            .as_str()
            .expect("a severity");
        assert!(
            ["info", "warning", "critical"].contains(&severity),
            "{}",
            rule.name
        );
        let url = rule.whole["annotations"]["runbook_url"].as_str();
        let anchor = url.and_then(|url| url.strip_prefix("istio/observability/runbooks.md#"));
        let anchor = anchor.unwrap_or_else(|| panic!("{}: no runbook", rule.name));
        assert!(
            sections.contains(&anchor.to_owned()),
            "{}: {anchor}",
            rule.name
        );
    }
}

#[test]
fn the_runbooks_table_leads_to_each_of_its_sections() {
    let text = read("runbooks.md");
    for anchor in anchors(&text) {
        assert!(text.contains(&format!("](#{anchor}) |")), "{anchor}");
    }
}

#[test]
fn every_panel_that_the_runbooks_name_is_on_a_dashboard() {
    let titles: Vec<String> = DASHBOARDS
        .iter()
        .flat_map(|name| list(&dashboard(name)["panels"]).to_vec())
        .map(|panel| panel["title"].as_str().expect("a title").to_owned())
        .collect();
    let text = read("runbooks.md");
    // Bold words that are no title begin a sentence of their own.
    let bold = text.split("**").skip(1).step_by(2);
    let named: Vec<&str> = bold
        .filter(|it| !it.contains("500") && *it != "behind")
        .collect();
    assert!(named.len() > 12, "{named:?}");
    for name in named {
        let is_other = ["bold", "decisions"].contains(&name);
        assert!(
            is_other || titles.iter().any(|title| title == name),
            "no panel {name}"
        );
    }
}

/// Returns the anchors of the sections, as renderers of Markdown make them.
fn anchors(text: &str) -> Vec<String> {
    let titles = text.lines().filter_map(|line| line.strip_prefix("## "));
    titles
        .map(|title| title.to_lowercase().replace(' ', "-"))
        .collect()
}

#[test]
fn the_operators_resource_has_the_same_rules() {
    let file = "rules/prometheusrule.yaml";
    let written = read(file);
    let (head, _) = written.split_once("\n  groups:\n").expect("its head");
    let mut whole = format!("{head}\n  groups:\n");
    for name in RULES {
        let text = read(&format!("rules/{name}.yaml"));
        let (_, groups) = text.split_once("\ngroups:\n").expect("groups");
        for line in groups.lines() {
            let indent = if line.is_empty() { "" } else { "  " };
            whole += &format!("{indent}{line}\n");
        }
    }
    if env::var_os("SIDESPAN_UPDATE").is_some() {
        fs::write(path(file), &whole).expect("a file of the project");
    }
    assert!(
        written == whole,
        "{file} differs: SIDESPAN_UPDATE=1 writes it"
    );
}
