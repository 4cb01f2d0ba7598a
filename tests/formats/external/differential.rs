//! Our reading of headers beside that of OpenTelemetry's Python and JavaScript propagators.
//!
//! Headers are made from a seed and read by the core and by both libraries; every disagreement must be a row of a table
//! that names its rule and the side at fault. By default each format has 1,000 header sets and a fixed seed.
//! `SIDESPAN_DIFFERENTIAL=10000` makes that many of each with that number as the seed, and prints the count of each row;
//! `0` leaves the test out where nothing can be installed.

mod answer;
mod generate;
mod install;
mod rows;

use std::collections::BTreeMap;
use std::env;

use answer::{Case, Library};
use generate::{FORMATS, Random};

const ORDINARY: usize = 1000;

#[test]
#[cfg_attr(no_packages, ignore = "python3 with venv, node and npm are needed")]
fn every_disagreement_with_opentelemetrys_propagators_is_a_row() {
    let wanted = env::var("SIDESPAN_DIFFERENTIAL").ok();
    let count = wanted.as_ref().map_or(ORDINARY, |count| {
        count.parse().expect("SIDESPAN_DIFFERENTIAL is a number")
    });
    if count == 0 {
        return;
    }
    let mut random = Random::new(count);
    let asked: Vec<_> = FORMATS
        .iter()
        .flat_map(|format| vec![*format; count])
        .map(|format| (format, generate::headers(format, &mut random)))
        .collect();
    let mut matched = BTreeMap::new();
    let mut unknown = Vec::new();
    for library in [Library::Python, Library::JavaScript] {
        let answers = install::ask(library, &asked);
        for ((format, headers), theirs) in asked.iter().zip(answers) {
            let case = Case::new(library, format, headers, theirs);
            let row = rows::of(&case);
            if !case.agrees() && row.is_none() {
                unknown.push(case.to_string());
            }
            let verdict = match row {
                _ if case.agrees() => "agree",
                Some(row) => row.name,
                None => "?",
            };
            *matched.entry((*format, library, verdict)).or_insert(0) += 1;
        }
    }
    if wanted.is_some() {
        print(&matched);
    }
    let few = unknown.len().min(30);
    assert!(
        unknown.is_empty(),
        "{} disagreements have no row; the first {few}:\n{}",
        unknown.len(),
        unknown[..few].join("\n")
    );
}

#[test]
fn every_row_has_a_name_of_its_own() {
    let mut names: Vec<_> = rows::all().map(|row| (row.library, row.name)).collect();
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
}

/// Prints the count of each row, and the rows without a match, which the library may have mended or the generator never
/// makes.
fn print(matched: &BTreeMap<(&str, Library, &str), usize>) {
    for ((format, library, verdict), count) in matched {
        println!("{format:12} {library:?} {count:>7}  {verdict}");
    }
    for row in rows::all() {
        let is_met = |format: &&str| matched.contains_key(&(format, row.library, row.name));
        if !FORMATS.iter().any(is_met) {
            println!("never        {:?}          {}", row.library, row.name);
        }
    }
}
