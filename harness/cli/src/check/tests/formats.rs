//! Forms of the output, `--strict` and `--schema`.

use std::fs;
use std::process::ExitCode;

use serde_json::Value;

use super::super::format::{Format, github, junit};
use super::super::{CheckArgs, Finding, Options, Results, run_to};

/// Two files: one with an error and a warning in its second document, one that is fine.
fn results(strict: bool) -> Results {
    let wrong = "kind: Namespace\n---\n\
                 propagation: {inject: [b3], mirror: false, extract: [b3, jaeger]}\n---\n\
                 sampling: {percentage: 700}\n";
    let files = [("a&b.yaml", wrong), ("fine.json", "{}")];
    let files = files.map(|(name, text)| (name.to_owned(), Ok(text.into())));
    let options = Options {
        strict,
        ..Options::default()
    };
    let mut results = Results::of(files.into(), options);
    for finding in &mut results.reports[0].errors {
        finding.line = Some(5);
        finding.resource = Some("WasmPlugin shop/\"x\"".into());
    }
    results
}

fn printed(results: &Results, format: Format) -> String {
    let mut text = Vec::new();
    match format {
        Format::Github => github::results(results, &mut text).unwrap(),
        Format::Junit => junit::results(results, &mut text).unwrap(),
        _ => super::super::print::results(results, Default::default(), &mut text).unwrap(),
    }
    let text = anstream::adapter::strip_bytes(&text).into_vec();
    String::from_utf8(text).unwrap()
}

#[test]
fn text_names_line_and_resource_where_they_are_known() {
    assert_eq!(
        printed(&results(false), Format::Text),
        "a&b.yaml:5: error: WasmPlugin shop/\"x\": $.sampling.percentage: expected a percentage from 0 to 100, found 700\n\
         a&b.yaml:3: warning: $.propagation.inject: read but never written: with mirror false, the headers of jaeger \
         are removed; add those that a service here reads\n\
         a&b.yaml: not valid, 2 configurations, 1 error\n\
         fine.json: fine, 1 configuration\n"
    );
    let strict = printed(&results(true), Format::Text);
    assert!(
        strict.ends_with(
            "a&b.yaml: not valid, 2 configurations, 1 error, 1 warning\n\
             fine.json: fine, 1 configuration\n\
             not valid: with --strict 1 warning counts as an error\n"
        ),
        "{strict}"
    );
}

#[test]
fn github_gets_an_annotation_for_each_error_and_warning() {
    let lenient = printed(&results(false), Format::Github);
    assert_eq!(
        lenient,
        "::error file=a&b.yaml,line=5,title=WasmPlugin shop/\"x\"::WasmPlugin shop/\"x\": $.sampling.percentage: expected a \
         percentage from 0 to 100, found 700\n\
         ::warning file=a&b.yaml,line=3,title=sidespan check::$.propagation.inject: read but never written: with mirror false, the \
         headers of jaeger are removed; add those that a service here reads\n\
         a&b.yaml: not valid, 2 configurations, 1 error\n\
         fine.json: fine, 1 configuration\n"
    );
    let strict = printed(&results(true), Format::Github);
    assert_eq!(strict.matches("::error ").count(), 2, "{strict}");
    assert!(!strict.contains("::warning"), "{strict}");
    let unread = Results::of(
        vec![("no.yaml".into(), Err(std::io::ErrorKind::NotFound.into()))],
        Options::default(),
    );
    assert_eq!(
        printed(&unread, Format::Github),
        "::error file=no.yaml,title=sidespan check::$: cannot be read: entity not found\n"
    );
}

#[test]
fn junit_has_a_suite_for_each_file_and_a_case_for_each_document() {
    assert_eq!(
        printed(&results(false), Format::Junit),
        r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="sidespan check" tests="3" failures="1" errors="0">
  <testsuite name="a&amp;b.yaml" tests="2" failures="1" errors="0">
    <testcase classname="a&amp;b.yaml" name="document 2: $" file="a&amp;b.yaml">
      <system-out>a&amp;b.yaml:3: warning: $.propagation.inject: read but never written: with mirror false, the headers of jaeger are removed; add those that a service here reads
</system-out>
    </testcase>
    <testcase classname="a&amp;b.yaml" name="document 3: WasmPlugin shop/&quot;x&quot;" file="a&amp;b.yaml">
      <failure message="WasmPlugin shop/&quot;x&quot;: $.sampling.percentage: expected a percentage from 0 to 100, found 700" type="error">a&amp;b.yaml:5: error: WasmPlugin shop/&quot;x&quot;: $.sampling.percentage: expected a percentage from 0 to 100, found 700
</failure>
    </testcase>
  </testsuite>
  <testsuite name="fine.json" tests="1" failures="0" errors="0">
    <testcase classname="fine.json" name="$" file="fine.json"/>
  </testsuite>
</testsuites>
"#
    );
    let strict = printed(&results(true), Format::Junit);
    assert_eq!(strict.matches("<failure ").count(), 2, "{strict}");
    assert!(!strict.contains("system-out"), "{strict}");
}

#[test]
fn junit_is_xml_whatever_is_in_a_name_or_a_message() {
    let odd: String = ('\0'..='\u{ff}')
        .chain(['\u{fffe}', '\u{ffff}', '\u{1f600}'])
        .collect();
    let mut results = results(true);
    for report in &mut results.reports {
        report.file.clone_from(&odd);
        for finding in report.errors.iter_mut().chain(&mut report.warnings) {
            *finding = Finding {
                resource: Some(odd.clone()),
                ..Finding::new(finding.document, odd.as_str(), format!("]]>{odd}"))
            };
        }
    }
    // Colours are not stripped here: their escape is a character that XML has not.
    let mut xml = Vec::new();
    junit::results(&results, &mut xml).unwrap();
    let xml = String::from_utf8(xml).unwrap();
    let is_legal = |character: char| matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{fffd}' | '\u{10000}'..);
    assert!(xml.chars().all(is_legal), "{xml:?}");
    let mut reader = quick_xml::Reader::from_str(&xml);
    let mut messages = 0;
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Eof => break,
            quick_xml::events::Event::Start(start) => {
                for attribute in start.attributes() {
                    let attribute = attribute.unwrap();
                    let value = quick_xml::escape::unescape(&attribute.value).unwrap();
                    messages += usize::from(value.contains("]]>") && value.contains('\u{1f600}'));
                }
            }
            _ => {}
        }
    }
    assert_eq!(messages, 2, "{xml}");
}

#[test]
fn strict_agrees_in_every_form_and_in_the_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let warned = file("warned.json", r#"{"sampling": {}}"#);
    let wrong = file("wrong.json", r#"{"sampling": 1}"#);
    let fine = file("fine.json", "{}");
    for (path, lenient, strict) in [(&fine, 0, 0), (&warned, 0, 1), (&wrong, 1, 1)] {
        for format in [Format::Text, Format::Json, Format::Github, Format::Junit] {
            for (is_strict, expected) in [(false, lenient), (true, strict)] {
                let args = CheckArgs {
                    files: vec![path.clone()],
                    strict: is_strict,
                    format,
                    ..CheckArgs::default()
                };
                let mut text = Vec::new();
                let code = run_to(&args, &mut text).unwrap();
                assert_eq!(code, ExitCode::from(expected), "{path:?} {format:?}");
                let text = String::from_utf8(text).unwrap();
                match format {
                    Format::Json => {
                        let told: Value = serde_json::from_str(&text).unwrap();
                        assert_eq!(told["valid"], expected == 0, "{text}");
                        assert_eq!(told["strict"], is_strict, "{text}");
                    }
                    Format::Junit => assert_eq!(text.contains("<failure"), expected == 1, "{text}"),
                    _ => assert_eq!(text.contains("not valid"), expected == 1, "{text}"),
                }
            }
        }
    }
}

#[test]
fn a_plugin_in_the_root_namespace_that_is_told_is_for_all() {
    let plugin = "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\n\
                  metadata: {name: sidespan, namespace: mesh-root}\n\
                  spec: {pluginConfig: {sampling: {percentage: 50}}}\n";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plugin.yaml");
    fs::write(&path, plugin).unwrap();
    for (root, expected) in [
        (None, "not here, this plugin is for namespace mesh-root"),
        (Some("mesh-root"), "50 % by sampling.percentage"),
        (
            Some("istio-system"),
            "not here, this plugin is for namespace mesh-root",
        ),
    ] {
        let args = CheckArgs {
            files: vec![path.clone()],
            request: Some("GET /".into()),
            namespace: Some("shop".into()),
            root_namespace: root.map(Into::into),
            ..CheckArgs::default()
        };
        let mut text = Vec::new();
        run_to(&args, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains(expected), "{root:?}: {text}");
    }
}

#[test]
fn json_is_the_short_name_of_its_form() {
    let args = |json: bool, format: Format| CheckArgs {
        files: vec!["../../examples/plain-envoy/config.json".into()],
        json,
        format,
        ..CheckArgs::default()
    };
    let said = |args: &CheckArgs| {
        let mut text = Vec::new();
        run_to(args, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    };
    let long = said(&args(false, Format::Json));
    assert!(long.starts_with('{'), "{long}");
    assert_eq!(said(&args(true, Format::Text)), long);
}

#[test]
fn the_schema_is_printed_without_files() {
    let args = CheckArgs {
        schema: true,
        ..CheckArgs::default()
    };
    let mut text = Vec::new();
    assert_eq!(run_to(&args, &mut text).unwrap(), ExitCode::SUCCESS);
    let schema: Value = serde_json::from_slice(&text).unwrap();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    assert_eq!(
        schema["properties"]["sampling"]["properties"]["percentage"]["default"],
        1.0
    );
}
