//! The left edge of a waterfall: the lines that lead to a span, and a note above a top span that is no root.

use super::paint::Paint;
use crate::view::trace_tree::{Place, Top};

/// Returns the reason for which a span stands at the top without being a root, once for neighbours that miss the same
/// parent.
pub(super) fn note<'a>(place: &Place<'a>, missing: &mut Option<&'a str>) -> Option<String> {
    match place.top? {
        Top::Root => None,
        Top::Circle => Some("? a circle: the next span is its own ancestor".to_owned()),
        Top::Orphan => {
            let parent = place.span.parent_span_id.as_deref();
            if std::mem::replace(missing, parent) == parent {
                return None;
            }
            Some(format!("? span {} is missing", parent.unwrap_or_default()))
        }
    }
}

/// Draws the lines that lead to a span; `open` has, for each ancestor below the top, true if siblings follow.
pub(super) fn branch(place: &Place<'_>, open: &mut Vec<bool>, paint: Paint) -> String {
    let Some(above) = place.depth.checked_sub(1) else {
        open.clear();
        return String::new();
    };
    open.truncate(above);
    let [bar, fork, corner] = match paint {
        Paint::Plain => ["| ", "|-", "`-"],
        Paint::Colour => ["│ ", "├─", "└─"],
    };
    let lines = if place.depth > MAX_INDENT {
        // A place so deep that lines would leave no room for names.
        format!(">{} ", place.depth)
    } else {
        let lead: String = open
            .iter()
            .map(|more| if *more { bar } else { "  " })
            .collect();
        lead + if place.is_last { corner } else { fork }
    };
    open.push(!place.is_last);
    lines
}

const MAX_INDENT: usize = 16;
