//! The findings in a file, and the warnings about a configuration that is valid and yet hardly meant so.

use serde::Serialize;
use sidespan_core::config::Config;

use super::cures::cured;
use super::decision::Answer;
use super::explain::Explanation;
use super::exporter::bootstrap;
use super::exporter::envoy_gateway::Gateway;
use super::input::document::Document;
use super::input::foreign::{ASSIGNMENTS, READ, are_others, foreign, is_assignments};
use super::input::locator::locate;
use super::input::parse::{self, Reading, Remark, Unreadable};
use super::input::text::{TEMPLATE, decode, nothing, template};
use super::istio::plugin_scope::Scope;
use super::istio::settings::Settings;
use super::istio::settings::env_file::EnvFile;
use super::locate::{Findings, Found, configurations};
use doubts::doubts;

mod doubts;

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
        let text = match decode(bytes) {
            Ok(text) => text,
            Err(error) => {
                report.unreadable(error);
                return report;
            }
        };
        if let Some(message) = nothing(file, text) {
            report.errors.push(Finding::new(1, "$", message));
        } else if let Some(variables) = EnvFile::parse(text) {
            report.variables(index, &variables, settings);
        } else if is_assignments(text) {
            report.skipped.push(Finding::new(1, "$", ASSIGNMENTS));
        } else {
            match parse::read(file, text) {
                Ok(reading) => report.documents(index, reading, settings),
                Err(error) => report.unreadable(match template(text) {
                    Some(line) => Unreadable {
                        line: Some(line),
                        message: TEMPLATE.into(),
                    },
                    None => error,
                }),
            }
        }
        report
    }

    fn unreadable(&mut self, Unreadable { line, message }: Unreadable) {
        self.errors.push(Finding {
            line,
            ..Finding::new(1, "$", message)
        });
    }

    fn variables(&mut self, index: usize, file: &EnvFile, settings: &mut Settings) {
        let odd = file.odd.iter();
        self.warnings
            .extend(odd.map(|(line, message)| Finding::new(1, format!("line {line}"), *message)));
        self.settings = settings.read_variables(index, &self.file, &file.variables);
        if self.settings == 0 {
            let message = match file.otel() {
                0 => "an environment file without a variable of OpenTelemetry's; nothing of it is read".to_owned(),
                count => format!(
                    "an environment file with {count} OTEL_ variable{} and without OTEL_TRACES_SAMPLER: the SDK takes \
                     parentbased_always_on, which follows the sidecar",
                    if count == 1 { "" } else { "s" }
                ),
            };
            self.skipped.push(Finding::new(1, "$", message));
        }
    }

    fn documents(&mut self, index: usize, reading: Reading, settings: &mut Settings) {
        let refused = reading.refused.into_iter();
        self.errors.extend(refused.map(remarked));
        let gateway = Gateway::of(&reading.documents);
        let mut others = None;
        for (tree, number) in reading.documents.iter().zip(1..) {
            if *tree == Document::Null {
                continue;
            }
            let found = settings.read(index, number, tree);
            self.settings += found;
            // Settings without a kind would be taken for a configuration.
            if found == 0 || tree.get("kind").is_some() {
                self.add(number, tree, &reading.changed, &gateway);
            }
            others = others.or_else(|| Some((number, foreign(tree)?)));
        }
        let is_empty = self.configurations == 0
            && self.settings == 0
            && [&self.errors, &self.warnings, &self.skipped]
                .iter()
                .all(|list| list.is_empty());
        if is_empty {
            let (number, message) = match others {
                Some((number, message)) => (number, message.to_owned()),
                None => (1, format!("nothing of Sidespan's in this file; {READ}")),
            };
            self.skipped.push(Finding::new(number, "$", message));
        }
    }

    /// Finds the lines and resources of all findings.
    pub(super) fn locate(&mut self, bytes: &[u8]) {
        let Ok(text) = decode(bytes) else {
            return;
        };
        let lists = [&mut self.errors, &mut self.warnings, &mut self.skipped];
        let mut findings: Vec<_> = lists.into_iter().flatten().collect();
        if findings.is_empty() {
            return;
        }
        let wanted: Vec<_> = findings
            .iter()
            .map(|finding| (finding.document, finding.path.as_str()))
            .collect();
        let located = locate(&self.file, text, &wanted);
        for (finding, located) in findings.iter_mut().zip(located) {
            // An environment file has no paths but the numbers of its lines.
            let numbered = finding.path.strip_prefix("line ").and_then(|rest| {
                let end = rest.find(',').unwrap_or(rest.len());
                rest.get(..end)?.parse().ok()
            });
            // A file that cannot be read has no resources.
            if finding.line.is_none() || finding.path != "$" {
                finding.resource = finding.resource.take().or(located.resource);
            }
            finding.line = finding.line.or(numbered).or(located.line);
        }
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

    fn add(&mut self, document: usize, tree: &Document, changed: &[Remark], gateway: &Gateway) {
        let finding = |path: &str, message: String| Finding::new(document, path, message);
        let Findings {
            found,
            errors,
            warnings,
            skipped,
        } = configurations(tree);
        let findings = |list: Vec<(String, String)>| {
            list.into_iter()
                .map(|(path, message)| finding(&path, message))
        };
        self.errors.extend(findings(errors));
        self.warnings.extend(findings(warnings));
        self.skipped.extend(findings(skipped));
        for Found {
            path,
            json,
            warnings,
            environment,
            scope,
            is_in_envoy_gateway,
        } in found
        {
            self.configurations += 1;
            self.warnings.extend(
                warnings
                    .into_iter()
                    .map(|(path, message)| finding(&path, message)),
            );
            self.errors.extend(below_path(changed, document, &path));
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
                    let problems = match is_in_envoy_gateway {
                        true => gateway.problems(&config),
                        false => bootstrap::problems(&config, tree),
                    }
                    .into_iter();
                    self.errors.extend(
                        problems
                            .map(|(below, message)| finding(&format!("{path}.{below}"), message)),
                    );
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
                Err(errors) if path == "$" && are_others(tree, &errors) => {
                    self.configurations -= 1;
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

fn remarked(remark: Remark) -> Finding {
    Finding {
        line: Some(remark.line),
        ..Finding::new(remark.document, remark.path, remark.message)
    }
}

/// Returns the remarks on keys of a configuration, which matter because the filter compares them with names.
fn below_path<'a>(
    remarks: &'a [Remark],
    document: usize,
    path: &'a str,
) -> impl Iterator<Item = Finding> + 'a {
    remarks
        .iter()
        .filter(move |remark| {
            let rest = remark.path.strip_prefix(path);
            remark.document == document && rest.is_some_and(|rest| rest.starts_with(['.', '[']))
        })
        .cloned()
        .map(remarked)
}
