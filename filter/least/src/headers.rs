//! The headers of a request, found in the proxy's map by length and first bytes.
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
        let Some(count) = number(map, 0) else {
            return found;
        };
        let lengths = map.get(4..).unwrap_or_default();
        let mut at = count.wrapping_mul(8).wrapping_add(4);
        for sizes in lengths.chunks_exact(8).take(count) {
            let (Some(name), Some(value)) = (number(sizes, 0), number(sizes, 4)) else {
                break;
            };
            let start = word(map, at);
            let value_at = at.wrapping_add(name).wrapping_add(1);
            let place = match (name, start) {
                (5, start) if start & FIVE == PATH => &mut found.path,
                (7, start) if start & SEVEN == METHOD => &mut found.method,
                (7, start) if start & SEVEN == SCHEME => &mut found.scheme,
                (10, AUTHORITY) => &mut found.authority,
                (10, USER_AGENT) => &mut found.user_agent,
                (11, TRACE_PARENT) => &mut found.trace_parent,
                (15, FORWARDED) if word(map, at.wrapping_add(8)) == DED_FOR => {
                    &mut found.forwarded_for
                }
                (17, FORWARDED) if word(map, at.wrapping_add(9)) == ED_PROTO => {
                    &mut found.forwarded_proto
                }
                _ => {
                    at = value_at.wrapping_add(value).wrapping_add(1);
                    continue;
                }
            };
            let end = value_at.wrapping_add(value);
            *place = map.get(value_at..end).unwrap_or_default();
            at = end.wrapping_add(1);
        }
        found
    }
}

#[inline]
fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    usize::try_from(u32::from_le_bytes(*bytes)).ok()
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
const FORWARDED: u64 = u64::from_le_bytes(*b"x-forwar");
const DED_FOR: u64 = u64::from_le_bytes(*b"ded-for\0");
const ED_PROTO: u64 = u64::from_le_bytes(*b"ed-proto");
