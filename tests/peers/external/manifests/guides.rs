//! The commands and the YAML of `istio/README.md` and `istio/docs`: those that need no cluster are run and say what is shown, and of
//! the others every folder and file is there.

use std::fs;
use std::path::Path;
use std::process::Command;

use sidespan_tests::peers;

use super::rendered::{Shipped, assert_fine, output};

/// Stand-ins for what the guides call: `kubectl kustomize` is kustomize, whose code it has inside.
const PROGRAMS: &str = r#"
kubectl() { [ "$1" = kustomize ] && "$KUSTOMIZE" build "$2"; }
helm() { "$HELM" "$@"; }
sidespan() { "$SIDESPAN" "$@"; }
"#;

fn shipped() -> Shipped {
    Shipped::with(
        "registry.example.com/mesh/sidespan-filter:0.1.0",
        "otel-collector.observability.svc.cluster.local",
        4317,
    )
}

#[test]
fn every_command_that_needs_no_cluster_says_what_is_shown() {
    let shipped = shipped();
    let mut compared = 0;
    for (page, text) in pages() {
        for (command, shown) in blocks(&text, &["console", "sh"])
            .iter()
            .flat_map(|block| commands(block))
        {
            for word in command.split_whitespace() {
                let is_path = word.starts_with("istio/");
                assert!(
                    !is_path || shipped.root().join(word).exists(),
                    "{page}: {command}"
                );
                let folder = shipped.root().join(word);
                if is_path && command.contains(" -k ") {
                    assert!(folder.join("kustomization.yaml").is_file(), "{command}");
                }
            }
            let runs = ["kubectl kustomize ", "helm template "];
            if !runs.iter().any(|start| command.starts_with(start)) {
                // What this one says is held in `program::manifests`, which has its file.
                let is_held = command == "sidespan check telemetry.yaml";
                assert!(shown.is_empty() || is_held, "{page}: {command} is not run");
                continue;
            }
            let said = output(&mut shell(&shipped, &command));
            if !shown.is_empty() {
                assert_eq!(said, shown, "{page}: {command}");
                compared += 1;
            }
        }
    }
    assert!(compared >= 4, "{compared} compared");
}

#[test]
fn the_overlay_of_the_readme_builds() {
    let shipped = shipped();
    let (_, readme) = pages().swap_remove(0);
    let blocks = blocks(&readme, &["yaml"]);
    let overlay = blocks
        .iter()
        .find(|block| block.starts_with("apiVersion: kustomize"));
    let overlay = overlay
        .expect("an overlay")
        .replace("vendor/sidespan/istio", "..");
    let folder = shipped.path("of-a-reader");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("kustomization.yaml"), overlay).expect("an overlay");
    let text = shipped.kustomize("of-a-reader");
    assert_fine("the overlay of the README", &text);
    assert_eq!(text.matches("percentage: 5\n").count(), 2, "{text}");
    assert_eq!(text.matches("kind: WasmPlugin").count(), 2, "{text}");
}

#[test]
fn every_patch_of_a_configuration_is_one_that_the_filter_takes() {
    let shipped = shipped();
    let mut patched = 0;
    for (page, text) in pages() {
        for block in blocks(&text, &["yaml"]) {
            if !block.starts_with("spec:\n  pluginConfig:") {
                continue;
            }
            let patch = format!(
                "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {{name: sidespan, namespace: istio-system}}\n{block}"
            );
            let rest = format!("patches: [{{patch: {}}}]\n", serde_json::json!(patch));
            assert_fine(&page, &shipped.overlay(&[], &rest));
            patched += 1;
        }
    }
    assert!(patched >= 2, "{patched} patches");
}

#[test]
fn a_canary_can_be_one_workload_and_have_an_image_of_its_own() {
    let shipped = shipped();
    let pages = pages();
    let page = |name: &str| {
        let found = pages.iter().find(|(page, _)| page == name);
        &found.expect("the page").1
    };
    let canary = shipped.path("overlays/canary/kustomization.yaml");
    let written = fs::read_to_string(&canary).expect("the canary");
    let (before, _) = written.split_once("patches:").expect("its patches");
    let patches = blocks(page("roll-out.md"), &["yaml"]);
    let patches = patches.iter().find(|block| block.starts_with("patches:"));
    fs::write(
        &canary,
        format!("{before}{}", patches.expect("the patches")),
    )
    .expect("the canary");
    let upgrade = blocks(page("upgrade.md"), &["console"]);
    let upgrade = upgrade
        .iter()
        .find(|block| block.contains("cd istio/overlays/canary"));
    let script = upgrade.expect("the commands").replace("$ ", "");
    output(&mut shell(&shipped, &script));
    let text = shipped.kustomize("overlays/canary");
    assert_fine("a canary", &text);
    assert_eq!(text.matches("app: cart\n").count(), 2, "{text}");
    assert!(text.contains("sidespan-filter:0.2.0\n"), "{text}");
}

fn shell(shipped: &Shipped, script: &str) -> Command {
    let mut shell = Command::new("sh");
    shell
        .args(["-ec", &format!("{PROGRAMS}{script}")])
        .current_dir(shipped.root())
        .env("KUSTOMIZE", peers::kustomize())
        .env("HELM", peers::helm())
        .env("SIDESPAN", env!("CARGO_BIN_EXE_sidespan-program"));
    shell
}

/// Returns the name and the text of every page, the README first.
fn pages() -> Vec<(String, String)> {
    let istio = Path::new(env!("CARGO_MANIFEST_DIR")).join("../istio");
    let entries = fs::read_dir(istio.join("docs")).expect("the pages");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths.insert(0, istio.join("README.md"));
    paths
        .iter()
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy();
            (name.into_owned(), fs::read_to_string(path).expect("a page"))
        })
        .collect()
}

/// Returns the blocks of these languages, without what a list indents them by.
fn blocks(text: &str, languages: &[&str]) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let indent = line.len() - line.trim_start().len();
        let Some(language) = line.trim_start().strip_prefix("```") else {
            continue;
        };
        let inside = lines.by_ref().take_while(|line| line.trim() != "```");
        let block: String = inside
            .map(|line| format!("{}\n", line.get(indent..).unwrap_or_default()))
            .collect();
        if languages.contains(&language) {
            blocks.push(block);
        }
    }
    blocks
}

/// Returns the commands of a block, each with the output that is shown behind it. In a block without prompts every line is one.
fn commands(block: &str) -> Vec<(String, String)> {
    let has_prompts = block.starts_with("$ ");
    let mut commands: Vec<(String, String)> = Vec::new();
    for line in block.lines() {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push((command.into(), String::new())),
            (None, _) if !has_prompts => {
                let command = line.split(" #").next().unwrap_or_default();
                commands.push((command.trim_end().into(), String::new()));
            }
            // The rest of a command over several lines.
            (None, Some((command, _))) if command.ends_with(['\\', '|']) => {
                command.push('\n');
                command.push_str(line);
            }
            (None, Some((_, shown))) => {
                shown.push_str(line);
                shown.push('\n');
            }
            (None, None) => panic!("output without a command: {block}"),
        }
    }
    commands
}
