//! W3C Trace Context: section 1.9.

use super::rows;
use crate::formats::external::differential::answer::{Case, Difference};

rows! {
    Python &["tracecontext"] => {
        // Not in the standard's text, but in its suite: test_traceparent_duplicated.
        "TP-6: two lines": has_two_lines,
        "TS-6: equal keys, all dropped": |case| {
            case.is(Difference::State) && they_have(case, 0) && has_equal_keys(case)
        },
        "TS-7: keys of level 2, all dropped": |case| {
            case.is(Difference::State) && they_have(case, 0) && has_new_key(case)
        },
    }
    JavaScript &["tracecontext"] => {
        "TP-6: two lines": has_two_lines,
        "TS-6: equal keys, the right value in the left place": |case| {
            case.is(Difference::State) && has_equal_keys(case)
        },
        "TS-7: keys of level 2, these dropped": |case| {
            case.is(Difference::State) && has_new_key(case)
        },
        "TS-5: 33 members, 32 kept": |case| {
            case.is(Difference::State) && we_have(case, 0) && members(case).count() > 32
        },
        // As in test_tracestate_key_illegal_vendor_format: nothing of a header with an illegal member may survive.
        "TS-4: an illegal member, the others kept": |case| {
            case.is(Difference::State)
                && we_have(case, 0)
                && !they_have(case, 0)
                && members(case).any(is_illegal)
        },
        "TM-6: cut at 512 characters": |case| {
            let state = case.ours.as_ref().map(|ours| ours.state.len());
            case.is(Difference::State) && state > Some(512)
        },
    }
}

fn has_two_lines(case: &Case<'_>) -> bool {
    case.is(Difference::TheyAlone) && case.lines("traceparent") > 1
}

fn count(state: &str) -> usize {
    state.split(',').filter(|member| !member.is_empty()).count()
}

fn we_have(case: &Case<'_>, members: usize) -> bool {
    let ours = case.ours.as_ref();
    ours.is_some_and(|ours| count(&ours.state) == members)
}

fn they_have(case: &Case<'_>, members: usize) -> bool {
    let theirs = case.theirs.as_ref();
    theirs.is_some_and(|theirs| count(&theirs.state) == members)
}

fn members<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a [u8]> {
    case.headers
        .iter()
        .filter(|(name, _)| *name == "tracestate")
        .flat_map(|(_, value)| value.split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|member| !member.is_empty())
}

/// Returns true if a member is illegal by the grammar of level 2, written a second time.
fn is_illegal(member: &[u8]) -> bool {
    let parts: Vec<_> = member.split(|byte| *byte == b'=').collect();
    let [[first, rest @ ..], value] = parts.as_slice() else {
        return true;
    };
    let is_start = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_key = |byte: &u8| is_start(byte) || b"_-*/@".contains(byte);
    !is_start(first)
        || rest.len() > 255
        || !rest.iter().all(is_key)
        || !(1..=256).contains(&value.len())
        || !value.iter().all(|byte| (0x20..0x7f).contains(byte))
}

fn keys<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a [u8]> {
    members(case).map(|member| {
        member
            .split(|byte| *byte == b'=')
            .next()
            .unwrap_or_default()
    })
}

fn has_equal_keys(case: &Case<'_>) -> bool {
    let mut keys: Vec<_> = keys(case).collect();
    keys.sort_unstable();
    keys.windows(2).any(|pair| pair[0] == pair[1])
}

/// Returns true if there is a key that level 1 does not have: one that begins with a digit, or has an `@` that separates no
/// tenant from a system.
fn has_new_key(case: &Case<'_>) -> bool {
    keys(case).any(|key| {
        let mut parts = key.splitn(2, |byte| *byte == b'@');
        let (first, system) = (parts.next().unwrap_or_default(), parts.next());
        let begins_with_letter = |part: &[u8]| part.first().is_some_and(u8::is_ascii_lowercase);
        let is_old = match system {
            None => begins_with_letter(first),
            Some(system) => {
                (1..=241).contains(&first.len())
                    && system.len() <= 14
                    && begins_with_letter(system)
                    && !system.contains(&b'@')
            }
        };
        !is_old
    })
}
