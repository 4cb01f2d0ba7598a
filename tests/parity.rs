//! Parity: the same scenarios on the built-in host and on a real Envoy, with the same expectations and the same
//! observations.

mod determinism;
mod external;
mod schema;

use std::fs;
use std::path::Path;

/// Returns the scenarios of `harness/scenarios.md`: the blocks behind `<!-- scenario -->`.
fn documented_scenarios() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../harness/scenarios.md");
    let page = fs::read_to_string(path).expect("the page");
    let blocks = page.split("<!-- scenario -->\n```yaml\n").skip(1);
    let scenarios: Vec<_> = blocks
        .map(|rest| rest.split("\n```").next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(scenarios.len(), 12, "examples, one for each task");
    scenarios
}
