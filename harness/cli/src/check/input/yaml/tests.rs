//! Keys, aliases and merges as go-yaml reads them, and what is refused.

use super::{Reading, Remark, read};

fn json(text: &str) -> Vec<String> {
    let reading = read(text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
    reading
        .documents
        .iter()
        .map(|document| document.to_json())
        .collect()
}

/// Each row is what `YAMLToJSON` of sigs.k8s.io/yaml 1.6.0 makes of it.
#[test]
fn documents_are_what_kubernetes_makes_of_them() {
    for (text, expected) in [
        (
            "a: {no: 1, 010: 2, 'on': 3}\n",
            &[r#"{"a":{"false":1,"8":2,"on":3}}"#][..],
        ),
        (
            "a: yes\nb: \"yes\"\nc: 'no'\nd: |\n  no\n",
            &[r#"{"a":true,"b":"yes","c":"no","d":"no\n"}"#],
        ),
        (
            "a: !!str 5\nb: !!int \"5\"\nc: ! 5\nd: !own 5\n",
            &[r#"{"a":"5","b":5,"c":"5","d":"5"}"#],
        ),
        ("a: &x\nb: *x\n", &[r#"{"a":null,"b":null}"#]),
        (
            "base: &b {a: 1, c: 2}\nx:\n  a: 5\n  <<: *b\n",
            &[r#"{"base":{"a":1,"c":2},"x":{"a":1,"c":2}}"#],
        ),
        (
            "base: &b {a: 1, c: 2}\nx:\n  <<: *b\n  a: 5\n",
            &[r#"{"base":{"a":1,"c":2},"x":{"a":5,"c":2}}"#],
        ),
        (
            "b: &b {a: 1}\nc: &c {a: 2}\nx:\n  <<: [*b, *c]\n",
            &[r#"{"b":{"a":1},"c":{"a":2},"x":{"a":1}}"#],
        ),
        ("x:\n  \"<<\": {a: 1}\n", &[r#"{"x":{"<<":{"a":1}}}"#]),
        ("? &k foo\n: b\n*k : c\n", &[r#"{"foo":"c"}"#]),
        ("a: 1\n---\n---\n[b]\n", &[r#"{"a":1}"#, "null", r#"["b"]"#]),
        ("", &[]),
    ] {
        assert_eq!(json(text), expected, "{text}");
    }
}

fn remarks(list: &[Remark]) -> Vec<(usize, &str, usize, &str)> {
    list.iter()
        .map(|remark| {
            (
                remark.document,
                &*remark.path,
                remark.line,
                &*remark.message,
            )
        })
        .collect()
}

#[test]
fn keys_that_are_not_what_they_seem_are_remarked_on_with_their_line() {
    let Reading { refused, changed, .. } = read(
        "a: 1\n---\nb:\n- x\n- no: 1\n  010: 2\n  8080: 3\n  true: 4\n  c: {d: 5,\n      d: 6}\n~: 7\n",
    )
    .unwrap();
    assert_eq!(
        remarks(&changed),
        [
            (
                2,
                "$.b[1].no",
                5,
                "Kubernetes reads this key as the boolean false; write \"no\" in quotes"
            ),
            (
                2,
                "$.b[1].010",
                6,
                "Kubernetes reads this key as the number 8; write \"010\" in quotes"
            ),
        ]
    );
    assert_eq!(
        remarks(&refused),
        [
            (2, "$.b[1].c.d", 10, "repeated key"),
            (
                2,
                "$",
                11,
                "a key here is null, or no text, and Kubernetes refuses it; name it, or write it in quotes"
            ),
        ]
    );
}

#[test]
fn repeated_keys_are_found_in_long_objects_too() {
    let mut text: String = (0..5000)
        .map(|index| format!("key{index}: {index}\n"))
        .collect();
    assert_eq!(read(&text).unwrap().refused, []);
    text.push_str("key7: 1\nkey4999: 2\n");
    let refused = read(&text).unwrap().refused;
    let told: Vec<_> = refused
        .iter()
        .map(|remark| (&*remark.path, remark.line))
        .collect();
    assert_eq!(told, [("$.key7", 5001), ("$.key4999", 5002)]);
}

#[test]
fn what_cannot_be_read_is_told_in_words_of_ours() {
    for (text, part, line) in [
        (
            "a:\n\t- b\n",
            "a tab in the indentation, where YAML takes spaces alone; replace the tabs",
            2,
        ),
        (
            "a: 1\nb: &x [*x]\n",
            "an alias (*…) stands within what it repeats",
            2,
        ),
        (
            "a: *x\n",
            "an alias (*…) of an anchor (&…) that is not in this document",
            1,
        ),
        ("a: &x 1\n---\nb: *x\n", "that is not in this document", 3),
        ("x: {<<: 5}\n", "behind the merge key <<", 1),
        (
            "? [a]\n: b\n",
            "expected text as a key, found a list or an object",
            1,
        ),
        (
            "a: {{ .Values.a }}\n",
            "expected text as a key, found a list or an object",
            1,
        ),
        ("a: .inf\n", "expected a finite number", 1),
        (
            "a: !!int five\n",
            "expected a value of the type that its tag (!!…) names",
            1,
        ),
        ("a: [1\nb: 2\n", "expected YAML or JSON: ", 2),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.message.contains(part), "{text}: {error:?}");
        assert_eq!(error.line, Some(line), "{text}: {error:?}");
    }
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(
        read(&deep)
            .unwrap_err()
            .message
            .starts_with("nested too deep")
    );
}

/// Returns a text whose last line would have ten to the power of `levels` nodes.
fn bomb(levels: usize) -> String {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..levels {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    text
}

#[test]
fn a_bomb_of_aliases_is_refused_and_honest_use_is_not() {
    assert_eq!(read(&bomb(3)).unwrap().documents.len(), 1);
    let error = read(&bomb(9)).unwrap_err();
    assert!(
        error.message.starts_with("too large: what its aliases"),
        "{error:?}"
    );
    let text = format!(
        "a: &a {}\nb: [{}]\n",
        "x".repeat(1 << 20),
        vec!["*a"; 2000].join(", ")
    );
    assert!(read(&text).unwrap_err().message.starts_with("too large"));
    // Anchors within anchors, without any alias.
    let anchors: String = (0..500).map(|index| format!("&a{index} [")).collect();
    let text = format!("{anchors}{}{}", "x, ".repeat(20_000), "]".repeat(500));
    assert!(read(&text).unwrap_err().message.starts_with("too large"));
}
