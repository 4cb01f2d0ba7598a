//! Whole numbers within limits as regular expressions, because a schema has limits for numbers alone, and durations and
//! sizes are text.

/// Returns a regular expression for the decimal notations of `low..=high`, without zeros in front.
pub(super) fn between(low: u64, high: u64) -> String {
    let mut ends: Vec<u64> = Vec::new();
    for length in 1..20 {
        let power = 10_u64.pow(length);
        // The last number that begins as `low` does, and the last before those that begin as `high` does: 5 to 1234 is
        // cut behind 9, 99 and 999, and behind 999, 1199 and 1229.
        ends.push(low / power * power + (power - 1));
        ends.push((high.saturating_add(1) / power * power).saturating_sub(1));
        if power > high {
            break;
        }
    }
    ends.retain(|end| (low..high).contains(end));
    ends.push(high);
    ends.sort_unstable();
    ends.dedup();
    let mut parts = Vec::new();
    let mut from = low;
    for end in ends {
        parts.push(of_one_length(from, end));
        from = end + 1;
    }
    parts.join("|")
}

/// Returns an expression for numbers that differ in their last digits alone, of which all but the first run from 0 to 9.
fn of_one_length(low: u64, high: u64) -> String {
    let mut expression = String::new();
    let mut any = 0;
    for (from, to) in low.to_string().chars().zip(high.to_string().chars()) {
        match (from, to) {
            (from, to) if from == to => expression.push(from),
            ('0', '9') => any += 1,
            (from, to) => expression += &format!("[{from}-{to}]"),
        }
    }
    match any {
        0 => {}
        1 => expression += "[0-9]",
        _ => expression += &format!("[0-9]{{{any}}}"),
    }
    expression
}

#[cfg(test)]
mod tests {
    use super::between;

    #[test]
    fn limits_are_cut_where_digits_change() {
        for (low, high, expected) in [
            (1, 1, "1"),
            (1, 9, "[1-9]"),
            (1, 60, "[1-9]|[1-5][0-9]|60"),
            (
                10,
                60_000,
                "1[0-9]|[2-9][0-9]|[1-9][0-9]{2}|[1-9][0-9]{3}|[1-5][0-9]{4}|60000",
            ),
            (
                1,
                3_600,
                "[1-9]|[1-9][0-9]|[1-9][0-9]{2}|[1-2][0-9]{3}|3[0-5][0-9]{2}|3600",
            ),
            (1_024, 1_030, "102[4-9]|1030"),
        ] {
            assert_eq!(between(low, high), expected, "{low} to {high}");
        }
    }
}
