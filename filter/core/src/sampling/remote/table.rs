//! Values by the names of operations, in the order of these.
//!
//! A sorted list and neither a tree nor a map by hashes, because there are few names, looked up far more often than added; a tree
//! alone is a dozen KiB of code.

use alloc::string::String;
use alloc::vec::Vec;

/// Values by name; each name is there once.
#[derive(Clone, Debug, PartialEq)]
pub struct Table<T>(Vec<(String, T)>);

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Table<T> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The value of this name.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut T> {
        let place = self.place(name).ok()?;
        self.0.get_mut(place).map(|(_, value)| value)
    }

    /// Gives the name this value.
    pub fn insert(&mut self, name: String, value: T) {
        match self.place(&name) {
            Ok(place) => {
                if let Some((_, old)) = self.0.get_mut(place) {
                    *old = value;
                }
            }
            Err(place) => self.0.insert(place, (name, value)),
        }
    }

    fn place(&self, name: &str) -> Result<usize, usize> {
        self.0
            .binary_search_by(|(other, _)| other.as_str().cmp(name))
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn holds_what_a_map_holds() {
        let mut table = Table::default();
        let mut model = BTreeMap::new();
        for number in 0..1_000_u32 {
            let name = (number.wrapping_mul(2_654_435_761) % 300).to_string();
            assert_eq!(table.get_mut(&name), model.get_mut(&name));
            table.insert(name.clone(), number);
            model.insert(name, number);
        }
        assert_eq!((table.len(), table.is_empty()), (model.len(), false));
        let model = model.iter().map(|(name, value)| (name.as_str(), value));
        assert!(table.iter().eq(model));
    }
}
