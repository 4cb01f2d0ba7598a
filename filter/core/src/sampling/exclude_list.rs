//! A list of matches, any of which excludes a request, arranged so that the many requests that none describes cost little.
//!
//! The list of defaults alone has 26 matches, and nearly every request is described by none of them. A match with
//! a condition on the path or on the user agent is therefore compared by the first eight bytes alone, as one number, and
//! in full only where these fit. Before that, one bit of 64 says whether any of them may fit. The order of the list makes
//! no difference.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::matcher::{Candidate, Matcher};
use super::request_match::Match;
use super::start::{Start, first_word};
use crate::direction::Direction;
use crate::headers::Name;
use crate::node::Node;

/// The matches of a list that can match on one node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ExcludeList {
    by_path: Group,
    by_user_agent: Group,
    // Matches without a condition on either.
    others: Vec<Matcher>,
}

/// Matches with a condition on the same value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Group {
    // Matches that fix all eight bytes.
    fixed: Vec<Entry>,
    // The bits of their first words.
    gate: u64,
    // Matches that leave some of the eight bytes open.
    open: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    start: Start,
    matcher: Matcher,
}

impl ExcludeList {
    /// Returns the list for the workload on this node.
    pub(crate) fn new(matches: &[Match], node: &Node) -> Self {
        let mut list = Self::default();
        for condition in matches {
            let Some(matcher) = Matcher::new(condition, node) else {
                continue;
            };
            match (&condition.path, &condition.user_agent) {
                (Some(path), _) => list.by_path.add(Start::of_path(path), matcher),
                (None, Some(pattern)) => {
                    list.by_user_agent.add(Start::of_pattern(pattern), matcher);
                }
                (None, None) => list.others.push(matcher),
            }
        }
        list
    }

    /// Returns true if any match of the list describes the request.
    #[inline]
    pub(crate) fn describes<'a>(
        &self,
        candidate: &Candidate<
            '_,
            impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
            impl Fn() -> Direction,
            impl Fn() -> Cow<'static, str>,
        >,
    ) -> bool {
        let agents = candidate.known.lines(Name::UserAgent);
        candidate
            .path
            .is_some_and(|path| self.by_path.describes(path, candidate))
            || match agents.single() {
                Some(agent) => self.by_user_agent.describes(agent, candidate),
                None => {
                    let mut agents = agents.iter();
                    agents.any(|agent| self.by_user_agent.describes(agent, candidate))
                }
            }
            || self.others.iter().any(|matcher| matcher.matches(candidate))
    }
}

impl Group {
    fn add(&mut self, start: Start, matcher: Matcher) {
        if let Some(word) = start.fixed() {
            self.gate |= gate_bit(word);
            self.fixed.push(Entry { start, matcher });
        } else {
            self.open.push(Entry { start, matcher });
        }
    }

    #[inline]
    fn describes<'a>(
        &self,
        value: &[u8],
        candidate: &Candidate<
            '_,
            impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
            impl Fn() -> Direction,
            impl Fn() -> Cow<'static, str>,
        >,
    ) -> bool {
        let word = first_word(value);
        let is_in = |entries: &[Entry]| {
            entries
                .iter()
                .any(|entry| entry.start.is_of(word) && entry.matcher.matches(candidate))
        };
        (self.gate & gate_bit(word) != 0 && is_in(&self.fixed)) || is_in(&self.open)
    }
}

/// Returns one of 64 bits for a word, by the top bits of its product with the golden ratio (Fibonacci hashing).
#[inline]
fn gate_bit(word: u64) -> u64 {
    let place = word.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58;
    1_u64.wrapping_shl(u32::try_from(place).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::in_memory::header_list::HeaderList;
    use crate::sampling::request_match::PathMatch;
    use alloc::string::String;
    use alloc::vec;

    fn pattern(text: &str) -> PathMatch {
        match text.contains('{') {
            true => PathMatch::Template(text.into()),
            false => PathMatch::Pattern(text.into()),
        }
    }

    fn describes(list: &[Match], headers: &[(&str, &str)]) -> bool {
        let headers = HeaderList::new(headers.iter().copied());
        let known = headers.as_request();
        let candidate =
            Candidate::new(&known, headers.pairs(), || Direction::Inbound, || "".into());
        let list_says = ExcludeList::new(list, &Node::default()).describes(&candidate);
        let one_by_one = list
            .iter()
            .filter_map(|condition| Matcher::new(condition, &Node::default()))
            .any(|matcher| matcher.matches(&candidate));
        assert_eq!(list_says, one_by_one, "{list:?} {headers:?}");
        list_says
    }

    #[test]
    fn says_of_every_pair_what_the_matches_say_one_by_one() {
        let texts = [
            "",
            "/",
            "*",
            "/*",
            "/a",
            "/a*",
            "/a/b",
            "/health",
            "/health*",
            "/healthz",
            "/healthzy",
            "/healthz*",
            "*/health",
            "/he*th",
            "/{x}",
            "/a/{x}",
            "/a;v=1/{x}",
            "/healthz/{x}",
            "/he/{x}/th",
            "/v0*/traces",
            "kube-probe/*",
            "Envoy/HC",
        ];
        let values = [
            "",
            "/",
            "/a",
            "/a/",
            "/a/b",
            "/a;v=1/b",
            "/a;v=1",
            "/health",
            "/healthy",
            "/healthz",
            "/healthz/",
            "/healthz/7",
            "/healthzy",
            "/healthzyz",
            "/a/health",
            "/he/7/th",
            "/heath",
            "/v0.4/traces",
            "/v0.",
            "/v1/traces",
            "kube-probe/1.31",
            "kube-probe",
            "Envoy/HC",
            "Envoy/HC2",
            "\u{e9}",
        ];
        let mut described = 0;
        for text in texts {
            let path = Match {
                path: Some(pattern(text)),
                ..Match::default()
            };
            let agent = Match {
                user_agent: Some(text.into()),
                ..Match::default()
            };
            for value in values {
                for (condition, name) in [(&path, ":path"), (&agent, "user-agent")] {
                    let list = [condition.clone()];
                    described += u32::from(describes(&list, &[(name, value)]));
                    describes(&list, &[("user-agent", "x"), (name, value)]);
                }
            }
        }
        assert!(described > 50, "{described}");
    }

    #[test]
    fn asks_for_all_conditions_of_a_match_and_for_any_match() {
        let post = Match {
            path: Some(pattern("/v1/traces")),
            methods: vec!["POST".into()],
            ..Match::default()
        };
        let by_header = Match {
            headers: vec![("x-probe".into(), String::from("*"))],
            ..Match::default()
        };
        let list = [post, by_header];
        for (headers, expected) in [
            (&[(":method", "POST"), (":path", "/v1/traces?x")][..], true),
            (&[(":method", "GET"), (":path", "/v1/traces")], false),
            (&[(":method", "GET"), ("x-probe", "")], true),
            (&[], false),
        ] {
            assert_eq!(describes(&list, headers), expected, "{headers:?}");
        }
        assert!(!describes(&[], &[(":path", "/")]));
    }
}
