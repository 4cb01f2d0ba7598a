//! Other projects' files in the sink's page: each is as published, by its row of the table, with its licence; and the policy
//! of the page allows its import map.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

fn page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../harness/sink/page")
}

#[test]
fn every_file_is_the_published_one() {
    let folder = page().join("vendor");
    let table = fs::read_to_string(folder.join("README.md")).expect("the table");
    let mut named = BTreeSet::new();
    for row in table.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [file, package, version, licence, source, sum] = cells[..] else {
            panic!("expected six cells: {row}");
        };
        let file = file.trim_matches('`');
        let bytes = fs::read(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(
            hex::encode(Sha256::digest(&bytes)),
            sum.trim_matches('`'),
            "{file}"
        );
        assert!(matches!(licence, "MIT" | "Apache-2.0"), "{file}: {licence}");
        let is_version = version.split('.').all(|part| part.parse::<u32>().is_ok());
        assert!(
            !package.is_empty() && is_version && source.len() > 2,
            "{row}"
        );
        named.insert(file.to_owned());
    }
    let mut found = BTreeSet::new();
    for package in fs::read_dir(&folder).expect("a folder").flatten() {
        if package.path().is_dir() {
            let name = package.file_name().into_string().expect("a name");
            assert!(
                named.contains(&format!("{name}/LICENSE")),
                "{name} has no licence"
            );
            for file in fs::read_dir(package.path()).expect("a folder").flatten() {
                found.insert(format!("{name}/{}", file.file_name().to_string_lossy()));
            }
        }
    }
    assert_eq!(named, found);
}

#[test]
fn the_policy_of_the_page_has_the_hash_of_its_import_map() {
    let document = fs::read_to_string(page().join("index.html")).expect("the document");
    let (_, map) = document
        .split_once("<script type=\"importmap\">")
        .expect("a map");
    let (map, _) = map.split_once("</script>").expect("its end");
    let sum = STANDARD.encode(Sha256::digest(map));
    let answer = page().join("../src/page/answer.rs");
    let policy = fs::read_to_string(answer).expect("the policy");
    assert!(
        policy.contains(&format!("'sha256-{sum}'")),
        "POLICY of answer.rs needs sha256-{sum}"
    );
    let scripts = document.matches("<script").count();
    assert_eq!(
        (scripts, document.matches("src=").count()),
        (2, 1),
        "one inline script, the map"
    );
}
