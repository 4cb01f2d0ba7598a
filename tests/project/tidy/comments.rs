//! The first words of documentation: a verb in the third person or a noun, and no word that leaves its noun out.

use super::{files, read, root};

/// Words with which no documentation begins, because a reader who sees its first line alone learns nothing from them.
const RIDDLES: [&str; 12] = [
    "What ", "Whether ", "How ", "The same", "It ", "They ", "Those ", "Of ", "By ", "To ", "So ",
    "Where ",
];

/// Returns the first lines of documentation that begin with one of these words, each with its number.
fn riddles(text: &str) -> Vec<(usize, &str)> {
    let documentation = |line: &str| line.trim_start().starts_with("///");
    let lines: Vec<_> = text.lines().collect();
    let is_first = |index: usize| index == 0 || !documentation(lines[index - 1]);
    let firsts = lines
        .iter()
        .enumerate()
        .filter(|(index, line)| documentation(line) && is_first(*index));
    firsts
        .filter(|(_, line)| {
            let words = line.trim_start().trim_start_matches("///").trim_start();
            RIDDLES.iter().any(|riddle| words.starts_with(riddle))
        })
        .map(|(index, line)| (index + 1, *line))
        .collect()
}

#[test]
fn documentation_begins_with_a_verb_or_a_noun() {
    let mut found = Vec::new();
    for path in files(".rs") {
        // The documentation of an argument is what `--help` says, and speaks to its reader.
        let text = read(&path);
        if text.contains("clap::") {
            continue;
        }
        let name = path.strip_prefix(root()).expect("a file of ours").display();
        found.extend(
            riddles(&text)
                .iter()
                .map(|(line, text)| format!("{name}:{line}: {text}")),
        );
    }
    assert!(found.is_empty(), "say the noun:\n{}", found.join("\n"));
}

#[test]
fn a_riddle_is_found_in_the_first_line_alone() {
    let text = "/// What it is.\nfn a() {}\n/// Returns a value.\n/// What for, nobody knows.\nfn b() {}\n";
    assert_eq!(riddles(text), [(1, "/// What it is.")]);
}
