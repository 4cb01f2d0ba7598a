//! The newcomer's page: its commands are run as they stand, in an empty folder, with its files, and without a network.

use std::fs;
use std::path::Path;
use std::process::Command;

const PAGE: &str = include_str!("../../../harness/first-filter.md");

/// Returns the blocks of the page in this language, in order.
fn blocks(language: &str) -> Vec<&'static str> {
    let open = format!("```{language}\n");
    let behind = PAGE.split(open.as_str()).skip(1);
    let blocks = behind.map(|rest| rest.split_once("```").expect("the end of a block").0);
    blocks.collect()
}

#[test]
fn the_commands_of_the_page_lead_from_nothing_to_a_scenario_that_passes() {
    let commands: Vec<_> = blocks("sh").into_iter().flat_map(str::lines).collect();
    assert_eq!(commands.len(), 5, "{commands:#?}");
    let (created, rest) = commands.split_first().expect("five commands");
    let (rust, yaml) = (block("rust"), block("yaml"));
    let folder = tempfile::tempdir().expect("an empty folder");
    run(
        folder.path(),
        &[created.split(" && ").next().expect("cargo new")],
    );
    let package = folder.path().join("greeter");
    fs::write(package.join("src/lib.rs"), rust).expect("the filter");
    fs::write(package.join("scenario.yaml"), yaml).expect("the scenario");
    let said = run(&package, rest);
    assert!(said.trim_end().ends_with("\n  as expected"), "{said}");
    // The scenario is no formality: without the filter's line it fails.
    fs::write(
        package.join("scenario.yaml"),
        yaml.replace("hello", "good bye"),
    )
    .expect("another scenario");
    let last = rest.last().expect("the run");
    let ended = shell(&package, &[last]).output().expect("a shell");
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
}

/// Returns the only block of the page in this language.
fn block(language: &str) -> &'static str {
    let blocks = blocks(language);
    assert_eq!(blocks.len(), 1, "blocks of {language}");
    blocks[0]
}

fn run(folder: &Path, commands: &[&str]) -> String {
    let ended = shell(folder, commands).output().expect("a shell");
    let text = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(
        ended.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    text
}

fn shell(folder: &Path, commands: &[&str]) -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_sidespan-program"));
    // The program under the name that a reader has it by.
    let named = format!("sidespan() {{ {} \"$@\"; }}", program.display());
    let mut shell = Command::new("bash");
    shell
        .current_dir(folder)
        .args([
            "-ec",
            &[named.as_str()]
                .into_iter()
                .chain(commands.iter().copied())
                .collect::<Vec<_>>()
                .join("\n"),
        ])
        .env("CARGO_NET_OFFLINE", "true")
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .env_remove("RUSTFLAGS");
    shell
}
