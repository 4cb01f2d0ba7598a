//! The widths of a waterfall's columns, and text cut and padded to them.
//!
//! Widths are a terminal's (`unicode-width`), summed character by character; a cut is visible.

use unicode_width::UnicodeWidthChar;

use super::paint::Paint;

/// The width of each column. One space stands between two columns, and the error mark takes two more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Widths {
    pub(super) tree: usize,
    pub(super) name: usize,
    pub(super) kind: usize,
    pub(super) time: usize,
    /// The width of the time axis; 0 when there is no room for a readable bar.
    pub(super) bar: usize,
}

impl Widths {
    /// Divides a line among the columns by the widths of their contents. The time axis gets a third; tree and name divide
    /// the rest, and each leaves width that it does not need to the other.
    pub(super) fn share(line: usize, [tree, name, kind, time]: [usize; 4]) -> Self {
        let gaps_and_mark = 6;
        let free = line.saturating_sub(kind + time + gaps_and_mark);
        let axis = if free < MIN_FREE_FOR_BAR { 0 } else { free / 3 };
        let labels = free - axis;
        let tree = tree.min((labels / 2).max(labels.saturating_sub(name)));
        let name = name.min(labels - tree);
        let bar = free - tree - name;
        Self {
            tree,
            name,
            kind,
            time,
            bar: if axis == 0 { 0 } else { bar },
        }
    }
}

/// Pads or cuts a text to exactly `width` columns; `mark` stands for what was cut off.
pub(in crate::view) fn fit(text: &str, width: usize, mark: char) -> String {
    let has = width_of(text);
    if has <= width {
        return text.to_owned() + &" ".repeat(width - has);
    }
    let mut cut = String::new();
    let mut used = 0;
    for letter in text.chars() {
        let next = used + letter.width().unwrap_or(0);
        // One column is needed for the mark.
        if next + 1 > width {
            break;
        }
        used = next;
        cut.push(letter);
    }
    if width > 0 {
        cut.push(mark);
        used += 1;
    }
    cut + &" ".repeat(width - used)
}

/// Returns the number of columns that a terminal gives a text.
pub(in crate::view) fn width_of(text: &str) -> usize {
    text.chars().map(|letter| letter.width().unwrap_or(0)).sum()
}

/// Replaces characters that would move the cursor, change colours or turn the direction of writing.
pub(in crate::view) fn clean(text: &str) -> String {
    let is_unsafe = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.replace(is_unsafe, "?")
}

/// Returns a duration in the unit that gives it one to three digits before the point.
pub(in crate::view) fn time(nanos: u64, paint: Paint) -> String {
    let micro = match paint {
        Paint::Plain => "us",
        Paint::Colour => "µs",
    };
    let tenths = |unit: u64, name: &str| {
        let tenths = nanos / (unit / 10);
        format!("{}.{}{name}", tenths / 10, tenths % 10)
    };
    match nanos {
        0..1_000 => format!("{nanos}ns"),
        1_000..1_000_000 => tenths(1_000, micro),
        1_000_000..1_000_000_000 => tenths(1_000_000, "ms"),
        _ => tenths(1_000_000_000, "s"),
    }
}

const MIN_FREE_FOR_BAR: usize = 36;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_by_columns_and_shows_it() {
        let rows = [
            ("abc", 5, "abc  "),
            ("abc", 3, "abc"),
            ("abcd", 3, "ab~"),
            ("日本語", 5, "日本~"),
            ("日本語", 4, "日~ "),
            ("abc", 1, "~"),
            ("abc", 0, ""),
        ];
        for (text, width, expected) in rows {
            assert_eq!(fit(text, width, '~'), expected, "{text} in {width}");
        }
    }

    #[test]
    fn never_gives_out_more_than_the_line() {
        for line in 40..300 {
            for tree in [7, 20, 90] {
                for name in [4, 30, 200] {
                    let w = Widths::share(line, [tree, name, 8, 7]);
                    assert!(
                        w.tree + w.name + w.kind + w.time + w.bar + 6 <= line,
                        "{w:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn prints_times_in_a_readable_unit() {
        let rows = [
            (0, "0ns"),
            (999, "999ns"),
            (1_000, "1.0us"),
            (12_345, "12.3us"),
            (999_999, "999.9us"),
            (24_300_000, "24.3ms"),
            (61_000_000_000, "61.0s"),
        ];
        for (nanos, expected) in rows {
            assert_eq!(time(nanos, Paint::Plain), expected);
        }
    }
}
