//! The same filter in several languages, each on the built-in host and on a real Envoy.

use sidespan::run::On;
use sidespan_tests::guests;

use super::both::{compare, root, runner};

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn every_language_greets_alike_on_both() {
    let guests = [
        ("c", guests::c()),
        ("go", guests::go()),
        ("assemblyscript", guests::assemblyscript()),
        ("rust on the SDK", guests::rust_sdk()),
    ];
    let file = root().join("languages/greeter.yaml");
    let mut wrong = Vec::new();
    for (language, module) in guests {
        let runners = [On::Wasmtime, On::Envoy].map(|on| runner(on).guest("greeter", &module));
        let found = compare(&file, &runners);
        wrong.extend(found.into_iter().map(|it| format!("{language}: {it}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
