//! Workflow commands of GitHub Actions, which a pull request shows at file and line:
//! <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>.
//!
//! ```text
//! ::error file=istio/base/wasmplugin.yaml,line=32,title=WasmPlugin shop/cart::$.spec.pluginConfig.sampling.percentage: …
//! ```
//!
//! The verdict on each file follows, for whoever reads the log.

use std::env;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use super::line::{place, strictness, verdict};
use crate::check::report::Finding;
use crate::check::results::Results;

/// Writes an annotation for each error and each warning.
///
/// # Errors
/// When nothing can be written.
pub fn results(results: &Results, out: &mut impl Write) -> io::Result<()> {
    let here = env::current_dir().unwrap_or_default();
    // A step may run in a folder below; annotations name files from the root of the repository.
    let root = env::var_os("GITHUB_WORKSPACE").map_or_else(|| here.clone(), PathBuf::from);
    for report in &results.reports {
        let file = (report.file != "-").then(|| relative(&report.file, &here, &root));
        let warning = if results.strict { "error" } else { "warning" };
        for (level, list) in [("error", &report.errors), (warning, &report.warnings)] {
            for finding in list {
                writeln!(out, "{}", annotation(level, file.as_deref(), finding))?;
            }
        }
    }
    let verdicts = results
        .reports
        .iter()
        .filter_map(|report| verdict(report, results.strict));
    for line in verdicts.chain(strictness(results)) {
        // A line that begins with :: would be a command, and names of files may have any character.
        let line = line.replace(['\r', '\n'], " ");
        writeln!(out, "{}", line.trim_start_matches(':'))?;
    }
    Ok(())
}

fn annotation(level: &str, file: Option<&str>, finding: &Finding) -> String {
    let mut properties = Vec::new();
    if let Some(file) = file {
        properties.push(format!("file={}", property(file)));
        properties.extend(finding.line.map(|line| format!("line={line}")));
    }
    let title = finding.resource.as_deref().unwrap_or("sidespan check");
    properties.push(format!("title={}", property(title)));
    format!(
        "::{level} {}::{}",
        properties.join(","),
        data(&place(finding))
    )
}

/// Returns a path from the root of the repository, with `/` between its parts; as it is, where it is not below.
fn relative(file: &str, here: &Path, root: &Path) -> String {
    let mut whole = PathBuf::new();
    for part in here.join(file).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(whole.pop()),
            part => whole.push(part),
        }
    }
    match whole.strip_prefix(root) {
        Ok(below) => {
            let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
            parts.join("/")
        }
        Err(_) => file.into(),
    }
}

/// Escapes a message, as `@actions/core` does.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// Escapes the value of a property, as `@actions/core` does.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{annotation, relative};
    use crate::check::report::Finding;

    #[test]
    fn annotations_are_escaped_by_githubs_rules() {
        let finding = |message: &str| Finding::new(2, "$.sampling", message);
        let placed = Finding {
            resource: Some("WasmPlugin shop/a,b".into()),
            line: Some(7),
            ..finding("5 % of\r\nall: more, or less")
        };
        for (level, file, finding, expected) in [
            (
                "error",
                Some("a.yaml"),
                finding("no"),
                "::error file=a.yaml,title=sidespan check::$.sampling: no",
            ),
            (
                "warning",
                None,
                placed.clone(),
                "::warning title=WasmPlugin shop/a%2Cb::WasmPlugin shop/a,b: $.sampling: 5 %25 of%0D%0Aall: more, or less",
            ),
            (
                "error",
                Some("50%:x,y.yaml"),
                placed,
                "::error file=50%25%3Ax%2Cy.yaml,line=7,title=WasmPlugin shop/a%2Cb::WasmPlugin shop/a,b: $.sampling: 5 %25 \
                 of%0D%0Aall: more, or less",
            ),
        ] {
            assert_eq!(annotation(level, file, &finding), expected);
        }
    }

    #[test]
    fn files_are_named_from_the_root_of_the_repository() {
        for (file, here, expected) in [
            ("istio/a.yaml", "/repo", "istio/a.yaml"),
            ("./istio/a.yaml", "/repo", "istio/a.yaml"),
            ("a.yaml", "/repo/istio", "istio/a.yaml"),
            ("../a.yaml", "/repo/istio", "a.yaml"),
            ("/repo/istio/a.yaml", "/tmp", "istio/a.yaml"),
            ("/etc/a.yaml", "/repo", "/etc/a.yaml"),
        ] {
            let found = relative(file, Path::new(here), Path::new("/repo"));
            assert_eq!(found, expected, "{file} in {here}");
        }
    }
}
