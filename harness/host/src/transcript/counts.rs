//! Counts of calls by function, in a table with a place for each function: a count is one addition, without a search.

/// A function whose calls are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Function {
    pub(crate) name: &'static str,
    /// The place of the function among those of its kind: host functions, or exports.
    pub(crate) number: usize,
}

/// The counts by the functions' numbers.
#[derive(Debug, Default)]
pub(super) struct Counts(Vec<(&'static str, u64)>);

impl Counts {
    #[inline]
    pub(super) fn add(&mut self, function: Function) {
        match self.0.get_mut(function.number) {
            Some((name, count)) => {
                *name = function.name;
                *count += 1;
            }
            None => self.add_first(function),
        }
    }

    #[cold]
    fn add_first(&mut self, function: Function) {
        self.0.resize(function.number + 1, ("", 0));
        self.0[function.number] = (function.name, 1);
    }

    pub(super) fn get(&self, name: &str) -> u64 {
        self.iter()
            .find(|(known, _)| *known == name)
            .map_or(0, |(_, count)| count)
    }

    pub(super) fn total(&self) -> u64 {
        self.0.iter().map(|(_, count)| count).sum()
    }

    /// Returns the functions that were called, and how often.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.0.iter().copied().filter(|(_, count)| *count > 0)
    }

    pub(super) fn clear(&mut self) {
        for (_, count) in &mut self.0 {
            *count = 0;
        }
    }
}
