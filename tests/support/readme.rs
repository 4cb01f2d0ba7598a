//! Tables of the filter's README that a test has observed: they stand between two comments and are compared with the
//! test's.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use sidespan_core::propagation::format::Format;

/// Prints the observed table and compares it with the part of the README between `<!-- name -->` and `<!-- /name -->`. With
/// `SIDESPAN_UPDATE=1` in the environment, writes that part anew instead.
///
/// # Panics
/// When they differ, or the README has no such part.
pub fn documents(name: &str, observed: &str) {
    // A lock, because two tests that write the same file would lose each other's part.
    static WRITING: Mutex<()> = Mutex::new(());
    let _alone = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    println!("{observed}");
    let path = path();
    let readme = fs::read_to_string(&path).expect("the filter's README");
    let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let part = readme.split_once(&open).and_then(|(before, rest)| {
        let (documented, after) = rest.split_once(&close)?;
        Some((before, documented, after))
    });
    let (before, documented, after) =
        part.unwrap_or_else(|| panic!("{} has no part `{name}`", path.display()));
    if documented == observed {
        return;
    }
    assert!(
        std::env::var_os("SIDESPAN_UPDATE").is_some_and(|value| value == "1"),
        "`{name}` in {} is not what was observed; SIDESPAN_UPDATE=1 writes it:\n{observed}",
        path.display()
    );
    let updated = [before, &open, observed, &close, after].concat();
    fs::write(&path, updated).expect("the filter's README");
}

/// Names formats as shortly as is unambiguous: as a list, or as all but a list.
pub fn formats(named: &[Format], all: &[Format]) -> String {
    let list = |formats: Vec<&Format>| {
        let names = formats.iter().map(|it| format!("`{}`", it.name()));
        names.collect::<Vec<_>>().join(", ")
    };
    let others: Vec<_> = all.iter().filter(|it| !named.contains(it)).collect();
    match others.len() {
        0 => "any".into(),
        1 | 2 => format!("any but {}", list(others)),
        _ => list(named.iter().collect()),
    }
}

/// Returns the filter's README.
///
/// # Panics
/// When the file is missing.
pub fn text() -> String {
    fs::read_to_string(path()).expect("the filter's README")
}

fn path() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.with_file_name("filter").join("README.md")
}
