//! The carrier: the headers of a message, whichever client they belong to.

use alloc::string::String;
use alloc::vec::Vec;

/// The headers of one message, or of a request.
pub trait Carrier {
    /// Returns the headers, in order; one without a value, or with one that is neither text nor bytes, is left out.
    fn headers(&self) -> impl Iterator<Item = (&str, &[u8])>;

    /// Replaces all headers of this name, in whatever case, by one. Where there was one, its spelling stays, because brokers
    /// keep the case of names, and a reader of the message may ask for just that.
    fn set(&mut self, name: &str, value: &[u8]);

    /// Removes all headers of this name, in whatever case.
    fn remove_all(&mut self, name: &str);

    /// Returns true if all of these headers may be set; those that are there already need no room.
    fn has_room_for(&self, names: &[&str]) -> bool {
        let _ = names;
        true
    }
}

impl Carrier for Vec<(String, Vec<u8>)> {
    fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.iter()
            .map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    fn set(&mut self, name: &str, value: &[u8]) {
        let mut is_written = false;
        self.retain_mut(|(other, old)| {
            if !other.eq_ignore_ascii_case(name) {
                return true;
            }
            if is_written {
                return false;
            }
            is_written = true;
            old.clear();
            old.extend_from_slice(value);
            true
        });
        if !is_written {
            self.push((name.into(), value.into()));
        }
    }

    fn remove_all(&mut self, name: &str) {
        self.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
    }
}
