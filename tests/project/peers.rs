//! The table of versions in `tests/peers/README.md`: each is the one that its file pins.

use std::fs;
use std::path::Path;

#[test]
fn the_table_of_peers_has_the_versions_that_are_pinned() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |name: &str| {
        let path = root.join(name);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let readme = read("tests/peers/README.md");
    let (_, table) = readme.split_once("| pinned in |").expect("the table");
    let (table, _) = table.split_once("\n\n").expect("its end");
    let mut rows = 0;
    for row in table.lines().skip(2) {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [_, version, place] = cells[..] else {
            panic!("expected three cells: {row}");
        };
        let (version, _) = version.split_once(',').unwrap_or((version, ""));
        let (file, name) = place.split_once(", ").expect("a file and a name");
        let [file, name] = [file, name].map(|text| text.trim_matches('`'));
        let pins = read(file);
        let mut lines = pins.lines().map(str::trim);
        let is_pinned = lines.any(|line| {
            let mut words = line.trim_start_matches("require ").split_whitespace();
            let go = words.next() == Some(name) && words.next() == Some(version);
            go || line.contains(&format!("const {name}: &str = \"{version}\";"))
        });
        assert!(is_pinned, "{file} does not pin {name} to {version}");
        rows += 1;
    }
    assert!(rows >= 5, "{rows} rows");
}
