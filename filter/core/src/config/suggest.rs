//! The known word that a misspelled word is nearest to, by edit distance.
//!
//! Not the crate `strsim`, because it needs `std`.

use alloc::vec::Vec;

/// Returns the known word that is nearest to the written word, where the two differ in a third of their letters at
/// most, or in nothing but case, `-` and `_`.
pub fn nearest<'a>(written: &str, known: &[&'a str]) -> Option<&'a str> {
    if written.chars().count() > MAX_LENGTH {
        return None;
    }
    let letters = normal(written);
    known
        .iter()
        .map(|word| (distance(&letters, &normal(word)), *word))
        .filter(|(distance, word)| distance.saturating_mul(3) <= word.len().max(letters.len()))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

fn normal(word: &str) -> Vec<char> {
    word.chars()
        .filter(|letter| !matches!(letter, '-' | '_'))
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}

/// Returns the number of letters that are added, left out, replaced, or swapped with their neighbour.
fn distance(from: &[char], to: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, letter) in from.iter().enumerate() {
        let mut next = Vec::with_capacity(row.len());
        next.push(index.saturating_add(1));
        for (column, other) in to.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX);
            let replaced = at(&row, column).saturating_add(usize::from(letter != other));
            let left_out = at(&row, column.saturating_add(1)).saturating_add(1);
            let added = at(&next, column).saturating_add(1);
            let is_swapped = index > 0
                && column > 0
                && from.get(index.wrapping_sub(1)) == Some(other)
                && to.get(column.wrapping_sub(1)) == Some(letter);
            let swapped = if is_swapped {
                at(&before, column.wrapping_sub(1)).saturating_add(1)
            } else {
                usize::MAX
            };
            next.push(replaced.min(left_out).min(added).min(swapped));
        }
        before = row;
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

/// Letters of the longest word that is compared; no known word is longer.
const MAX_LENGTH: usize = 40;

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_what_was_meant() {
        let known = [
            "percentage",
            "namespaces",
            "rateLimit",
            "keep64bit",
            "maxSpans",
            "b3multi",
            "b3",
        ];
        for (written, expected) in [
            ("percentag", Some("percentage")),
            ("precentage", Some("percentage")),
            ("b3mutli", Some("b3multi")),
            ("b4", None),
            ("namespace", Some("namespaces")),
            ("rate_limit", Some("rateLimit")),
            ("MAXSPANS", Some("maxSpans")),
            ("b3-multi", Some("b3multi")),
            ("something", None),
            ("", None),
            ("percentagepercentagepercentagepercentagepercentage", None),
        ] {
            assert_eq!(nearest(written, &known), expected, "{written}");
        }
    }
}
