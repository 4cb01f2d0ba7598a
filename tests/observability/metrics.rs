//! The metrics of rules, panels, links and runbooks: each exists, and none of the filter's is left out.

use std::collections::BTreeSet;

use regex::Regex;

use super::files::{DASHBOARDS, linked_queries, queries, rules, told_queries};
use super::names::{Selected, selected};
use super::scraped::{CITED, all, of_the_filter};

#[test]
fn every_metric_that_is_asked_for_exists() {
    let known: BTreeSet<String> = all().into_iter().collect();
    let recorded: BTreeSet<String> = rules()
        .into_iter()
        .filter(|rule| !rule.is_alert)
        .map(|rule| rule.name)
        .collect();
    let mut unknown = Vec::new();
    let mut asked = 0;
    for (place, expression) in expressions() {
        for selector in selected(&expression) {
            asked += 1;
            let exists = match &selector {
                Selected::Name(name) => known.contains(name) || recorded.contains(name),
                Selected::Pattern(pattern) => {
                    let pattern = Regex::new(&format!("^(?:{pattern})$")).expect("a pattern");
                    known.iter().any(|name| pattern.is_match(name))
                }
            };
            if !exists {
                unknown.push(format!("{place}: {selector:?} in {expression}"));
            }
        }
    }
    assert!(asked > 150, "{asked} selectors");
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
}

#[test]
fn every_metric_of_the_filter_is_on_its_dashboard() {
    let shown: BTreeSet<Selected> = queries("plugin")
        .iter()
        .flat_map(|query| selected(&query.expression))
        .collect();
    let lacking: Vec<String> = of_the_filter()
        .filter(|name| !shown.contains(&Selected::Name(name.clone())))
        .collect();
    assert_eq!(lacking, [""; 0]);
}

#[test]
fn what_is_cited_is_used_and_only_in_rules_and_runbooks() {
    let used: BTreeSet<Selected> = expressions()
        .iter()
        .flat_map(|(_, expression)| selected(expression))
        .collect();
    for (name, source) in CITED {
        assert!(used.contains(&Selected::Name(name.to_owned())), "{name}");
        assert!(source.starts_with("https://"), "{source}");
    }
    for dashboard in DASHBOARDS {
        for query in queries(dashboard) {
            for selector in selected(&query.expression) {
                let is_cited = CITED
                    .iter()
                    .any(|(name, _)| selector == Selected::Name((*name).to_owned()));
                assert!(
                    !is_cited,
                    "a panel shows what no test has seen: {selector:?}"
                );
            }
        }
    }
}

/// Returns all expressions with their places.
fn expressions() -> Vec<(String, String)> {
    let of_rules = rules().into_iter().map(|rule| (rule.name, rule.expression));
    let panels = DASHBOARDS.iter().flat_map(|name| queries(name));
    let others = panels.chain(linked_queries()).chain(told_queries());
    of_rules
        .chain(others.map(|query| (query.place, query.expression)))
        .collect()
}
