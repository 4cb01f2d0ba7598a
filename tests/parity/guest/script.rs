//! The script: sections of lines, and the variables that lines may use.

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::calls::run_line;
use crate::host;

/// Everything that lives as long as the VM.
#[derive(Default)]
pub struct State {
    sections: Vec<Section>,
    variables: BTreeMap<String, u64>,
    counts: BTreeMap<(u64, &'static str), u32>,
}

struct Section {
    callback: String,
    number: Option<u32>,
    end: bool,
    lines: Vec<String>,
}

static STATE: Mutex<Option<State>> = Mutex::new(None);

/// Does something with the state. Host calls are made outside, because the host may call back.
pub fn with<T>(work: impl FnOnce(&mut State) -> T) -> T {
    let mut state = STATE
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    work(state.get_or_insert_with(State::default))
}

/// Reads a script, in place of the one before.
pub fn load(text: &str) {
    let mut sections: Vec<Section> = Vec::new();
    for line in text.lines() {
        let line = line.trim();
        if line.is_empty() || line.starts_with("# ") {
            continue;
        }
        if let Some(head) = line.strip_prefix("on ") {
            let mut parts = head.split_whitespace();
            let callback = parts.next().unwrap_or_default();
            let (callback, number) = callback.split_once('#').unwrap_or((callback, ""));
            sections.push(Section {
                callback: callback.into(),
                number: number.parse().ok(),
                end: parts.next() == Some("end"),
                lines: Vec::new(),
            });
        } else if let Some(section) = sections.last_mut() {
            section.lines.push(line.into());
        }
    }
    with(|state| state.sections = sections);
}

/// Runs the section of a callback; returns the number behind its `return`, or `fallback`.
pub fn run(callback: &'static str, context: u64, arguments: &[(&str, u64)], fallback: u32) -> u32 {
    let lines = with(|state| {
        let count = state.counts.entry((context, callback)).or_default();
        *count += 1;
        let count = *count;
        for (name, value) in [("context", context)].iter().chain(arguments) {
            state.variables.insert((*name).into(), *value);
        }
        let is_end = arguments.iter().any(|it| *it == ("end", 1));
        let of_callback = |section: &&Section| section.callback == callback;
        let all = || state.sections.iter().filter(of_callback);
        let chosen = all()
            .find(|section| section.number == Some(count))
            .or_else(|| all().find(|section| section.end && is_end))
            .or_else(|| all().find(|section| section.number.is_none() && !section.end));
        chosen.map_or(Vec::new(), |section| section.lines.clone())
    });
    let mut answer = fallback;
    for line in lines {
        if let Some(number) = line.strip_prefix("return ") {
            answer = number.trim().parse().unwrap_or(fallback);
        } else if line == "args" {
            let values = arguments
                .iter()
                .map(|(name, value)| format!("{name} {value}"));
            let values = values.collect::<Vec<_>>().join(", ");
            host::log(2, format!("{callback}: {values}").as_bytes());
        } else {
            run_line(callback, &line);
        }
    }
    answer
}

/// Returns a variable.
pub fn variable(name: &str) -> Option<u64> {
    with(|state| state.variables.get(name).copied())
}

/// Sets a variable.
pub fn set_variable(name: &str, value: u64) {
    with(|state| {
        state.variables.insert(name.into(), value);
    });
}
