//! `--record`: real exchanges as a file of `sidespan run`, without the credentials in them.
//!
//! What is written was run on the built-in host before, and an expectation that did not hold there is weakened or left out: a
//! filter that draws random ids or looks at the time does something else each time, and so may one whose input lacks its
//! credentials.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde_json::{Map, Value, json};
use tempfile::NamedTempFile;

use super::config::Direction;
use super::protocol::Protocol;
use super::tape::{Call, Exchange, MAX_EXCHANGES, Recording, Tape};
use crate::run::Runner;
use crate::run::chain::Chain;

mod body;
mod convert;
mod document;
mod redactor;
mod suspicion;

use convert::Converter;
use document::{Answer, Scenario};
use redactor::Redactor;

/// A recording under way, and the file that it goes to.
#[derive(Debug)]
pub(super) struct Recorder {
    pub(super) tape: Tape,
    file: PathBuf,
    /// The file as it is written, which then takes the place of the other at once.
    draft: NamedTempFile,
}

/// The surroundings that a scenario tells of.
#[derive(Clone, Debug)]
pub(super) struct Surroundings {
    pub(super) direction: Direction,
    pub(super) buffer_limit: Option<usize>,
    /// The node's metadata.
    pub(super) metadata: Vec<(String, String)>,
    /// Clusters that filters may call by name.
    pub(super) clusters: Vec<String>,
}

/// The outcome of a recording.
#[derive(Debug, Default)]
pub(super) struct Written {
    exchanges: usize,
    credentials: usize,
    /// The things that are not in the file, and why.
    left_out: Vec<String>,
}

impl Recorder {
    /// Makes sure that the file can be written. It is for its owner alone.
    ///
    /// # Errors
    /// When its folder cannot be written to.
    pub(super) fn new(file: &Path) -> anyhow::Result<Self> {
        let context = || format!("cannot write {}", file.display());
        anyhow::ensure!(!file.is_dir(), "{}: it is a folder", context());
        let draft = NamedTempFile::with_prefix_in(".sidespan-record-", folder(file));
        Ok(Self {
            tape: Tape::default(),
            file: file.into(),
            draft: draft.with_context(context)?,
        })
    }

    /// Returns the file that is written.
    pub(super) fn file(&self) -> &Path {
        &self.file
    }

    /// Writes what was recorded.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn finish(self, chain: &Chain, around: &Surroundings) -> anyhow::Result<Written> {
        let Self {
            tape,
            file,
            mut draft,
        } = self;
        let recording = tape.recording();
        let mut written = Written::default();
        let mut scenarios = scenarios(&recording, chain, around, &file, &mut written);
        written.left_out.extend(too_many(&recording));
        replay(&mut scenarios, draft.path(), &mut written)?;
        let text = text(&scenarios, &written)?;
        draft.as_file_mut().set_len(0)?;
        std::io::Seek::rewind(draft.as_file_mut())?;
        draft.write_all(text.as_bytes())?;
        draft.as_file().sync_all()?;
        draft
            .persist(&file)
            .with_context(|| format!("cannot write {}", file.display()))?;
        Ok(written)
    }
}

impl Written {
    /// Returns lines on the file for people.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "{} exchanges; {} values of credentials are replaced (redacted-1, …)",
            self.exchanges, self.credentials
        )];
        lines.extend(self.left_out.iter().map(|what| format!("left out: {what}")));
        lines
    }
}

/// Returns a scenario for each protocol, and apart for requests whose upstream was away, in the order of their first exchange.
fn scenarios(
    recording: &Recording,
    chain: &Chain,
    around: &Surroundings,
    file: &Path,
    written: &mut Written,
) -> Vec<Scenario> {
    let description = chain.described(&folder(file));
    let mut converter = Converter {
        redactor: Redactor::default(),
        settings: description.settings,
        direction: match around.direction {
            Direction::None => "none",
            Direction::Inbound => "inbound",
            Direction::Outbound => "outbound",
        },
    };
    let mut unfit = BTreeMap::<&str, usize>::new();
    let mut groups: Vec<(Key, Vec<usize>)> = Vec::new();
    for (at, exchange) in recording.exchanges.iter().enumerate() {
        if let Some(reason) = convert::unfit(exchange) {
            *unfit.entry(reason).or_default() += 1;
            continue;
        }
        written.exchanges += 1;
        let key = Key::of(exchange);
        match groups.iter_mut().find(|(other, _)| *other == key) {
            Some((_, group)) => group.push(at),
            None => groups.push((key, vec![at])),
        }
    }
    let mut filters = description.filters;
    for filter in &mut filters {
        for value in filter.environment.values_mut() {
            *value = converter.redactor.hide(value);
        }
    }
    let mut build = || {
        let scenarios = groups.iter().enumerate().map(|(number, (key, group))| {
            let steps = group.iter().filter_map(|at| recording.exchanges.get(*at));
            let steps: Vec<_> = steps.map(|exchange| converter.step(exchange)).collect();
            // A call belongs to the exchange that began before it; those in front of all are of the start.
            let is_ours = |call: &&Call| match call.after.checked_sub(1) {
                None => true,
                Some(at) => group.contains(&at) || number == 0 && is_nobodys(&groups, at),
            };
            let calls = recording.calls.iter().filter(is_ours);
            let calls = answers(calls, &around.clusters, &mut converter);
            Scenario {
                name: format!("recorded over {}", key.protocol.name()),
                protocol: match key.protocol {
                    Protocol::Http1 => "http1",
                    Protocol::Http2 => "http2",
                },
                buffer_limit: around.buffer_limit,
                node: node(&around.metadata, &mut converter.redactor),
                filters: filters.clone(),
                requests: steps,
                calls,
            }
        });
        scenarios.collect::<Vec<_>>()
    };
    // The first time finds all credentials, so that the second replaces each of them everywhere.
    let _ = build();
    let scenarios = build();
    written.credentials = converter.redactor.count();
    let reasons = unfit.into_iter();
    let reasons = reasons.map(|(reason, count)| format!("{count} exchanges {reason}"));
    let has_trailers = |exchange: &&Exchange| {
        let messages = [&exchange.request, &exchange.response];
        exchange.protocol == Protocol::Http1 && messages.iter().any(|it| it.trailers.is_some())
    };
    let trailers = recording.exchanges.iter().filter(has_trailers).count();
    if trailers > 0 {
        let line = format!("the trailers of {trailers} exchanges over HTTP/1.1");
        written.left_out.push(line);
    }
    written.left_out.extend(description.left_out);
    written.left_out.extend(reasons);
    scenarios
}

/// Returns the answers to calls by cluster. The last one stays, so it stands once; a cluster that was not called answers 200.
fn answers<'a>(
    calls: impl Iterator<Item = &'a Call>,
    clusters: &[String],
    converter: &mut Converter,
) -> BTreeMap<String, Vec<Answer>> {
    let mut answers: BTreeMap<String, Vec<Answer>> = BTreeMap::new();
    for call in calls {
        let answer = converter.answer(call);
        answers
            .entry(call.cluster.clone())
            .or_default()
            .push(answer);
    }
    for cluster in clusters {
        let of_cluster = answers.entry(cluster.clone());
        of_cluster.or_insert_with(|| vec![Answer::default()]);
    }
    for answers in answers.values_mut() {
        while let [.., one, other] = answers.as_slice()
            && one == other
        {
            answers.pop();
        }
    }
    answers
}

/// The parts that all exchanges of a scenario share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    protocol: Protocol,
    is_away: bool,
}

impl Key {
    fn of(exchange: &Exchange) -> Self {
        let ending = exchange.end.as_ref().map(|(ending, _)| *ending);
        Self {
            protocol: exchange.protocol,
            is_away: ending == Some(sidespan_host::Ending::ConnectFailure),
        }
    }
}

fn is_nobodys(groups: &[(Key, Vec<usize>)], at: usize) -> bool {
    groups.iter().all(|(_, group)| !group.contains(&at))
}

fn node(metadata: &[(String, String)], redactor: &mut Redactor) -> Option<Value> {
    let values = metadata.iter().map(|(name, value)| {
        let value = redactor.header(name, value.as_bytes());
        (name.clone(), json!(value))
    });
    let values: Map<String, Value> = values.collect();
    (!values.is_empty()).then(|| json!({"metadata": values}))
}

fn too_many(recording: &Recording) -> Vec<String> {
    let mut lines = Vec::new();
    if recording.too_many > 0 {
        lines.push(format!(
            "{} exchanges after the first {MAX_EXCHANGES}, or after 16 MiB of bodies",
            recording.too_many
        ));
    }
    if recording.forgotten > 0 {
        lines.push(format!(
            "{} exchanges from before the filters were reloaded",
            recording.forgotten
        ));
    }
    lines
}

/// Runs the scenarios on the built-in host, and weakens what does not hold there.
fn replay(scenarios: &mut [Scenario], draft: &Path, written: &mut Written) -> anyhow::Result<()> {
    let runner = Runner::new(crate::embedded::FILTER)?;
    let mut weakened = BTreeSet::new();
    for _ in 0..REPLAYS {
        std::fs::write(draft, text(scenarios, written)?)?;
        let reports = match runner.run_file(draft) {
            Ok(reports) => reports,
            // The reason has the filters' log, which may hold anything.
            Err(_) if !scenarios.is_empty() => {
                written.left_out.push(
                    "a replay: the filters do not start from what is in this file; `sidespan run` says why".into(),
                );
                return Ok(());
            }
            Err(_) => return Ok(()),
        };
        let mut is_changed = false;
        for (number, (scenario, report)) in scenarios.iter_mut().zip(reports).enumerate() {
            for failure in &report.failures {
                let Some((at, name)) = failure
                    .at
                    .strip_prefix("requests[")
                    .and_then(|rest| rest.split_once("].expect."))
                else {
                    continue;
                };
                let step = at
                    .parse()
                    .ok()
                    .and_then(|at: usize| scenario.requests.get_mut(at));
                if step.is_some_and(|step| step.expect.weaken(name)) {
                    is_changed = true;
                    weakened.insert((number, failure.at.clone()));
                }
            }
        }
        if !is_changed {
            break;
        }
    }
    if !weakened.is_empty() {
        written.left_out.push(format!(
            "{} values that a replay does not produce again",
            weakened.len()
        ));
    }
    Ok(())
}

fn text(scenarios: &[Scenario], written: &Written) -> anyhow::Result<String> {
    let mut text = String::from(
        "# Recorded by `sidespan sidecar --record`; `sidespan run` replays it, one request after another and without their times.\n",
    );
    for line in written.lines() {
        writeln!(text, "# {line}")?;
    }
    for (number, scenario) in scenarios.iter().enumerate() {
        if number > 0 {
            text.push_str("---\n");
        }
        text.push_str(&serde_saphyr::to_string(scenario)?);
    }
    Ok(text)
}

fn folder(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if folder != Path::new("") => folder.into(),
        _ => PathBuf::from("."),
    }
}

/// The most times that a recording is run until everything in it holds: once with values, once without, and once more.
const REPLAYS: u32 = 4;

#[cfg(test)]
mod tests {
    use sidespan_host::Headers;

    use super::*;
    use crate::sidecar::tape::Message;

    #[test]
    fn answers_keep_their_order_and_the_last_stands_once() {
        let mut converter = Converter {
            redactor: Redactor::default(),
            settings: Vec::new(),
            direction: "none",
        };
        let calls = ["200", "200", "503", "204", "204"].map(|status| {
            let headers = Headers::from([(":status", status)]);
            Call {
                cluster: "auth".into(),
                after: 1,
                answer: Some(Message::whole(headers, b"", Headers::new())),
            }
        });
        let clusters = ["other".to_owned(), "auth".to_owned()];
        let answers = answers(calls.iter(), &clusters, &mut converter);
        let statuses = answers["auth"].iter().map(|answer| answer.status);
        assert_eq!(
            statuses.collect::<Vec<_>>(),
            [Some(200), Some(200), Some(503), Some(204)]
        );
        assert_eq!(answers["other"], [Answer::default()]);
    }
}
