//! `bench --envoy`: all candidates run at once, each on an Envoy of its own in front of one upstream, and take turns in
//! rounds.
//!
//! A machine gets slower and faster while it is measured. Within a round the change touches all candidates alike; the
//! order differs from round to round, so that no candidate always follows the same neighbour. A process is also cheaper
//! or dearer than another of the same program because of its memory layout, so each candidate has several processes,
//! one after the other: by default a new one in each round.
//!
//! Nothing is bound to a core. Load generator, upstream, receiver and Envoy share them; what they take from each other is
//! time, which is not counted, and room in the caches, which all candidates lack alike.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use tempfile::TempDir;
use tokio::task::JoinSet;

use super::arguments::BenchArgs;
use super::candidate::{self, BASELINE, Build, Candidate, Work};
use super::environment::Environment;
use super::h2load::{self, Latency, Load, Pace};
use super::preset;
use super::report::{Measured, Report};
use super::runner::{Ground, Memory, Runner, Spans, other_module, upstream};
use super::statistics::{greatest, least};
use crate::{envoy, output};

/// Measures the candidates and returns the report.
pub(super) async fn run(args: &BenchArgs) -> anyhow::Result<Report> {
    let mut candidates = chosen(&args.only)?;
    let mut others = Vec::new();
    for build in &args.module {
        others.extend(build.beside(&candidates)?);
    }
    let surroundings = Environment::now(h2load::version().await?);
    let envoy = envoy::binary().await?;
    let folder = TempDir::with_prefix("sidespan-bench-")?;
    let modules = [
        ("filter.wasm", crate::embedded::FILTER),
        ("floor.wasm", crate::embedded::FLOOR),
        ("least.wasm", crate::embedded::LEAST),
    ];
    let [filter, floor, least] = modules.map(|(name, module)| (folder.path().join(name), module));
    for (path, module) in [&filter, &floor, &least] {
        fs::write(path, module)?;
    }
    // Copies, so that a build that goes on meanwhile changes nothing.
    for candidate in &others {
        if let Work::Sidespan(Build::Other { name, module }, _) = &candidate.work {
            fs::write(folder.path().join(other_module(name)), module)?;
        }
    }
    candidates.extend(others);
    let upstream = upstream(&envoy).await?;
    let ground = Ground {
        envoy,
        filter: filter.0,
        floor: floor.0,
        least: least.0,
        upstream: upstream.address("in")?,
    };
    output::progress(&format!("starting {} Envoys", candidates.len()));
    let runners = start(candidates, &ground).await?;
    let mut run = BenchRun {
        entries: runners
            .into_iter()
            .map(Entry::new)
            .collect::<anyhow::Result<_>>()?,
        ground,
        folder: folder.path(),
        args,
    };
    run.costs().await?;
    let rate = run.latencies().await?;
    let measured = run.finish().await?;
    Ok(Report {
        surroundings,
        rounds: args.rounds,
        processes: args.rounds.div_ceil(args.rounds_of_a_process()),
        rounds_of_a_process: usize::try_from(args.rounds_of_a_process())?,
        latency_rounds: args.latency_rounds(),
        requests: args.requests,
        connections: args.connections,
        rate,
        measured,
    })
}

/// Returns the candidates that `--only` names, by a preset, their name or its beginning, and the baseline.
fn chosen(only: &[String]) -> anyhow::Result<Vec<Candidate>> {
    let all = candidate::all();
    if only.is_empty() {
        return Ok(all);
    }
    let mut names = vec![BASELINE.to_owned()];
    for wanted in only {
        if let Some(preset) = preset::named(wanted) {
            names.extend(preset.candidates.iter().map(|name| (*name).to_owned()));
            continue;
        }
        let exact = all.iter().any(|it| it.name == *wanted);
        let found = all.iter().map(|it| &it.name).filter(|name| {
            if exact {
                *name == wanted
            } else {
                name.starts_with(wanted.as_str())
            }
        });
        let before = names.len();
        names.extend(found.cloned());
        if names.len() == before {
            let all: Vec<&str> = all.iter().map(|it| it.name.as_str()).collect();
            let presets = preset::PRESETS.map(|preset| preset.name);
            bail!(
                "--only: no preset and no candidate is called `{wanted}`, or begins so; there are the presets {}, and {}",
                presets.join(", "),
                all.join(", ")
            );
        }
    }
    Ok(all
        .into_iter()
        .filter(|it| names.contains(&it.name))
        .collect())
}

/// Starts all candidates at once and returns them in their order.
async fn start(candidates: Vec<Candidate>, ground: &Ground) -> anyhow::Result<Vec<Runner>> {
    let mut starting = JoinSet::new();
    for (place, candidate) in candidates.into_iter().enumerate() {
        let ground = ground.clone();
        starting.spawn(async move { (place, Runner::start(candidate, &ground).await) });
    }
    let mut started = Vec::new();
    while let Some(done) = starting.join_next().await {
        let (place, runner) = done?;
        started.push((place, runner?));
    }
    started.sort_by_key(|(place, _)| *place);
    Ok(started.into_iter().map(|(_, runner)| runner).collect())
}

/// A candidate that runs, and its figures so far.
struct Entry {
    runner: Runner,
    cost: Vec<f64>,
    rate: Vec<f64>,
    latency: Vec<Latency>,
    memory_before: Memory,
    // Spans of the earlier processes.
    spans: Option<Spans>,
}

impl Entry {
    fn new(runner: Runner) -> anyhow::Result<Self> {
        Ok(Self {
            memory_before: runner.memory()?,
            runner,
            cost: Vec::new(),
            rate: Vec::new(),
            latency: Vec::new(),
            spans: None,
        })
    }

    /// Counts the spans of this process's requests.
    async fn count_spans(&mut self) -> anyhow::Result<()> {
        if let Some(spans) = self.runner.count_spans().await? {
            self.spans.get_or_insert_default().add(spans);
        }
        Ok(())
    }
}

struct BenchRun<'a> {
    ground: Ground,
    entries: Vec<Entry>,
    folder: &'a Path,
    args: &'a BenchArgs,
}

impl BenchRun<'_> {
    /// Measures the cost of a request, and the requests a second: all connections send as fast as they can.
    async fn costs(&mut self) -> anyhow::Result<()> {
        let load = Load {
            requests: self.args.requests,
            connections: self.args.connections,
            pace: None,
        };
        let rounds = self.args.rounds;
        let mut began = Instant::now();
        for round in 0..rounds {
            if round % self.args.rounds_of_a_process() == 0 {
                if round > 0 {
                    self.renew().await?;
                }
                self.warm_up(round).await?;
                if round == 0 {
                    self.learn_idle().await?;
                    began = Instant::now();
                }
            }
            progress("cost", round, rounds, began);
            for place in turn(round, self.entries.len()) {
                let entry = &mut self.entries[place];
                let (cost, rate) = entry.runner.measure(load).await?;
                entry.cost.push(cost);
                entry.rate.push(rate);
            }
        }
        Ok(())
    }

    /// Gives each candidate a new process.
    async fn renew(&mut self) -> anyhow::Result<()> {
        for entry in &mut self.entries {
            entry.count_spans().await?;
        }
        let same = |entry: &Entry| entry.runner.candidate.clone();
        let candidates = self.entries.iter().map(same).collect();
        let runners = start(candidates, &self.ground).await?;
        for (entry, mut runner) in self.entries.iter_mut().zip(runners) {
            entry.memory_before = runner.memory()?;
            runner.idle_as(&entry.runner);
            entry.runner = runner;
        }
        Ok(())
    }

    /// Sends requests that do not count: connections are opened and code is compiled, frequent code a second time by
    /// the optimizing compiler, which takes its time.
    async fn warm_up(&mut self, round: u32) -> anyhow::Result<()> {
        if round == 0 {
            output::progress("requests that do not count");
        }
        let load = Load {
            requests: self.args.warm_up,
            connections: self.args.connections,
            pace: None,
        };
        for place in turn(round, self.entries.len()) {
            self.entries[place].runner.measure(load).await?;
        }
        Ok(())
    }

    /// Measures the CPU time of each candidate without requests, for all its processes.
    async fn learn_idle(&mut self) -> anyhow::Result<()> {
        let looks = self.entries.iter().map(|entry| entry.runner.look());
        let looks = looks.collect::<anyhow::Result<Vec<_>>>()?;
        tokio::time::sleep(IDLE).await;
        for (entry, first) in self.entries.iter_mut().zip(looks) {
            let second = entry.runner.look()?;
            entry.runner.learn_idle(first, second);
        }
        Ok(())
    }

    /// Measures the latency of requests at a rate that all candidates can keep, and returns that rate.
    async fn latencies(&mut self) -> anyhow::Result<Option<f64>> {
        if !self.args.measures_latency() {
            return Ok(None);
        }
        let slowest: Vec<f64> = self.entries.iter().map(|it| greatest(&it.rate)).collect();
        let rate = least(&slowest) * SHARE_OF_THE_SLOWEST;
        let log = self.folder.join("latency.log");
        let requests = whole(rate * f64::from(self.args.latency_seconds));
        let load = Load {
            requests: requests.max(self.args.connections.into()),
            connections: self.args.connections,
            pace: Some(Pace {
                requests_per_second: rate,
                log: &log,
            }),
        };
        let began = Instant::now();
        let rounds = self.args.latency_rounds();
        for round in 0..rounds {
            progress("latency", round, rounds, began);
            for place in turn(round, self.entries.len()) {
                let entry = &mut self.entries[place];
                entry.runner.send(load).await?;
                let text = fs::read_to_string(&log).context("h2load has written no log")?;
                let latency =
                    Latency::parse(&text).context("h2load's log is not as it was known")?;
                entry.latency.push(latency);
            }
        }
        Ok(Some(rate))
    }

    async fn finish(self) -> anyhow::Result<Vec<Measured>> {
        let mut measured = Vec::new();
        for mut entry in self.entries {
            entry.count_spans().await?;
            measured.push(Measured {
                memory: (entry.memory_before, entry.runner.memory()?),
                idle_us_per_second: entry.runner.idle_us_per_second(),
                spans: entry.spans,
                candidate: entry.runner.candidate.clone(),
                cost: entry.cost,
                requests_per_second: entry.rate,
                latency: entry.latency,
            });
        }
        Ok(measured)
    }
}

/// Returns the order of the candidates in a round.
fn turn(round: u32, count: usize) -> impl Iterator<Item = usize> + use<> {
    let round = usize::try_from(round).unwrap_or(0);
    let count = count.max(1);
    // A step coprime to the count reaches each place once, and each step makes other neighbours.
    let is_step = |step: &usize| greatest_common_divisor(*step, count) == 1;
    let steps: Vec<usize> = (1..=count).filter(is_step).collect();
    let (step, first) = (steps[round % steps.len()], round % count);
    (0..count).map(move |place| (first + place * step) % count)
}

fn greatest_common_divisor(one: usize, other: usize) -> usize {
    match one {
        0 => other,
        _ => greatest_common_divisor(other % one, one),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of requests, which is neither huge nor below zero; `as` saturates"
)]
fn whole(number: f64) -> u64 {
    number as u64
}

fn progress(what: &str, round: u32, rounds: u32, began: Instant) {
    let left = began
        .elapsed()
        .checked_div(round)
        .map_or(Duration::ZERO, |each| each * (rounds - round));
    let left = match left.as_secs() {
        0 => String::new(),
        seconds => format!(", about {seconds} s left"),
    };
    output::progress(&format!("{what}: round {} of {rounds}{left}", round + 1));
}

/// Time without requests, as long as the period of Envoy's slowest periodic task.
const IDLE: Duration = Duration::from_secs(5);
/// Share of the slowest candidate's rate, so that all candidates have time to rest and latency shows the work and not
/// the queue.
const SHARE_OF_THE_SLOWEST: f64 = 0.6;

#[cfg(test)]
mod tests {
    use super::*;

    fn names(only: &[&str]) -> anyhow::Result<Vec<String>> {
        let only: Vec<String> = only.iter().map(|&name| name.to_owned()).collect();
        Ok(chosen(&only)?.into_iter().map(|it| it.name).collect())
    }

    #[test]
    fn a_name_chooses_one_and_a_beginning_many() {
        assert_eq!(names(&["native-otel"]).unwrap(), [BASELINE, "native-otel"]);
        let many = names(&["native", "no-op"]).unwrap();
        assert_eq!(many.len(), 6, "{many:?}");
        assert!(names(&[]).unwrap().len() > 20);
    }

    #[test]
    fn a_wrong_name_is_told_the_right_ones() {
        let error = names(&["nativ", "jaeger"]).unwrap_err().to_string();
        for part in ["`jaeger`", "native-zipkin", "unsampled, keep"] {
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_preset_names_candidates_that_there_are_and_whom_they_are_held_against() {
        let all = names(&[]).unwrap();
        for preset in &preset::PRESETS {
            let chosen = names(&[preset.name]).unwrap();
            assert_eq!(chosen.len(), preset.candidates.len() + 1, "{}", preset.name);
            for candidate in candidate::all() {
                let is_alone = chosen.contains(&candidate.name)
                    && candidate
                        .floor
                        .is_some_and(|floor| !chosen.iter().any(|name| name == floor));
                assert!(!is_alone, "{}: {}", preset.name, candidate.name);
            }
            let is_beginning = all.iter().any(|name| name.starts_with(preset.name));
            assert_eq!(is_beginning, preset.name == "least", "{}", preset.name);
        }
    }

    #[test]
    fn every_round_touches_all_and_in_another_order() {
        let rounds: Vec<Vec<usize>> = (0..3).map(|round| turn(round, 21).collect()).collect();
        for round in &rounds {
            let mut sorted = round.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, (0..21).collect::<Vec<_>>());
        }
        let behind = |round: &[usize]| {
            let place = round.iter().position(|place| *place == 4).unwrap();
            round[(place + 1) % round.len()]
        };
        let neighbours: Vec<usize> = rounds.iter().map(|round| behind(round)).collect();
        assert!(neighbours[0] != neighbours[1] && neighbours[1] != neighbours[2]);
        assert!(rounds[0][0] != rounds[1][0] && rounds[1][0] != rounds[2][0]);
        assert_eq!(turn(5, 1).collect::<Vec<_>>(), [0]);
        assert_eq!(turn(5, 2).count(), 2);
    }
}
