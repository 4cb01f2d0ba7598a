//! The configured templates of paths as a tree of segments, because a service may have hundreds of routes, and to compare a
//! path with one after the other would cost more than all else that a span does.
//!
//! The first template of the configuration that matches is the route, as if they were compared in order (`pattern.rs` says
//! when a template matches).

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::codec::scan::{self, Split};

/// The templates, and their tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Routes {
    templates: Vec<String>,
    tree: Node,
}

/// The templates that begin with the same segments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Node {
    // The first template that ends here.
    route: Option<usize>,
    // By the next segment, where that is a name; in order.
    names: Vec<(String, Node)>,
    // Behind a parameter.
    parameter: Option<Box<Node>>,
}

impl Routes {
    /// Returns the tree of these templates.
    pub(crate) fn new(templates: &[String]) -> Self {
        let mut tree = Node::default();
        for (index, template) in templates.iter().enumerate() {
            tree.add(template, index);
        }
        Self {
            templates: templates.to_vec(),
            tree,
        }
    }

    /// Returns the index of the first template that matches the path.
    #[inline]
    pub(crate) fn position(&self, path: &[u8]) -> Option<usize> {
        if self.templates.is_empty() {
            return None;
        }
        self.tree.first(scan::split(path, b'/'))
    }

    /// Returns the template with this index.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<&str> {
        self.templates.get(index).map(String::as_str)
    }
}

impl Node {
    fn add(&mut self, template: &str, index: usize) {
        let mut node = self;
        for part in template.split('/') {
            if part.starts_with('{') {
                node = node.parameter.get_or_insert_default();
                continue;
            }
            let place = match node.place(part.as_bytes()) {
                Ok(place) => place,
                Err(place) => {
                    node.names.insert(place, (part.into(), Self::default()));
                    place
                }
            };
            let Some((_, next)) = node.names.get_mut(place) else {
                return;
            };
            node = next;
        }
        node.route.get_or_insert(index);
    }

    #[inline]
    fn place(&self, name: &[u8]) -> Result<usize, usize> {
        self.names
            .binary_search_by(|(other, _)| other.as_bytes().cmp(name))
    }

    /// Returns the first template whose other segments are these. It calls itself no deeper than a template is long.
    #[inline]
    fn first(&self, mut segments: Split<'_>) -> Option<usize> {
        let Some(segment) = segments.next() else {
            return self.route;
        };
        let by_name = |name: &[u8]| {
            let (_, node) = self.names.get(self.place(name).ok()?)?;
            node.first(segments.clone())
        };
        let own = scan::first_part(segment, b';');
        let bare = match own.len() < segment.len() {
            true => by_name(own),
            false => None,
        };
        let behind = self.parameter.as_ref().filter(|_| !own.is_empty());
        let behind = behind.and_then(|node| node.first(segments.clone()));
        [by_name(segment), bare, behind].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::template_matches;

    #[test]
    fn the_first_template_that_matches_is_the_route() {
        let parts = ["", "a", "b", "a;v=1", ";", "{id}", "{x}", "ab"];
        let mut seed = 7_u64;
        let mut next = |bound: usize| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            usize::try_from(seed % 1_000_003).unwrap() % bound
        };
        for _ in 0..3_000 {
            let mut texts = |count: usize| {
                let mut text = String::new();
                for _ in 0..count {
                    text.push('/');
                    text.push_str(parts[next(parts.len())]);
                }
                text
            };
            let templates: Vec<String> = (0..12).map(|number| texts(number % 5)).collect();
            let routes = Routes::new(&templates);
            for length in 0..6 {
                let path = texts(length);
                let expected = templates
                    .iter()
                    .position(|template| template_matches(template, path.as_bytes()));
                assert_eq!(
                    routes.position(path.as_bytes()),
                    expected,
                    "{path} {templates:?}"
                );
            }
        }
    }

    #[test]
    fn a_path_of_many_segments_ends_the_search() {
        let routes = Routes::new(&["/{a}/{b}".into(), "/x/{b}".into()]);
        let long = "/x".repeat(100_000);
        assert_eq!(routes.position(long.as_bytes()), None);
        assert_eq!(routes.position(b"/x/7"), Some(0));
        assert_eq!(routes.get(1), Some("/x/{b}"));
    }
}
