//! The root context of a new stream, where a VM has several: several plugins of one module, or a new configuration beside an
//! old one whose streams go on.
//!
//! The proxy names a stream's root context in `proxy_on_context_create` alone, which would be an entry into the module with
//! every stream, for what is nearly always the one there is. So the proxy is asked, and only where there are several. No
//! property tells an old configuration of a plugin from the new one; but Envoy evaluates an expression of CEL (`expr_create`)
//! for the root context that made it, and gives its numbers anew in each. A root context that starts beside another therefore
//! makes one expression, its own id, and the same number leads a stream to that of its own root. The root context that
//! started alone has none and is known by that. A proxy without CEL is asked for the plugin's name, of which the newest
//! configuration is taken.

/// A note on a root context, to find its streams.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) id: u32,
    /// The plugin's name, where the proxy has one.
    pub(crate) name: Option<Vec<u8>>,
    /// The proxy's number of the expression that is this root's id.
    pub(crate) mark: Option<Mark>,
    /// True once the root is to end, so that no stream is new to it.
    pub(crate) is_ending: bool,
}

/// The proxy's number of an expression.
pub(crate) type Mark = [u8; 4];

/// The questions to the proxy about the stream whose callback is under way.
pub(crate) trait Ask {
    /// Returns the value of an expression of the stream's root context.
    fn marked(&self, mark: Mark) -> Option<u32>;
    /// Returns the name of the stream's plugin.
    fn plugin_name(&self) -> Option<Vec<u8>>;
}

/// Returns the id of the root context that owns the stream whose callback is under way; `notes` are the oldest first.
#[inline]
pub(crate) fn owner<'n>(
    notes: impl DoubleEndedIterator<Item = &'n Note> + Clone,
    proxy: &impl Ask,
) -> Option<u32> {
    let live = notes.filter(|note| !note.is_ending);
    let mut all = live.clone();
    match (all.next(), all.next()) {
        (None, _) => None,
        (Some(only), None) => Some(only.id),
        (Some(_), Some(_)) => among(live, proxy),
    }
}

fn among<'n>(
    live: impl DoubleEndedIterator<Item = &'n Note> + Clone,
    proxy: &impl Ask,
) -> Option<u32> {
    let mut last: Option<(Mark, Option<u32>)> = None;
    for note in live.clone() {
        let Some(mark) = note.mark else { continue };
        // Nearly always all marks have one number.
        let told = match last {
            Some((same, told)) if same == mark => told,
            _ => proxy.marked(mark),
        };
        last = Some((mark, told));
        if told == Some(note.id) {
            return told;
        }
    }
    let mut unmarked = live.clone().filter(|note| note.mark.is_none());
    if let (Some(_), Some(only), None) = (last, unmarked.next(), unmarked.next()) {
        return Some(only.id);
    }
    let name = proxy.plugin_name();
    let is_named = |note: &&Note| note.name == name;
    let newest = (live.clone().rfind(is_named)).or(live.clone().next_back())?;
    Some(newest.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A proxy with a stream of this root context.
    struct Of<'a> {
        root: &'a Note,
        has_expressions: bool,
    }

    impl Ask for Of<'_> {
        fn marked(&self, mark: Mark) -> Option<u32> {
            let is_own = self.has_expressions && self.root.mark == Some(mark);
            is_own.then_some(self.root.id)
        }

        fn plugin_name(&self) -> Option<Vec<u8>> {
            self.root.name.clone()
        }
    }

    struct Never;

    impl Ask for Never {
        fn marked(&self, _: Mark) -> Option<u32> {
            panic!("there is nothing to ask")
        }

        fn plugin_name(&self) -> Option<Vec<u8>> {
            panic!("there is nothing to ask")
        }
    }

    fn note(id: u32, name: &str, mark: Option<Mark>) -> Note {
        Note {
            id,
            name: Some(name.into()),
            mark,
            is_ending: false,
        }
    }

    #[test]
    fn nobody_is_asked_where_one_root_can_have_new_streams() {
        let old = Note {
            is_ending: true,
            ..note(1, "a", None)
        };
        assert_eq!(owner([].iter(), &Never), None);
        assert_eq!(owner([note(1, "a", None)].iter(), &Never), Some(1));
        let both = [old, note(7, "a", Some([0; 4]))];
        assert_eq!(owner(both.iter(), &Never), Some(7));
    }

    #[test]
    fn the_mark_tells_apart_what_no_name_does() {
        let roots = [
            note(1, "a", None),
            note(5, "a", Some([0; 4])),
            note(9, "b", Some([0; 4])),
            note(11, "b", Some([3; 4])),
        ];
        for root in &roots {
            let has_expressions = true;
            let of = Of {
                root,
                has_expressions,
            };
            assert_eq!(owner(roots.iter(), &of), Some(root.id));
            assert_eq!(owner(roots.iter().rev(), &of), Some(root.id));
        }
    }

    #[test]
    fn without_marks_the_newest_of_the_name_is_taken() {
        let roots = [note(1, "a", None), note(5, "b", None), note(9, "a", None)];
        for (root, expected) in roots.iter().zip([9, 5, 9]) {
            let has_expressions = false;
            let of = Of {
                root,
                has_expressions,
            };
            assert_eq!(owner(roots.iter(), &of), Some(expected));
        }
        let (root, has_expressions) = (&note(3, "c", None), false);
        let of = Of {
            root,
            has_expressions,
        };
        assert_eq!(owner(roots.iter(), &of), Some(9), "a name that nobody has");
    }
}
