//! The first eight bytes of all values that a pattern or a template describes, compared as one number: most requests are told
//! from most matches by them, and a match is compared in full only where they fit.

use super::request_match::PathMatch;

/// The first bytes of all values that a pattern describes, as far as the pattern says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Start {
    word: u64,
    // The bits of `word` that the pattern says.
    mask: u64,
}

impl Start {
    /// The start of any value.
    pub(super) const ANY: Self = Self { word: 0, mask: 0 };

    /// Returns the start of the paths that a condition describes.
    pub(super) fn of_path(condition: &PathMatch) -> Self {
        match condition {
            PathMatch::Pattern(pattern) => Self::of_pattern(pattern),
            PathMatch::Template(template) => Self::of_template(template),
        }
    }

    /// Returns the start of the values that a pattern describes.
    pub(super) fn of_pattern(pattern: &str) -> Self {
        match pattern.split_once('*') {
            Some((prefix, _)) => Self::of_prefix(prefix),
            // The end of a short pattern is fixed, too.
            None => Self {
                word: first_word(pattern.as_bytes()),
                mask: u64::MAX,
            },
        }
    }

    /// Returns the start of a template's first segment, behind which a path may have parameters.
    fn of_template(template: &str) -> Self {
        let fixed = template.split('{').next().unwrap_or_default();
        let segment = fixed.split('/').nth(1).unwrap_or_default();
        let length = segment.len().saturating_add(1);
        Self::of_prefix(fixed.get(..length).unwrap_or(fixed))
    }

    fn of_prefix(prefix: &str) -> Self {
        let word = first_word(prefix.as_bytes());
        let free = 8_usize.saturating_sub(prefix.len());
        let free = u32::try_from(free).unwrap_or(0).saturating_mul(8);
        Self {
            word,
            mask: u64::MAX.checked_shr(free).unwrap_or(0),
        }
    }

    /// Returns all eight bytes, where the pattern says them.
    pub(super) fn fixed(self) -> Option<u64> {
        (self.mask == u64::MAX).then_some(self.word)
    }

    /// Returns true if a value with these first bytes may be described.
    #[inline]
    pub(super) fn is_of(self, word: u64) -> bool {
        (word ^ self.word) & self.mask == 0
    }
}

/// Returns the first eight bytes as a number, with zeros behind a shorter value.
#[inline]
pub(super) fn first_word(value: &[u8]) -> u64 {
    if let Some(whole) = value.first_chunk::<8>() {
        return u64::from_le_bytes(*whole);
    }
    let bytes = value.iter().rev();
    bytes.fold(0, |word, byte| word << 8 | u64::from(*byte))
}
