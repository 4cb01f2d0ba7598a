//! A header map as Envoy keeps it: a list of pairs, in order, with duplicates.
//!
//! Names are lower-cased on every write, pseudo headers (`:method`) stay in front of the others, and a value may be any
//! bytes. Nothing is merged and nothing is refused here: `inline_headers` knows what Envoy joins.
//!
//! All fields lie in one buffer as a guest reads them, so that a map is copied and handed to a guest as a whole.

mod fields;

use std::fmt;
use std::ops::Range;

pub use fields::Fields;
use fields::Lengths;

/// A list of header fields, in order, with duplicates.
///
/// ```
/// use sidespan_host::Headers;
///
/// let mut headers = Headers::from([("Accept", "text/html"), (":method", "GET")]);
/// headers.add("accept", "text/plain");
/// assert_eq!(headers.iter().next(), Some((&b":method"[..], &b"GET"[..])));
/// assert_eq!(headers.get("ACCEPT"), Some(&b"text/html"[..]));
/// assert_eq!(headers.all("accept").count(), 2);
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers {
    lengths: Vec<Lengths>,
    /// The names and values of all fields, in order, each with a NUL behind it.
    bytes: Vec<u8>,
}

impl Headers {
    /// Returns an empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the first value of a header, as `proxy_get_header_map_value` does.
    pub fn get(&self, name: impl AsRef<[u8]>) -> Option<&[u8]> {
        self.find(name.as_ref()).map(|at| &self.bytes[at.value])
    }

    /// Returns the first value of a header as text; bytes that are not UTF-8 become U+FFFD.
    pub fn text(&self, name: impl AsRef<[u8]>) -> Option<String> {
        self.get(name)
            .map(|value| String::from_utf8_lossy(value).into_owned())
    }

    /// Returns all values of a header, in order.
    pub fn all(&self, name: impl AsRef<[u8]>) -> impl Iterator<Item = &[u8]> {
        self.iter()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name.as_ref()))
            .map(|(_, value)| value)
    }

    /// Returns all values of a header joined with commas, as the property `request.headers.<name>` does.
    pub fn joined(&self, name: impl AsRef<[u8]>) -> Option<Vec<u8>> {
        let mut values = self.all(name);
        let mut joined = values.next()?.to_vec();
        for value in values {
            joined.push(b',');
            joined.extend_from_slice(value);
        }
        Some(joined)
    }

    /// Returns true if the content type is gRPC's by Envoy's rule, by which `application/grpc-web` is another protocol.
    pub fn is_grpc(&self) -> bool {
        self.get("content-type").is_some_and(|kind| {
            kind == b"application/grpc" || kind.starts_with(b"application/grpc+")
        })
    }

    /// Adds a field, behind the existing fields of that name.
    pub fn add(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        let (name, value) = (name.as_ref(), value.as_ref());
        let lengths = Lengths::of(name, value);
        let start = self.bytes.len();
        self.bytes.reserve(lengths.bytes());
        self.bytes.extend_from_slice(name);
        self.bytes[start..].make_ascii_lowercase();
        self.bytes.push(0);
        self.bytes.extend_from_slice(value);
        self.bytes.push(0);
        self.lengths.push(lengths);
        if name.first() == Some(&b':') {
            self.move_last_behind_pseudo_headers(start);
        }
    }

    /// Envoy keeps pseudo headers in front whatever the order of writes.
    fn move_last_behind_pseudo_headers(&mut self, start: usize) {
        let is_pseudo = |(name, _): &(&[u8], &[u8])| name.starts_with(b":");
        let place = self.iter().take_while(is_pseudo).count();
        if place >= self.lengths.len() {
            return;
        }
        let behind: usize = self.lengths[..place].iter().map(|it| it.bytes()).sum();
        self.lengths[place..].rotate_right(1);
        let length = self.bytes.len() - start;
        self.bytes[behind..].rotate_right(length);
    }

    /// Adds a value behind that of the first field of that name, with a comma between them, or else a field.
    pub(crate) fn join(&mut self, name: impl AsRef<[u8]>, value: &[u8]) {
        let Some(at) = self.find(name.as_ref()) else {
            return self.add(name, value);
        };
        // Envoy puts no comma behind an empty value.
        let comma: &[u8] = if at.value.is_empty() { b"" } else { b"," };
        let more = comma.iter().chain(value).copied();
        self.bytes.splice(at.value.end..at.value.end, more);
        self.lengths[at.place].grow_value(comma.len() + value.len());
    }

    /// Removes every field of that name and adds one, as Envoy's `setCopy` does since 1.21.
    pub fn replace(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        self.remove(name.as_ref());
        self.add(name, value);
    }

    /// Removes every field of that name.
    pub fn remove(&mut self, name: impl AsRef<[u8]>) {
        while let Some(at) = self.find(name.as_ref()) {
            let lengths = self.lengths.remove(at.place);
            let end = at.value.end + 1;
            self.bytes.drain(end - lengths.bytes()..end);
        }
    }

    /// Returns the fields in order.
    pub fn iter(&self) -> Fields<'_> {
        Fields::new(&self.lengths, &self.bytes)
    }

    /// Returns the number of fields, pseudo headers included.
    pub fn len(&self) -> usize {
        self.lengths.len()
    }

    /// Returns true if there is no field.
    pub fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// Returns the number of bytes of all names and values together, as Envoy's `byteSize` does.
    pub fn byte_size(&self) -> usize {
        self.bytes.len() - 2 * self.lengths.len()
    }

    /// Writes the map as a guest reads it (`header_pairs`).
    pub(crate) fn encode(&self, to: &mut Vec<u8>) {
        fields::encode(&self.lengths, &self.bytes, to);
    }

    fn find(&self, name: &[u8]) -> Option<Found> {
        let mut start = 0;
        for (place, lengths) in self.lengths.iter().enumerate() {
            let value = start + lengths.name() + 1;
            if lengths.name() == name.len()
                && self.bytes[start..value - 1].eq_ignore_ascii_case(name)
            {
                let value = value..value + lengths.value();
                return Some(Found { place, value });
            }
            start += lengths.bytes();
        }
        None
    }
}

/// The place of a field in the list, and of its value in the bytes.
struct Found {
    place: usize,
    value: Range<usize>,
}

impl fmt::Debug for Headers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |bytes| String::from_utf8_lossy(bytes);
        let fields = self.iter().map(|(name, value)| (text(name), text(value)));
        formatter.debug_list().entries(fields).finish()
    }
}

impl<'a> IntoIterator for &'a Headers {
    type Item = (&'a [u8], &'a [u8]);
    type IntoIter = Fields<'a>;

    fn into_iter(self) -> Fields<'a> {
        self.iter()
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut headers = Self::new();
        headers.extend(pairs);
        headers
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>, const COUNT: usize> From<[(N, V); COUNT]> for Headers {
    fn from(pairs: [(N, V); COUNT]) -> Self {
        let mut headers = Self::new();
        let lengths = pairs
            .iter()
            .map(|(name, value)| Lengths::of(name.as_ref(), value.as_ref()).bytes());
        headers.bytes.reserve(lengths.sum());
        headers.extend(pairs);
        headers
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> Extend<(N, V)> for Headers {
    fn extend<I: IntoIterator<Item = (N, V)>>(&mut self, pairs: I) {
        let pairs = pairs.into_iter();
        self.lengths.reserve(pairs.size_hint().0);
        for (name, value) in pairs {
            self.add(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replaces_every_field_of_a_name_and_puts_it_last() {
        let mut headers = Headers::from([("a", "1"), ("b", "2"), ("A", "3")]);
        headers.replace("A", "4");
        assert_eq!(headers, Headers::from([("b", "2"), ("a", "4")]));
    }

    #[test]
    fn keeps_pseudo_headers_in_front_in_their_own_order() {
        let headers = Headers::from([("a", "1"), (":path", "/"), (":method", "GET")]);
        let names: Vec<&[u8]> = headers.iter().map(|(name, _)| name).collect();
        assert_eq!(names, [&b":path"[..], b":method", b"a"]);
    }

    #[test]
    fn joins_the_values_of_a_name_with_commas() {
        let headers = Headers::from([("a", "1"), ("b", "2"), ("a", "3")]);
        assert_eq!(headers.joined("a"), Some(b"1,3".to_vec()));
        assert_eq!(headers.joined("c"), None);
    }

    #[test]
    fn counts_names_and_values_in_its_byte_size() {
        assert_eq!(Headers::from([("ab", "123"), ("c", "")]).byte_size(), 6);
    }

    #[test]
    fn joins_a_value_in_the_middle_of_the_list() {
        let mut headers = Headers::from([("a", "1"), ("b", ""), ("c", "3")]);
        headers.join("a", b"2");
        headers.join("b", b"x");
        headers.join("d", b"4");
        assert_eq!(
            headers,
            Headers::from([("a", "1,2"), ("b", "x"), ("c", "3"), ("d", "4")])
        );
    }

    #[test]
    fn reads_in_a_failed_comparison_as_text() {
        assert_eq!(
            format!("{:?}", Headers::from([("A", "1")])),
            r#"[("a", "1")]"#
        );
    }

    #[test]
    fn takes_names_and_values_with_any_bytes() {
        let mut headers = Headers::from([(&b"a\0b"[..], &b"\0"[..]), (b"", b""), (b"c", b"\xff")]);
        assert_eq!(headers.get(b"a\0b"), Some(&b"\0"[..]));
        headers.remove("a\0b");
        let fields: Vec<_> = headers.iter().collect();
        assert_eq!(fields, [(&b""[..], &b""[..]), (b"c", b"\xff")]);
    }
}
