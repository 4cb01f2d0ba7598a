//! Meshes made up by chance: whatever part of the spans arrives, the map has the requests that were made.

use std::collections::BTreeMap;

use super::*;

/// The names of the sidecars, and whether pods are told.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Naming {
    Same,
    Own,
    OwnWithPods,
}

struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// A trace in the making, and the requests in it.
struct Mesh {
    chance: Chance,
    naming: Naming,
    spans: Vec<Sent>,
    made: BTreeMap<String, u64>,
}

impl Mesh {
    fn span(&mut self, above: u64, is_proxy: bool, kind: SpanKind, service: u64) -> u64 {
        let id = u64::try_from(self.spans.len()).unwrap() + 1;
        let name = match (self.naming, is_proxy) {
            (Naming::Same, _) | (_, false) => format!("s{service}"),
            _ => format!("s{service}.mesh"),
        };
        let mut sent = match is_proxy {
            true => proxy(id, above, kind, &name),
            false => span(id, above, kind, &name),
        };
        if self.naming == Naming::OwnWithPods {
            sent = sent.pod(&format!("pod-of-{service}"));
        }
        self.spans.push(sent);
        id
    }

    /// Makes a request from one service to another, and those that it leads to.
    fn request(&mut self, from: u64, to: u64, mut above: u64, depth: u64) {
        *self.made.entry(format!("s{from} > s{to}")).or_default() += 1;
        let (sdk, sidecar) = [(true, true), (true, false), (false, true)]
            [usize::try_from(self.chance.below(3)).unwrap()];
        for (is_there, is_proxy) in [(sdk, false), (sidecar, true)] {
            if is_there {
                above = self.span(above, is_proxy, Client, from);
            }
        }
        let (sdk, sidecar) = [(true, true), (true, false), (false, true)]
            [usize::try_from(self.chance.below(3)).unwrap()];
        for (is_there, is_proxy) in [(sidecar, true), (sdk, false)] {
            if is_there {
                above = self.span(above, is_proxy, Server, to);
            }
        }
        if sdk && self.chance.below(2) == 0 {
            above = self.span(above, false, Internal, to);
        }
        self.calls(to, above, depth);
    }

    fn calls(&mut self, from: u64, above: u64, depth: u64) {
        for _ in 0..self.chance.below(4).min(depth) {
            let to = self.chance.below(5);
            self.request(from, to, above, depth - 1);
        }
    }
}

#[test]
fn every_request_counts_once_whoever_saw_it() {
    for seed in 1..=300 {
        for naming in [Naming::Same, Naming::Own, Naming::OwnWithPods] {
            let mut mesh = Mesh {
                chance: Chance(seed * 0x9E37_79B9),
                naming,
                spans: Vec::new(),
                made: BTreeMap::new(),
            };
            let root = mesh.span(0, false, Server, 9);
            mesh.calls(9, root, 5);
            // The order of arrival is no order of time.
            let spans = mesh.spans.len().max(1);
            let turn = usize::try_from(mesh.chance.below(100)).unwrap() % spans;
            mesh.spans.rotate_left(turn);
            let map = map([mesh.spans]);
            let mut found: BTreeMap<String, u64> = BTreeMap::new();
            for edge in map["edges"].as_array().unwrap() {
                let name = |side: &str| word(&edge[side]).trim_end_matches(".mesh").to_owned();
                let pair = format!("{} > {}", name("from"), name("to"));
                *found.entry(pair).or_default() += edge["requests"].as_u64().unwrap();
            }
            assert_eq!(found, mesh.made, "seed {seed} {naming:?}");
            let nodes = map["nodes"].as_array().unwrap();
            let received: u64 = nodes
                .iter()
                .map(|node| node["requests"].as_u64().unwrap())
                .sum();
            assert_eq!(
                received,
                1 + mesh.made.values().sum::<u64>(),
                "seed {seed} {naming:?}"
            );
        }
    }
}
