//! The rule book: every id quoted anywhere has an entry in `filter/RULES.md`, every entry is whole, every rule has a test.

use std::collections::BTreeSet;

use super::{AT_THE_ROOT, files, is_test_file, read, root};

const RULE_BOOK: &str = "filter/RULES.md";

/// The rule book's headings and table rows that begin with an id. A heading is one cell; a row has two cells for a rule
/// without a test and the excuse, three for a rule with its text and its source, four where the rule does not apply. The
/// stem of `TH-5` is `TH-`.
struct Book {
    rows: Vec<Vec<String>>,
    stems: BTreeSet<String>,
}

impl Book {
    fn read(text: &str) -> Self {
        let (mut rows, mut stems) = (Vec::new(), BTreeSet::new());
        for line in text.lines().filter(|line| line.starts_with(['#', '|'])) {
            let line = line.trim_start_matches('#').trim_start_matches('|');
            let cells = line.strip_suffix('|').unwrap_or(line).split('|');
            let mut row: Vec<_> = cells.map(|cell| cell.trim().to_owned()).collect();
            row[0] = row[0].split(' ').next().unwrap_or_default().into();
            stems.extend(is_rule(&row[0]).then(|| stem(&row[0]).to_owned()));
            let has_id = is_rule(&row[0]) || is_section(&row[0]);
            rows.extend((row.len() < 5 && has_id).then_some(row));
        }
        Self { rows, stems }
    }

    fn has(&self, id: &str) -> bool {
        self.rows.iter().any(|row| row[0] == id && row.len() != 2)
    }

    /// Returns the words of the form `TH-5` or `A15` whose stem some rule has.
    fn rules_in(&self, text: &str) -> Vec<String> {
        let words = text.split(|it: char| !it.is_ascii_alphanumeric() && it != '-');
        let ids = words.flat_map(|word| {
            let parts: Vec<_> = word.split('-').collect();
            let pairs: Vec<_> = parts.windows(2).map(|pair| pair.join("-")).collect();
            parts.into_iter().map(Into::into).chain(pairs)
        });
        let is_known = |id: &String| is_rule(id) && self.stems.contains(stem(id));
        ids.filter(is_known).collect()
    }

    /// Returns the ids that a text quotes, each with the number of the line.
    fn quoted(&self, text: &str) -> Vec<(usize, String)> {
        let (mut before, mut found) = ("", Vec::new());
        for (line, number) in text.lines().map(str::trim_start).zip(1..) {
            let name = line.trim_start_matches("async ").strip_prefix("fn ");
            let upper = name.map(|name| name.to_uppercase().replace('_', "-"));
            let mut ids = self.rules_in(upper.as_deref().unwrap_or(line));
            ids.extend(name.map_or_else(|| sections_in(before, line), sections_of));
            found.extend(ids.into_iter().map(|id| (number, id)));
            before = line;
        }
        found
    }
}

/// Returns `7.1` and `7.2` of `section_7_1_and_7_2_agree`.
fn sections_of(name: &str) -> Vec<String> {
    let behind = name.split("section_").skip(1);
    let parts = behind.flat_map(|part| part.split("_and_"));
    let is_other = |it: char| it != '_' && !it.is_ascii_digit();
    let numbers = parts.filter_map(|part| part.split(is_other).next());
    let ids = numbers.map(|number| number.trim_matches('_').replace('_', "."));
    ids.filter(|id| is_section(id)).collect()
}

/// Returns the sections that a line quotes; `before` is the line above, where another document may be named.
fn sections_in(before: &str, line: &str) -> Vec<String> {
    let (code, comment) = line.split_once("//").unwrap_or((line, ""));
    let code = code.replace('(', " ");
    let text = format!("{before} \n {code} {comment}").replace(['(', '"'], " ( ");
    let words: Vec<_> = text.split(' ').filter(|word| !word.is_empty()).collect();
    let start = words.iter().position(|word| *word == "\n");
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate().skip(start.unwrap_or_default()) {
        let is_named = match word.to_lowercase().trim_end_matches('s') {
            "section" | "table" | "appendix" => true,
            "(" => false,
            _ => continue,
        };
        let (mut ids, mut behind) = (Vec::new(), "");
        for word in &words[at + 1..] {
            let id = word.trim_end_matches(|it: char| !it.is_alphanumeric());
            if !is_section(id) && !is_rule(id) && id != "and" && id != "to" {
                break;
            }
            behind = &word[id.len()..];
            ids.extend(is_section(id).then(|| id.to_owned()));
        }
        // Without such a word in front, as in `(6.4.4)` or `"6.8: …"`, a number may be a version, or any other.
        let is_dotted = |id: &String| id.contains('.') && !id.contains('0') && id.len() < 6;
        let is_framed = behind.starts_with([')', ':']) && ids.iter().all(is_dotted);
        // Sections of other documents have numbers, too.
        let near = &words[at.saturating_sub(5)..at];
        if (is_named || is_framed) && !near.iter().any(|word| ["RFC", "FIPS"].contains(word)) {
            found.extend(ids);
        }
    }
    found
}

/// Returns true for `6.4.4`, `11`, `A` and `A.1`.
fn is_section(word: &str) -> bool {
    let is_number = |part: &str| part.parse::<u16>().is_ok();
    let (head, rest) = word.split_once('.').unwrap_or((word, "1"));
    (is_number(head) || matches!(head.as_bytes(), [b'A'..=b'Z'])) && rest.split('.').all(is_number)
}

/// Returns true for the form of `TH-5` and `A15`, whether or not there is such a rule.
fn is_rule(word: &str) -> bool {
    let is_vector = matches!(word.as_bytes(), [b'A'..=b'Z', b'0'..=b'9', b'0'..=b'9']);
    let number = word
        .split_once('-')
        .map(|(_, number)| number.parse::<u16>());
    is_vector || matches!(number, Some(Ok(_)))
}

fn stem(rule: &str) -> &str {
    rule.trim_end_matches(|it: char| it.is_ascii_digit())
}

#[test]
fn every_quoted_id_is_in_the_rule_book() {
    let book = Book::read(&read(&root().join(RULE_BOOK)));
    let at_the_root = AT_THE_ROOT.map(|name| root().join(name));
    let below = [".rs", ".md", ".yaml", ".toml", ".py"].map(files).concat();
    for path in below.into_iter().chain(at_the_root) {
        let mut ids = book.quoted(&read(&path));
        ids.retain(|(_, id)| !book.has(id));
        assert!(ids.is_empty(), "{}: no rule {ids:?}", path.display());
    }
}

#[test]
fn every_entry_of_the_rule_book_is_whole() {
    let text = read(&root().join(RULE_BOOK));
    let mut seen = BTreeSet::new();
    for row in Book::read(&text).rows.iter().filter(|row| row.len() > 2) {
        assert!(seen.insert(row[0].clone()), "{} is there twice", row[0]);
        let links = row[2].split("][").skip(1);
        let links = links.filter_map(|rest| rest.split(']').next());
        let mut urls = links.map(|link| text.contains(&format!("\n[{link}]: https://")));
        let has_source = row[2].contains("Sidespan: ") || row[2].contains("][");
        assert!(!row[1].is_empty() && has_source, "half of {}", row[0]);
        assert!(urls.all(|is_there| is_there), "{}: no link", row[0]);
    }
}

#[test]
fn every_rule_has_a_test_that_quotes_its_id() {
    let book = Book::read(&read(&root().join(RULE_BOOK)));
    let (mut quoted, mut code) = (BTreeSet::new(), String::new());
    for path in files(".rs") {
        let (text, is_test) = (read(&path), is_test_file(&path));
        let is_read = |line: &&str| is_test || line.trim_start().starts_with("fn ");
        let lines: Vec<_> = text.lines().filter(is_read).collect();
        let ids = book.quoted(&lines.join("\n"));
        quoted.extend(ids.into_iter().map(|(_, id)| id));
        code += &text;
    }
    let rows = |cells| book.rows.iter().filter(move |row| row.len() == cells);
    let rules = rows(3).map(|row| &row[0]);
    let missing: BTreeSet<_> = rules.filter(|id| !quoted.contains(*id)).collect();
    // An excuse names a rule that exists, names only tests that exist, and goes once a test quotes the rule.
    let excused = rows(2).map(|row| &row[0]).collect();
    let wrong: Vec<_> = missing.symmetric_difference(&excused).collect();
    assert!(
        wrong.is_empty(),
        "no test, or no use of an excuse: {wrong:?}"
    );
    let reasons = rows(2).flat_map(|row| row[1].split('`'));
    for name in reasons.filter(|part| part.contains('_')) {
        assert!(code.contains(&format!("fn {name}(")), "no test {name}");
    }
}

#[test]
fn an_id_that_is_not_in_the_book_is_seen_in_every_form() {
    let book = Book::read("## 6 S\n### 6.4 T\n| XY-1 | r | s |\n| Z01 | r | s |\n");
    for (text, expected) in [
        ("// XY-2, XY-1 to XY-3; UTF-8, x-xy-4", "XY-2 XY-1 XY-3"),
        (
            "fn xy_5_xy_1_z02_section_6_4_and_6_5() {",
            "Z02 XY-5 XY-1 6.4 6.5",
        ),
        ("// Sections 6.4 and 7; RFC 3986,\n// section 2.1", "6.4 7"),
        ("f(2.5); // (6.5, 6.6) of 1.37, not (1.44.0)", "6.5 6.6"),
        ("rule: \"6.6, XY-2: what\", \"1.5 of it\"", "XY-2 6.6"),
    ] {
        let found: Vec<_> = book.quoted(text).into_iter().map(|(_, id)| id).collect();
        assert_eq!(found.join(" "), expected, "{text}");
    }
    assert!(!book.has("XY-2") && book.has("XY-1") && book.has("6.4"));
}
