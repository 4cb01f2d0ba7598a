//! The results of all files together: each file judged by itself, then all files compared.

use std::io;

use serde::Serialize;

use super::chain;
use super::compatibility::{self, SidespanConfig, sdk};
use super::decision::Question;
use super::exporter;
use super::image;
use super::istio::plugin_scope::working;
use super::istio::resolve::Istio;
use super::istio::settings::{Settings, Weight};
use super::istio::summary::Summary;
use super::report::{Finding, Report};
use super::targets;
use crate::package::Built;

/// The results of all files.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Results {
    /// True if no file has an error, and where the check is strict no warning either.
    pub valid: bool,
    /// True if warnings count as errors.
    pub strict: bool,
    /// Reports of the files, in their order.
    #[serde(rename = "files")]
    pub reports: Vec<Report>,
    /// Istio's settings, resolved; `None` where the files have none.
    pub istio: Option<Summary>,
    /// The samplers of OpenTelemetry's SDKs.
    pub samplers: Vec<Sdk>,
}

/// The wishes of whoever asks, which hold for all files.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options<'a> {
    /// The request that is asked about.
    pub question: Option<&'a Question>,
    /// The image that plugins are to be pinned to.
    pub image: Option<&'a Built>,
    /// Istio's root namespace, whatever the files say.
    pub root_namespace: Option<&'a str>,
    /// True if warnings count as errors.
    pub strict: bool,
}

/// One SDK's sampler, and its effect beside a sidecar.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sdk {
    /// Name of the resource or file that sets the sampler.
    pub name: String,
    /// The sampler that the SDK takes.
    pub sampler: String,
    /// The sampler's argument.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub argument: Option<String>,
    /// The sampler's effect, as a sentence.
    pub meaning: String,
}

impl Results {
    /// Checks files, each with its bytes or the error of reading them.
    pub fn of(files: Vec<(String, io::Result<Vec<u8>>)>, options: Options<'_>) -> Self {
        let mut settings = Settings::with_root(options.root_namespace.map(str::to_owned));
        let mut reports: Vec<_> = files
            .iter()
            .enumerate()
            .map(|(index, (name, read))| match read {
                Ok(bytes) => Report::read(index, name, bytes, &mut settings),
                Err(error) => Report::unread(name, format!("cannot be read: {error}")),
            })
            .collect();
        let ours: Vec<_> = reports
            .iter()
            .enumerate()
            .flat_map(|(file, report)| {
                report
                    .explanations
                    .iter()
                    .map(move |explained| SidespanConfig {
                        file,
                        document: explained.document,
                        path: &explained.path,
                        json: &explained.json,
                        config: &explained.config,
                        scope: explained.scope.as_ref(),
                    })
            })
            .collect();
        let root = Istio::new(&settings).root().to_owned();
        let notes = compatibility::notes(&settings, &ours)
            .into_iter()
            .chain(chain::notes(&settings, &root, &ours))
            .chain(targets::notes(&root, &ours))
            .chain(exporter::notes(&settings, &ours))
            .chain(
                options
                    .image
                    .into_iter()
                    .flat_map(|built| image::notes(&settings, built)),
            );
        for note in notes.collect::<Vec<_>>() {
            let Some(report) = reports.get_mut(note.place.file) else {
                continue;
            };
            let finding = Finding::new(note.place.document, note.place.path, note.message);
            match note.weight {
                Weight::Error => report.errors.push(finding),
                Weight::Warning => report.warnings.push(finding),
                Weight::Skipped => report.skipped.push(finding),
            }
        }
        for (report, (_, read)) in reports.iter_mut().zip(&files) {
            if let Ok(bytes) = read {
                report.locate(bytes);
            }
        }
        if let Some(question) = options.question {
            answer(&mut reports, question, &root);
        }
        let samplers = settings.samplers.iter().map(|sampler| Sdk {
            name: sampler.place.name.clone(),
            sampler: sdk::kind(sampler).into(),
            argument: sampler.argument.clone(),
            meaning: sdk::meaning(sampler),
        });
        Self {
            valid: reports.iter().all(|report| {
                report.errors.is_empty() && (!options.strict || report.warnings.is_empty())
            }),
            strict: options.strict,
            samplers: samplers.collect(),
            istio: Summary::of(&settings),
            reports,
        }
    }
}

/// Checks a file by itself.
pub fn check_file(file: &str, bytes: &[u8]) -> Report {
    let Results { mut reports, .. } =
        Results::of(vec![(file.into(), Ok(bytes.into()))], Options::default());
    reports.pop().unwrap_or_else(|| Report::empty(file))
}

/// Adds the answer of every configuration that works at the asked workload; the others get the reason why they do not.
fn answer(reports: &mut [Report], question: &Question, root: &str) {
    let labels = question.labels();
    let spot = question.spot(&labels);
    let all = || reports.iter().flat_map(|report| &report.explanations);
    let scopes: Vec<_> = all()
        .filter_map(|explained| explained.scope.clone())
        .collect();
    let working = working(scopes.iter(), root, &spot);
    let mut at = 0;
    for explained in reports
        .iter_mut()
        .flat_map(|report| &mut report.explanations)
    {
        let place = explained.scope.as_ref().map(|_| at);
        at += usize::from(place.is_some());
        let first = working.and_then(|index| scopes.get(index));
        explained.answer = Some(match (&explained.scope, first) {
            (Some(scope), _) if !scope.reaches(root, &spot) => {
                question.elsewhere(format!("not here, this plugin is for {}", scope.told(root)))
            }
            (Some(scope), Some(first)) if place != working => question.elsewhere(format!(
                "stands aside, for {first} comes first in the same chain: {}",
                first.precedes(scope, spot.namespace)
            )),
            _ => question.answer(&explained.config),
        });
    }
}
