//! All files together: each judged by itself, and then what they say of each other.

use std::io;

use serde::Serialize;

use super::ask::Question;
use super::beside::{self, Ours, sdk};
use super::report::{Finding, Report};
use super::settings::{Settings, Weight};
use super::view::View;

/// What came of the files.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Outcome {
    /// No file has an error.
    pub valid: bool,
    /// One entry a file, in their order.
    #[serde(rename = "files")]
    pub reports: Vec<Report>,
    /// What Istio's settings come to, if there are any.
    pub istio: Option<View>,
    /// The samplers of SDKs.
    pub samplers: Vec<Sdk>,
}

/// One sampler, and what it does beside a sidecar.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sdk {
    /// Whose it is.
    pub name: String,
    /// The sampler that the SDK takes.
    pub sampler: String,
    /// Its argument.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub argument: Option<String>,
    /// What that means.
    pub meaning: String,
}

impl Outcome {
    /// Checks files, each with what could be read of it.
    pub fn of(files: Vec<(String, io::Result<Vec<u8>>)>, question: Option<&Question>) -> Self {
        let mut settings = Settings::default();
        let mut reports: Vec<_> = files
            .into_iter()
            .enumerate()
            .map(|(index, (name, read))| match read {
                Ok(bytes) => Report::read(index, &name, &bytes, question, &mut settings),
                Err(error) => Report::unread(&name, format!("cannot be read: {error}")),
            })
            .collect();
        let ours: Vec<_> = reports
            .iter()
            .enumerate()
            .flat_map(|(file, report)| {
                report.explanations.iter().map(move |explained| Ours {
                    file,
                    document: explained.document,
                    path: &explained.path,
                    config: &explained.config,
                })
            })
            .collect();
        for note in beside::notes(&settings, &ours) {
            let Some(report) = reports.get_mut(note.place.file) else {
                continue;
            };
            let finding = Finding {
                document: note.place.document,
                path: note.place.path,
                message: note.message,
            };
            match note.weight {
                Weight::Error => report.errors.push(finding),
                Weight::Warning => report.warnings.push(finding),
                Weight::Skipped => report.skipped.push(finding),
            }
        }
        let samplers = settings.samplers.iter().map(|sampler| Sdk {
            name: sampler.place.name.clone(),
            sampler: sdk::kind(sampler).into(),
            argument: sampler.argument.clone(),
            meaning: sdk::meaning(sampler),
        });
        Self {
            valid: reports.iter().all(|report| report.errors.is_empty()),
            samplers: samplers.collect(),
            istio: View::of(&settings),
            reports,
        }
    }
}
