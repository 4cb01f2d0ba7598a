//! The findings in a file, and the warnings about a configuration that is valid and yet hardly meant so.

use serde::Serialize;
use sidespan_core::config::Config;

use super::cures::cured;
use super::decision::Answer;
use super::explain::Explanation;
use super::exporter::bootstrap;
use super::input::document::Document;
use super::istio::plugin_scope::Scope;
use super::istio::settings::{Settings, env_file};
use super::locate::{Findings, Found, configurations};

/// One sentence about one place in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Number of the document in the file, counted from 1.
    pub document: usize,
    /// JSON path in that document.
    pub path: String,
    /// The problem, and the cure.
    pub message: String,
    /// Kind, namespace and name of the Kubernetes resource around the place: `WasmPlugin shop/sidespan-cart`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Line of the place in the file, counted from 1; `None` where the place has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

impl Finding {
    /// Returns a finding whose resource and line are not known yet.
    pub fn new(document: usize, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            document,
            path: path.into(),
            message: message.into(),
            resource: None,
            line: None,
        }
    }
}

/// The explanation of one configuration.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explained {
    /// Number of the document in the file, counted from 1.
    pub document: usize,
    /// JSON path of the configuration in that document.
    pub path: String,
    /// The effect of the configuration, step by step.
    #[serde(flatten)]
    pub explanation: Explanation,
    /// The answer on the request of `--request`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
    /// The configuration itself.
    #[serde(skip)]
    pub config: Config,
    /// The configuration as it is written, in JSON.
    #[serde(skip)]
    pub json: String,
    /// The workloads that Istio installs the plugin at; `None` outside Istio.
    #[serde(skip)]
    pub scope: Option<Scope>,
}

/// All findings in one file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Name of the file, as it was given.
    pub file: String,
    /// Number of configurations in the file.
    pub configurations: usize,
    /// Reasons why the filter would refuse a configuration.
    pub errors: Vec<Finding>,
    /// Warnings about configurations that work, but hardly as meant.
    pub warnings: Vec<Finding>,
    /// Plugins of others, which were not judged.
    pub skipped: Vec<Finding>,
    /// Explanations of the valid configurations.
    pub explanations: Vec<Explained>,
    /// Number of Istio's and OpenTelemetry's settings in the file.
    pub settings: usize,
    /// True if the file could not be read; the error is then the only one.
    #[serde(skip)]
    pub is_unread: bool,
}

impl Report {
    /// Checks every configuration of a file, the `index`th of all files, and adds the settings of Istio and
    /// OpenTelemetry in it.
    pub(super) fn read(index: usize, file: &str, bytes: &[u8], settings: &mut Settings) -> Self {
        let mut report = Self::empty(file);
        let text = std::str::from_utf8(bytes).map_err(|error| format!("expected UTF-8: {error}"));
        if let Some(variables) = text.as_ref().ok().and_then(|text| env_file::parse(text)) {
            report.settings = settings.read_variables(index, file, &variables);
            return report;
        }
        match text.and_then(|text| Document::parse(file, text)) {
            // An empty file is a configuration too: all defaults.
            Ok(documents) if documents.is_empty() => report.add(1, &Document::Null),
            Ok(documents) => {
                for (at, tree) in documents.iter().enumerate() {
                    let found = settings.read(index, at + 1, tree);
                    report.settings += found;
                    // Settings without a kind would be taken for a configuration.
                    if found == 0 || tree.get("kind").is_some() {
                        report.add(at + 1, tree);
                    }
                }
            }
            Err(message) => report.errors.push(Finding::new(1, "$", message)),
        }
        if report.configurations == 0 && report.settings == 0 && report.errors.is_empty() {
            report.warnings.push(Finding::new(
                1,
                "$",
                "no configuration of the filter in this file",
            ));
        }
        report
    }

    /// Reports a file that cannot be read.
    pub fn unread(file: &str, message: String) -> Self {
        let mut report = Self::empty(file);
        report.is_unread = true;
        report.errors.push(Finding::new(1, "$", message));
        report
    }

    pub(super) fn empty(file: &str) -> Self {
        Self {
            file: file.into(),
            configurations: 0,
            errors: Vec::new(),
            warnings: Vec::new(),
            skipped: Vec::new(),
            explanations: Vec::new(),
            settings: 0,
            is_unread: false,
        }
    }

    fn add(&mut self, document: usize, tree: &Document) {
        let finding = |path: &str, message: String| Finding::new(document, path, message);
        let Findings {
            found,
            errors,
            skipped,
        } = configurations(tree);
        let findings = |list: Vec<(String, String)>| {
            list.into_iter()
                .map(|(path, message)| finding(&path, message))
        };
        self.errors.extend(findings(errors));
        self.skipped.extend(findings(skipped));
        for Found {
            path,
            json,
            warnings,
            environment,
            scope,
        } in found
        {
            self.configurations += 1;
            self.warnings.extend(
                warnings
                    .into_iter()
                    .map(|(path, message)| finding(&path, message)),
            );
            let below = |inner: &str| inner.replacen('$', &path, 1);
            match Config::parse(json.as_bytes()) {
                Ok(config) => {
                    for (path, message, has_default) in environment
                        .iter()
                        .flat_map(|environment| environment.lacks(&config))
                    {
                        let list = match has_default {
                            true => &mut self.warnings,
                            false => &mut self.errors,
                        };
                        list.push(finding(&path, message));
                    }
                    if let Some((key, message)) = bootstrap::problem(&config, tree) {
                        let at = format!("{path}.export.otlp.{key}");
                        self.errors.push(finding(&at, message));
                    }
                    let warnings = doubts(&config);
                    self.warnings.extend(
                        warnings
                            .into_iter()
                            .map(|(inner, message)| finding(&below(inner), message)),
                    );
                    self.explanations.push(Explained {
                        document,
                        path: path.clone(),
                        explanation: Explanation::of(&config),
                        answer: None,
                        config,
                        json,
                        scope,
                    });
                }
                Err(errors) => {
                    self.errors.extend(errors.into_iter().map(|error| {
                        finding(&below(&error.path), cured(&error.path, error.message))
                    }));
                }
            }
        }
    }
}

fn doubts(config: &Config) -> Vec<(&'static str, String)> {
    let mut doubts = Vec::new();
    let propagation = &config.propagation;
    let unwritten: Vec<_> = propagation
        .extract
        .iter()
        .filter(|format| !propagation.mirror && !propagation.inject.contains(format))
        .map(|format| format.name())
        .collect();
    if !unwritten.is_empty() {
        doubts.push((
            "$.propagation.inject",
            format!(
                "read but never written: with mirror false, the headers of {} are removed; add those that a service here reads",
                unwritten.join(", ")
            ),
        ));
    }
    if config.sampling.is_some() && config.export.otlp.is_none() {
        doubts.push((
            "$.sampling",
            "traces are decided here, and spans are exported nowhere; set export.otlp".into(),
        ));
    }
    doubts
}
