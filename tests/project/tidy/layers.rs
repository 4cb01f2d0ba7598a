//! Layers: the order in which the modules of a folder may use each other, lowest first.
//!
//! In this test a room is a file, or a folder with the file of its name (its face). A `use` or a path by `crate::…` or
//! `super::…` goes to the room that it names, and may only go down. A face may use its children; no child uses its face. A
//! folder without a row in the table may have any order, but no circle.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{files, is_test_file, read, root};

mod paths;
mod table;

use table::{LAYERS, OFFENDERS};

/// An import: the folder in whose order it counts, the importing file, and the imported room.
type Import = (String, String, String);

/// The modules of one crate: their paths, as in `["tracer", "keep", "decide"]`, and their files.
struct Modules {
    folder: String,
    files: BTreeMap<Vec<String>, String>,
}

impl Modules {
    fn of(folder: &str) -> Self {
        let source = root().join(folder);
        let files = files(".rs")
            .into_iter()
            .filter(|path| path.starts_with(&source) && !is_test_file(path))
            .map(|path| (module(&path, &source), read(&path)))
            .filter(|(module, _)| module != &["main"])
            .collect();
        Self {
            folder: folder.to_owned(),
            files,
        }
    }

    /// Returns the module that a path leads to: the longest prefix of the path that is a module.
    fn named(&self, path: &[String]) -> Vec<String> {
        let lengths = (0..=path.len()).rev();
        let mut beginnings = lengths.map(|length| path[..length].to_vec());
        let module = beginnings.find(|module| self.files.contains_key(module));
        module.unwrap_or_default()
    }

    /// Returns every import of one room by another in the same folder, and of a face by its child.
    fn imports(&self) -> BTreeSet<Import> {
        let mut imports = BTreeSet::new();
        for (from, text) in &self.files {
            for path in paths::of(text, from) {
                let to = self.named(&path);
                let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
                // A face uses its children; no module below uses the crate's own face.
                if shared == from.len() {
                    continue;
                }
                let room = to.get(shared).map_or(FACE, String::as_str);
                let folder = [std::slice::from_ref(&self.folder), &from[..shared]]
                    .concat()
                    .join("/");
                imports.insert((folder, from[shared..].join("/"), room.to_owned()));
            }
        }
        imports
    }
}

/// Returns the path of the module that a file holds.
fn module(path: &Path, source: &Path) -> Vec<String> {
    let inner = path.strip_prefix(source).expect("a file of the crate");
    let inner = inner.with_extension("");
    let names = inner.iter().map(|name| name.to_string_lossy().into_owned());
    names.filter(|name| name != "lib").collect()
}

/// Returns the imports that go up in the order of their folder, or within a circle where the folder has no order.
fn upward(imports: &BTreeSet<Import>, layers: &[(&str, &[&str])]) -> BTreeSet<Import> {
    let is_upward = |(folder, from, room): &&Import| {
        let (from, _) = from.split_once('/').unwrap_or((from, ""));
        if room == FACE {
            return true;
        }
        let order = layers.iter().find(|(name, _)| name == folder);
        match order {
            Some((_, order)) => {
                let place = |room: &str| order.iter().position(|name| *name == room);
                place(room) > place(from)
            }
            None => leads_to(imports, folder, room, from),
        }
    };
    imports.iter().filter(is_upward).cloned().collect()
}

/// Returns true if the imports within a folder lead from one room to another.
fn leads_to(imports: &BTreeSet<Import>, folder: &str, from: &str, to: &str) -> bool {
    let mut reached = BTreeSet::from([from]);
    loop {
        let size = reached.len();
        for (place, file, room) in imports {
            let (file, _) = file.split_once('/').unwrap_or((file, ""));
            if place == folder && reached.contains(file) {
                reached.insert(room);
            }
        }
        if reached.contains(to) || reached.len() == size {
            return reached.contains(to);
        }
    }
}

#[test]
fn imports_run_one_way() {
    let mut found = BTreeSet::new();
    for folder in CRATES {
        found.extend(upward(&Modules::of(folder).imports(), LAYERS));
    }
    let known: BTreeSet<Import> = OFFENDERS
        .lines()
        .filter_map(|line| {
            let (from, room) = line.split_once(" -> ")?;
            let (folder, from) = from.split_once(": ")?;
            Some((folder.into(), from.into(), room.into()))
        })
        .collect();
    let lines = |imports: &mut dyn Iterator<Item = &Import>| {
        let lines = imports.map(|(folder, from, room)| format!("{folder}: {from} -> {room}"));
        lines.collect::<Vec<_>>().join("\n")
    };
    let new = lines(&mut found.difference(&known));
    assert!(new.is_empty(), "imports that go up:\n{new}");
    let mended = lines(&mut known.difference(&found));
    assert!(mended.is_empty(), "mended; take off the list:\n{mended}");
}

#[test]
fn every_room_has_its_layer() {
    for (folder, order) in LAYERS {
        let (source, inner) = folder.split_once("/src").expect("a folder of sources");
        let modules = Modules::of(&format!("{source}/src"));
        let depth = inner.split('/').filter(|name| !name.is_empty()).count();
        let inner: Vec<_> = inner.split('/').filter(|name| !name.is_empty()).collect();
        let rooms: BTreeSet<_> = modules
            .files
            .keys()
            .filter(|module| module.len() > depth && module[..depth] == inner[..])
            .map(|module| module[depth].as_str())
            .collect();
        assert_eq!(rooms, order.iter().copied().collect(), "{folder}");
    }
}

#[test]
fn an_import_that_goes_up_is_found() {
    let files = [
        ("ground", "use crate::roof::Roof;"),
        ("roof", "use crate::ground::{self, Ground};"),
        (
            "roof/tile",
            "use super::Roof;\nfn f() { crate::ground::f(); }",
        ),
        ("wall", "use super::stair;"),
        ("stair", "pub fn climb() { super::wall::lean() }"),
    ];
    let modules = Modules {
        folder: "house/src".to_owned(),
        files: [("", "mod ground;")]
            .iter()
            .chain(&files)
            .map(|(name, text)| {
                let module = name.split('/').filter(|name| !name.is_empty());
                (module.map(str::to_owned).collect(), (*text).to_owned())
            })
            .collect(),
    };
    let imports = modules.imports();
    let import = |folder: &str, from: &str, room: &str| {
        (folder.to_owned(), from.to_owned(), room.to_owned())
    };
    let face = import("house/src/roof", "tile", FACE);
    let order: &[&str] = &["ground", "wall", "stair", "roof"];
    assert_eq!(
        upward(&imports, &[("house/src", order)]),
        BTreeSet::from([
            face.clone(),
            import("house/src", "ground", "roof"),
            import("house/src", "wall", "stair"),
        ])
    );
    let circles = upward(&imports, &[]);
    assert!(
        circles.contains(&import("house/src", "stair", "wall")),
        "{circles:?}"
    );
    assert_eq!(circles.len(), 6, "{circles:?}");
}

/// Crates whose imports must run one way.
const CRATES: [&str; 7] = [
    "filter/core/src",
    "filter/abi/src",
    "filter/plugin/src",
    "harness/host/src",
    "harness/sink/src",
    "harness/envoy/src",
    "harness/cli/src",
];
/// The name of a room for the face above it.
const FACE: &str = "its face";
