//! The headers of a request, found in the proxy's map by their length and eight of their bytes.
//!
//! The map is the number of headers, the lengths of all names and values, then the names and values, each followed by a zero
//! (proxy-wasm ABI 0.2.1). Eight bytes can always be read where a name starts, for the values and the zeros follow.

/// The headers that a SERVER span tells of; empty where the request has none.
#[derive(Clone, Copy, Default)]
pub(crate) struct RequestHeaders<'a> {
    pub(crate) method: &'a [u8],
    pub(crate) path: &'a [u8],
    pub(crate) authority: &'a [u8],
    pub(crate) scheme: &'a [u8],
    pub(crate) forwarded_proto: &'a [u8],
    pub(crate) forwarded_for: &'a [u8],
    pub(crate) user_agent: &'a [u8],
    pub(crate) trace_parent: &'a [u8],
}

impl<'a> RequestHeaders<'a> {
    #[inline]
    pub(crate) fn read(map: &'a [u8]) -> Self {
        let mut found = Self::default();
        each(map, |name, at, value| {
            let place = match name {
                5 if word(map, at) & FIVE == PATH => &mut found.path,
                7 if word(map, at) & SEVEN == METHOD => &mut found.method,
                7 if word(map, at) & SEVEN == SCHEME => &mut found.scheme,
                10 if word(map, at) == AUTHORITY => &mut found.authority,
                10 if word(map, at) == USER_AGENT => &mut found.user_agent,
                11 if word(map, at) == TRACE_PARENT => &mut found.trace_parent,
                15 if word(map, at.wrapping_add(8)) == DED_FOR => &mut found.forwarded_for,
                17 if word(map, at.wrapping_add(9)) == ED_PROTO => &mut found.forwarded_proto,
                _ => return,
            };
            let from = at.wrapping_add(name).wrapping_add(1);
            let value = map.get(from..from.wrapping_add(value));
            *place = value.unwrap_or_default();
        });
        found
    }
}

/// Returns true if the map has a `traceparent`.
#[inline]
pub(crate) fn has_trace_parent(map: &[u8]) -> bool {
    let mut is_there = false;
    each(map, |name, at, _| {
        is_there |= name == 11 && word(map, at) == TRACE_PARENT;
    });
    is_there
}

/// Tells each header: the length of its name, where it starts, and the length of its value.
#[inline]
fn each(map: &[u8], mut tell: impl FnMut(usize, usize, usize)) {
    let Some((count, rest)) = map.split_first_chunk::<4>() else {
        return;
    };
    let count = u32::from_le_bytes(*count) as usize;
    let lengths = rest.get(..count.wrapping_mul(8)).unwrap_or_default();
    let mut at = lengths.len().wrapping_add(4);
    for sizes in lengths.chunks_exact(8) {
        let [name, value] = [sizes.first_chunk::<4>(), sizes.last_chunk::<4>()]
            .map(|size| size.map_or(0, |size| u32::from_le_bytes(*size)) as usize);
        tell(name, at, value);
        at = at.wrapping_add(name).wrapping_add(value).wrapping_add(2);
    }
}

#[inline]
fn word(bytes: &[u8], at: usize) -> u64 {
    let word = bytes.get(at..).and_then(|rest| rest.first_chunk());
    word.map_or(0, |word| u64::from_le_bytes(*word))
}

const FIVE: u64 = 0xff_ffff_ffff;
const SEVEN: u64 = 0xff_ffff_ffff_ffff;
const PATH: u64 = u64::from_le_bytes(*b":path\0\0\0");
const METHOD: u64 = u64::from_le_bytes(*b":method\0");
const SCHEME: u64 = u64::from_le_bytes(*b":scheme\0");
const AUTHORITY: u64 = u64::from_le_bytes(*b":authori");
const USER_AGENT: u64 = u64::from_le_bytes(*b"user-age");
const TRACE_PARENT: u64 = u64::from_le_bytes(*b"tracepar");
const DED_FOR: u64 = u64::from_le_bytes(*b"ded-for\0");
const ED_PROTO: u64 = u64::from_le_bytes(*b"ed-proto");
