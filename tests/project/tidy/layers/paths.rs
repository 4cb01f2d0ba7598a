//! Paths to other modules of the same crate, read from a file's text.

/// Returns every path that begins with `crate` or `super`, from the crate's root: in `use` trees and elsewhere. What stands
/// in comments and in a file's own tests does not count.
pub(super) fn of(text: &str, module: &[String]) -> Vec<Vec<String>> {
    let inner = [
        "#[cfg(test)]\nmod tests {",
        "#[cfg(test)]\npub(super) mod tests {",
    ];
    let end = inner.iter().filter_map(|tests| text.find(tests)).min();
    let text = &text[..end.unwrap_or(text.len())];
    let code: Vec<_> = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect();
    let code = code.join("\n");
    let mut found = Vec::new();
    for start in ["crate::", "super::"] {
        for (place, _) in code.match_indices(start) {
            let before = code[..place].chars().next_back();
            let is_start = before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != ':');
            // `pub(in crate::…)` gives visibility and imports nothing.
            let is_start = is_start && !code[..place].ends_with("pub(in ");
            if is_start {
                let mut rest = &code[place..];
                tree(&mut rest, &[], &mut found);
            }
        }
    }
    let paths = found.into_iter();
    paths.filter_map(|path| absolute(&path, module)).collect()
}

/// Reads one tree, as in `a::{b, c::d}`, and adds each path through the tree.
fn tree(rest: &mut &str, before: &[String], found: &mut Vec<Vec<String>>) {
    let mut path = before.to_vec();
    loop {
        *rest = rest.trim_start();
        if let Some(inner) = rest.strip_prefix('{') {
            *rest = inner;
            loop {
                tree(rest, &path, found);
                *rest = rest.trim_start();
                match rest.strip_prefix(',') {
                    Some(next) => *rest = next,
                    None => break,
                }
                if rest.trim_start().starts_with('}') {
                    break;
                }
            }
            *rest = rest.trim_start();
            *rest = rest.strip_prefix('}').unwrap_or(rest);
            return;
        }
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
        let (name, next) = rest.split_at(end.unwrap_or(rest.len()));
        if name.is_empty() {
            break;
        }
        path.push(name.to_owned());
        *rest = next;
        match rest.strip_prefix("::") {
            Some(next) => *rest = next,
            None => break,
        }
    }
    if let Some(alias) = rest.strip_prefix(" as ") {
        let end = alias.find(|c: char| !c.is_alphanumeric() && c != '_');
        *rest = &alias[end.unwrap_or(alias.len())..];
    }
    found.push(path);
}

/// Returns a path from the crate's root, with `crate`, `self` and `super` resolved.
fn absolute(path: &[String], module: &[String]) -> Option<Vec<String>> {
    let (first, mut rest) = path.split_first()?;
    let mut base = module;
    if first == "crate" {
        base = &[];
    } else {
        rest = path;
        while let [first, inner @ ..] = rest
            && first == "super"
        {
            base = base.split_last()?.1;
            rest = inner;
        }
    }
    let names = rest.iter().filter(|name| *name != "self");
    Some(base.iter().chain(names).cloned().collect())
}

#[test]
fn paths_are_read_from_trees_and_from_code() {
    let text = "use crate::a::{self, b::{C, D as E}, f};\nfn g() { super::h(); my_crate::x() } // crate::no\n";
    let module = ["one".to_owned(), "two".to_owned()];
    let paths: Vec<_> = of(text, &module)
        .iter()
        .map(|path| path.join("/"))
        .collect();
    assert_eq!(paths, ["a", "a/b/C", "a/b/D", "a/f", "one/h"]);
}
