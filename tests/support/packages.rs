//! Packages of Python and Node, installed below `target` once for their pins, by the first test that needs them.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::envoy::target_dir;

/// Returns the virtual environment of this name, with what these lines of a `requirements.txt` pin and nothing else.
///
/// # Panics
/// With the missing package, when the installation fails.
pub fn python(name: &str, requirements: &str) -> PathBuf {
    installed(name, requirements, |folder| {
        run(Command::new("python3").args([
            OsStr::new("-m"),
            OsStr::new("venv"),
            folder.as_os_str(),
        ]));
        let pins = folder.join("requirements.txt");
        fs::write(&pins, requirements).expect("a file below target");
        run(Command::new(folder.join("bin/python"))
            .args(["-m", "pip", "install", "--disable-pip-version-check"])
            .args(["--quiet", "--no-deps", "-r"])
            .arg(pins));
    })
}

/// Returns the folder of `node_modules` of this name, with what a `package.json` pins.
///
/// # Panics
/// As [`python`].
pub fn node(name: &str, package: &str) -> PathBuf {
    let folder = installed(name, package, |folder| {
        fs::write(folder.join("package.json"), package).expect("a file below target");
        // The packages name disjoint ranges of one API and work with any of them.
        run(Command::new("npm").current_dir(folder).args([
            "install",
            "--silent",
            "--legacy-peer-deps",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--no-package-lock",
        ]));
    });
    folder.join("node_modules")
}

/// Returns the folder below `target/packages`, as [`installed_below`] fills it.
fn installed(name: &str, pins: &str, fill: impl Fn(&Path)) -> PathBuf {
    installed_below("packages", name, pins, fill)
}

/// Returns a folder below `target`, which the first call with these pins fills; a folder that was half filled, or filled
/// for other pins, is thrown away.
pub(crate) fn installed_below(
    place: &str,
    name: &str,
    pins: &str,
    fill: impl Fn(&Path),
) -> PathBuf {
    let packages = target_dir().join(place);
    fs::create_dir_all(&packages).expect("a folder below target");
    let folder = packages.join(name);
    let mark = folder.join("complete");
    let is_complete = || fs::read_to_string(&mark).is_ok_and(|done| done == pins);
    if is_complete() {
        return folder;
    }
    let lock = File::create(packages.join(format!("{name}.lock"))).expect("a file below target");
    lock.lock().expect("one installs, the others wait");
    if is_complete() {
        return folder;
    }
    tell(&format!("installing {name} into {}", folder.display()));
    if folder.exists() {
        fs::remove_dir_all(&folder).expect("an old installation goes");
    }
    fs::create_dir_all(&folder).expect("a folder below target");
    fill(&folder);
    fs::write(mark, pins).expect("a file below target");
    folder
}

fn run(command: &mut Command) {
    run_or(command, HELP);
}

/// Returns all that a build depends on: the files of a folder, one behind the other.
pub(crate) fn texts(folder: &Path) -> String {
    let entries = fs::read_dir(folder).expect("the sources of a build");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    let read = |path: &PathBuf| fs::read_to_string(path).expect("a text");
    paths.iter().map(read).collect()
}

/// Runs a command that installs something.
///
/// # Panics
/// With what the command says and the help, when the command fails.
pub(crate) fn run_or(command: &mut Command, help: &str) {
    output_or(command, help);
}

/// Returns what a command writes.
///
/// # Panics
/// As [`run_or`].
pub(crate) fn output_or(command: &mut Command, help: &str) -> Vec<u8> {
    match command.output() {
        Ok(output) if output.status.success() => output.stdout,
        Ok(output) => {
            let errors = String::from_utf8_lossy(&output.stderr);
            panic!("{command:?}: {errors}\n{help}")
        }
        Err(error) => panic!("{command:?}: {error}\n{help}"),
    }
}

/// Writes to standard error directly, because the test harness hides the output of a test that passes.
fn tell(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

const HELP: &str = "This test needs python3 with venv, node and npm, and what they install from.";
