//! Pins of images, held against the image that was built: `--image`.
//!
//! An agent compares the digest in `url` or `sha256` with that of the image's manifest. Where they differ it keeps the
//! filter out, and under `FAIL_OPEN` nothing but missing spans tells.

use super::istio::settings::{ImageSource, Note, Settings, Weight};
use crate::package::Built;

/// Returns a note for each plugin that is not pinned by the manifest of this image.
pub fn notes(settings: &Settings, built: &Built) -> Vec<Note> {
    settings
        .images
        .iter()
        .flat_map(|source| judge(source, built))
        .collect()
}

fn judge(source: &ImageSource, built: &Built) -> Vec<Note> {
    let note = |weight, below: &str, message| Note {
        weight,
        place: source.place.at(below),
        message,
    };
    let pins = [
        (".url", source.in_url.clone()),
        (
            ".sha256",
            source
                .sha256
                .as_ref()
                .map(|digits| format!("sha256:{digits}")),
        ),
    ];
    let is_pinned = pins.iter().any(|(_, pin)| pin.is_some());
    if !is_pinned {
        let message = format!(
            "not pinned, so that a tag which moves changes the filter of new pods alone; write @{} behind the image's name",
            built.manifest
        );
        return vec![note(Weight::Warning, ".url", message)];
    }
    let wrong = pins.into_iter().filter_map(|(below, pin)| {
        let pin = pin.filter(|pin| *pin != built.manifest)?;
        let is = match built.others.get(&pin) {
            Some(of) => format!("this is the digest {of}, which agents refuse"),
            None => "this is another image than the one given with --image".to_owned(),
        };
        Some((
            below,
            format!("{is}; the digest of its manifest is {}", built.manifest),
        ))
    });
    wrong
        .map(|(below, message)| note(Weight::Error, below, message))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::results::{Options, Results};
    use super::*;

    fn built() -> Built {
        Built {
            manifest: digest('a'),
            others: BTreeMap::from([
                (digest('b'), "of the file index.json"),
                (digest('c'), "of the module"),
            ]),
        }
    }

    fn digest(digit: char) -> String {
        format!("sha256:{}", digit.to_string().repeat(64))
    }

    /// Returns what is said of a plugin with these lines in it.
    fn said(kind: &str, lines: &str, built: Option<&Built>) -> Vec<String> {
        let (phase, indent) = match kind {
            "WasmPlugin" => ("", "  "),
            _ => ("  phase: AUTHN\n  wasm:\n", "    "),
        };
        let inside = match phase {
            "" => format!("{lines}\nphase: AUTHN"),
            _ => lines.to_owned(),
        };
        let inside = format!("{inside}\nfailStrategy: FAIL_OPEN\npluginConfig: {{}}");
        let inside: Vec<_> = inside
            .lines()
            .map(|line| format!("{indent}{line}"))
            .collect();
        let yaml = format!(
            "apiVersion: extensions.istio.io/v1alpha1\nkind: {kind}\nmetadata: {{name: sidespan, namespace: istio-system}}\n\
             spec:\n{phase}{}\n",
            inside.join("\n")
        );
        let options = Options {
            image: built,
            ..Options::default()
        };
        let results = Results::of(vec![("a.yaml".into(), Ok(yaml.into_bytes()))], options);
        let report = &results.reports[0];
        let errors = report.errors.iter().map(|found| ("error", found));
        let all = errors.chain(report.warnings.iter().map(|found| ("warning", found)));
        all.map(|(weight, found)| format!("{weight}: {}: {}", found.path, found.message))
            .collect()
    }

    #[test]
    fn a_pin_is_the_digest_of_the_manifest() {
        let (built, right) = (built(), digest('a'));
        for (kind, below) in [
            ("WasmPlugin", "$.spec"),
            ("TrafficExtension", "$.spec.wasm"),
        ] {
            for (lines, told) in [
                (format!("url: oci://here/sidespan@{right}"), None),
                (format!("url: oci://here/sidespan:1@{right}"), None),
                (
                    format!("url: oci://here/sidespan:1\nsha256: {}", "a".repeat(64)),
                    None,
                ),
                (
                    format!("url: oci://here/sidespan@{}", digest('b')),
                    Some((
                        ".url",
                        "this is the digest of the file index.json, which agents refuse",
                    )),
                ),
                (
                    format!("url: oci://here/sidespan:1\nsha256: {}", "c".repeat(64)),
                    Some((
                        ".sha256",
                        "this is the digest of the module, which agents refuse",
                    )),
                ),
                (
                    format!("url: oci://here/sidespan@{}", digest('d')),
                    Some((
                        ".url",
                        "this is another image than the one given with --image",
                    )),
                ),
            ] {
                let said = said(kind, &lines, Some(&built));
                let told = told.map(|(key, told)| {
                    format!("error: {below}{key}: {told}; the digest of its manifest is {right}")
                });
                assert_eq!(said, Vec::from_iter(told), "{kind} {lines}");
            }
            let said = said(kind, "url: oci://here/sidespan:1", Some(&built));
            assert_eq!(said.len(), 1, "{said:?}");
            assert!(
                said[0].starts_with(&format!("warning: {below}.url: not pinned")),
                "{said:?}"
            );
        }
    }

    #[test]
    fn nothing_is_said_of_other_plugins_other_sources_and_without_an_image() {
        let pin = format!("url: oci://here/sidespan@{}", digest('d'));
        assert_eq!(said("WasmPlugin", &pin, None), [""; 0]);
        let by_http = "url: https://here/sidespan.wasm";
        assert_eq!(said("WasmPlugin", by_http, Some(&built())), [""; 0]);
        let foreign = "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {name: auth}\nspec: {url: 'oci://here/auth:1'}\n";
        let options = Options {
            image: Some(&built()),
            ..Options::default()
        };
        let results = Results::of(vec![("a.yaml".into(), Ok(foreign.into()))], options);
        assert!(results.valid && results.reports[0].warnings.is_empty());
    }
}
