//! The module tells nothing of who built it: from the same sources every builder, whatever their folders are called, gets
//! the same bytes, so that a digest says which filter runs.

use std::env;

/// Paths of the compiler's own library are the same everywhere; those of crates begin with the builder's `CARGO_HOME`.
#[test]
fn the_module_holds_no_path_of_its_builder() {
    let text = String::from_utf8_lossy(sidespan::FILTER);
    let variables = ["HOME", "CARGO_HOME"].map(|name| env::var(name).ok());
    let own = variables.into_iter().flatten();
    let root = env!("CARGO_MANIFEST_DIR").into();
    for folder in own.chain([root, "/registry/src".into(), "/git/checkouts".into()]) {
        // A file of ours may be called like a folder of theirs.
        let path = folder + "/";
        let found = text.find(&path).map(|at| text[at..].chars().take(200));
        let found = found.map(String::from_iter);
        assert_eq!(found, None, "{path} stands in the module");
    }
}
