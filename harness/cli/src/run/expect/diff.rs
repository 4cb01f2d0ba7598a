//! The difference of two texts, line by line.

use similar::TextDiff;

/// Returns the lines that differ with three lines around them; `None` where both texts have one line.
pub(super) fn lines(expected: &str, found: &str) -> Option<String> {
    if !expected.contains('\n') && !found.contains('\n') {
        return None;
    }
    let diff = TextDiff::from_lines(expected, found);
    let mut unified = diff.unified_diff();
    Some(
        unified
            .context_radius(3)
            .missing_newline_hint(false)
            .to_string(),
    )
}
