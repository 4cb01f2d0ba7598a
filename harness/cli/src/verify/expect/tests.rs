//! The reading of expectation files, and what they accept.

use super::file::read;

#[test]
fn errors_name_the_line_and_what_is_accepted() {
    for (text, expected) in [
        ("spans:\n  - {servce: a}\n", "servce"),
        (
            "spans:\n  - {kind: sever}\n",
            "expected internal, server, client",
        ),
        (
            "spans:\n  - {name: 200}\n",
            "expected text, found 200; quote it",
        ),
        (
            "hops:\n  - front pay\n",
            "expected two services, as in front -> pay",
        ),
        (
            "spans:\n  - {service: a, count: {min: 3, max: 1}}\n",
            "expected min up to max",
        ),
        ("absent:\n  - {minDuration: 5}\n", "quote it"),
        (
            "spans:\n  - {attributes: {a: {min: 1, not: 2}}}\n",
            "expected min and max, or not alone",
        ),
    ] {
        let error = read("expect.yaml", text).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
        assert!(error.contains("expect.yaml"), "{error}");
        assert!(error.contains(":2:") || error.contains("line 2"), "{error}");
    }
}
