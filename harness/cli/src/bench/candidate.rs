//! The candidates of the bench: filters and tracers in Envoy's chain, and the ones that their cost is compared with.
//!
//! `--only` and scripts use the names, so a name is never changed once it is here. A candidate with Sidespan's filter has a
//! floor where the least filter does the same work.

mod description;
mod every;
mod floors;
mod least;
mod other_build;
mod sidespan;

pub(super) use description::{BASELINE, Build, Candidate, Exports, Group, PEERS, RECEIVER, Work};
pub(super) use every::all;
pub(super) use other_build::OtherBuild;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use sidespan_host::{EndOfStream, Headers, Host, Module, StreamProperties};

    use super::*;

    #[test]
    fn names_are_names_and_belong_to_one() {
        let all = all();
        let names: BTreeSet<&str> = all.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names.len(), all.len());
        for candidate in &all {
            let name = &candidate.name;
            let is_plain = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-';
            assert!(name.chars().all(is_plain), "{name}");
            assert!(
                candidate.floor.is_none_or(|floor| names.contains(floor)),
                "{name}"
            );
        }
        for (peer, _) in PEERS {
            assert!(names.contains(peer), "{peer}");
        }
    }

    /// A floor that writes less or more would make an unfair comparison.
    #[test]
    fn a_floor_writes_the_headers_that_the_filter_writes() {
        let filter = Module::compile(crate::embedded::FILTER).unwrap();
        let least = Module::compile(crate::embedded::LEAST).unwrap();
        let all = all();
        let mut compared = 0;
        for candidate in &all {
            let (Work::Sidespan(_, configuration), Some(name)) = (&candidate.work, candidate.floor)
            else {
                continue;
            };
            let rod = all.iter().find(|it| it.name == name).unwrap();
            let Work::Least(_, settings) = &rod.work else {
                panic!("{name} is no floor")
            };
            let ours = written(&filter, &configuration.to_string());
            assert_eq!(ours, written(&least, settings), "{}", candidate.name);
            assert!(
                ours.iter().any(|(name, _)| name == "traceparent"),
                "{ours:?}"
            );
            compared += 1;
        }
        assert_eq!(compared, 5);
    }

    /// A candidate that writes less or more than the tracer would make an unfair comparison.
    #[test]
    fn what_is_held_against_a_tracer_writes_what_that_writes() {
        let filter = Module::compile(crate::embedded::FILTER).unwrap();
        let b3 = ["traceparent", "x-b3-sampled", "x-b3-spanid", "x-b3-traceid"];
        for (name, expected) in [
            ("sidespan-100-w3c", &["traceparent"][..]),
            ("sidespan-100-b3", &b3),
        ] {
            let all = all();
            let candidate = all.iter().find(|it| it.name == name).unwrap();
            let Work::Sidespan(_, configuration) = &candidate.work else {
                panic!("{name} is not ours")
            };
            let written = written(&filter, &configuration.to_string());
            let names: Vec<&str> = written.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, expected, "{name}");
        }
    }

    const REQUEST: [(&str, &str); 4] = [
        (":method", "GET"),
        (":scheme", "http"),
        (":authority", "shop"),
        (":path", "/"),
    ];

    /// Returns the names of the headers that a filter adds, and the lengths of their values.
    fn written(module: &Module, configuration: &str) -> BTreeSet<(String, usize)> {
        let mut host = Host::builder(module)
            .plugin_configuration(configuration)
            .cluster(RECEIVER)
            .start()
            .unwrap();
        let stream = host.open_stream(StreamProperties::new().listener_direction(1));
        let request: Headers = REQUEST.into_iter().collect();
        let _ = host.request_headers(stream, request, EndOfStream::Yes);
        let headers = host.stream(stream).unwrap().request().headers().unwrap();
        headers
            .iter()
            .map(|(name, value)| (String::from_utf8_lossy(name).into_owned(), value.len()))
            .filter(|(name, _)| !name.starts_with(':'))
            .collect()
    }
}
