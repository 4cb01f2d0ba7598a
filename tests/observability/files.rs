//! The files of `istio/observability`, read.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

/// The files of rules, without their ending.
pub(crate) const RULES: [&str; 4] = ["sidespan", "collector", "backend", "services"];
/// The dashboards, without their ending.
pub(crate) const DASHBOARDS: [&str; 3] = ["plugin", "mesh", "collector"];

/// An alert or a recorded series.
pub(super) struct Rule {
    pub(super) file: &'static str,
    pub(super) name: String,
    pub(super) is_alert: bool,
    pub(super) expression: String,
    pub(super) whole: Value,
}

/// A query of a dashboard, with Grafana's variables filled in.
pub(super) struct Query {
    pub(super) place: String,
    pub(super) expression: String,
}

/// Returns all rules of all files.
pub(super) fn rules() -> Vec<Rule> {
    let mut found = Vec::new();
    for file in RULES {
        let text = yaml(&format!("rules/{file}.yaml"));
        for group in list(&text["groups"]) {
            for rule in list(&group["rules"]) {
                let name = rule["alert"].as_str().or(rule["record"].as_str());
                found.push(Rule {
                    file,
                    name: name.expect("a name").to_owned(),
                    is_alert: rule["alert"].is_string(),
                    expression: rule["expr"].as_str().expect("an expression").to_owned(),
                    whole: rule.clone(),
                });
            }
        }
    }
    found
}

/// Returns the queries of all panels, annotations and variables of a dashboard.
pub(super) fn queries(dashboard: &str) -> Vec<Query> {
    let whole = self::dashboard(dashboard);
    let mut found = Vec::new();
    let mut take = |place: &str, expression: &str| {
        found.push(Query {
            place: format!("{dashboard}: {place}"),
            expression: filled(expression),
        });
    };
    for panel in list(&whole["panels"]) {
        let title = panel["title"].as_str().expect("a title");
        for target in panel["targets"].as_array().into_iter().flatten() {
            take(title, target["expr"].as_str().expect("an expression"));
        }
    }
    for annotation in list(&whole["annotations"]["list"]) {
        take("annotation", annotation["expr"].as_str().expect("a query"));
    }
    for variable in list(&whole["templating"]["list"]) {
        // label_values(selector, label)
        if let Some(query) = variable["query"]["query"].as_str() {
            let inner = query.strip_prefix("label_values(").expect("label_values");
            take("variable", inner.rsplit_once(',').expect("a label").0);
        }
    }
    found
}

/// Returns a dashboard.
pub(super) fn dashboard(name: &str) -> Value {
    serde_json::from_str(&read(&format!("grafana/{name}.json"))).expect("JSON")
}

/// Returns a query as Grafana sends it.
fn filled(expression: &str) -> String {
    [
        ("$__rate_interval", "1m"),
        ("$__range", "1h"),
        ("$namespace", ".*"),
        ("$pod", ".*"),
        ("$service_namespace", ".*"),
        ("$service", ".*"),
        ("$$__tags", "service_name=\"cart\""),
    ]
    .iter()
    .fold(expression.to_owned(), |text, (variable, value)| {
        text.replace(variable, value)
    })
}

/// Returns the queries of the links between data sources.
pub(super) fn linked_queries() -> Vec<Query> {
    let sources = yaml("grafana/datasources.yaml");
    let mut found = Vec::new();
    for source in list(&sources["datasources"]) {
        let queries = source["jsonData"]["tracesToMetrics"]["queries"].as_array();
        for query in queries.into_iter().flatten() {
            found.push(Query {
                place: format!("{}: {}", source["name"], query["name"]),
                expression: filled(query["query"].as_str().expect("a query")),
            });
        }
    }
    found
}

/// Returns the queries that the runbooks tell, which stand between backticks and name a metric.
pub(super) fn told_queries() -> Vec<Query> {
    let text = read("runbooks.md").replace("\\|", "|");
    let mut found = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        for code in line.split('`').skip(1).step_by(2) {
            let is_query = PREFIXES.iter().any(|prefix| code.contains(prefix));
            // A label by itself, and a metric's name in passing, are none.
            if is_query && code.contains([' ', '(', '{']) && !code.starts_with("otel_metric") {
                // One name at a time, as the text says.
                let one = code.replace("(send|enqueue)", "send");
                found.push(Query {
                    place: format!("runbooks.md:{number}"),
                    expression: one,
                });
            }
        }
    }
    found
}

/// The beginnings of the metrics' names.
const PREFIXES: [&str; 9] = [
    "sidespan_",
    "otelcol_",
    "traces_span_metrics_",
    "tempo_",
    "jaeger_storage_",
    "istio_agent_",
    "pilot_",
    "envoy_server_",
    "up{",
];

/// Returns a file as YAML.
pub(crate) fn yaml(file: &str) -> Value {
    serde_saphyr::from_str(&read(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Returns a file's text.
pub(crate) fn read(file: &str) -> String {
    let path = path(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns a file's path.
pub(crate) fn path(file: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../istio/observability");
    folder.join(file)
}

/// Returns the members of a list.
///
/// # Panics
/// When it is none.
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}
