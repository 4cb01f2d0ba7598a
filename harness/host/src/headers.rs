//! A header map as Envoy keeps it: a list of pairs, in order, with duplicates.
//!
//! Names are lower-cased on every write, pseudo headers (`:method`) stay in front of the others, and a value may be any
//! bytes. Nothing is merged and nothing is refused here: `inline_headers` knows what Envoy joins.

use crate::header_pairs::Pair;

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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<Pair>);

impl Headers {
    /// Returns an empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the first value of a header, as `proxy_get_header_map_value` does.
    pub fn get(&self, name: impl AsRef<[u8]>) -> Option<&[u8]> {
        let name = name.as_ref().to_ascii_lowercase();
        self.0
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.as_slice())
    }

    /// Returns the first value of a header as text; bytes that are not UTF-8 become U+FFFD.
    pub fn text(&self, name: impl AsRef<[u8]>) -> Option<String> {
        self.get(name)
            .map(|value| String::from_utf8_lossy(value).into_owned())
    }

    /// Returns all values of a header, in order.
    pub fn all(&self, name: impl AsRef<[u8]>) -> impl Iterator<Item = &[u8]> {
        let name = name.as_ref().to_ascii_lowercase();
        self.0
            .iter()
            .filter(move |(key, _)| *key == name)
            .map(|(_, value)| value.as_slice())
    }

    /// Returns all values of a header joined with commas, as the property `request.headers.<name>` does.
    pub fn joined(&self, name: impl AsRef<[u8]>) -> Option<Vec<u8>> {
        let values: Vec<&[u8]> = self.all(name).collect();
        (!values.is_empty()).then(|| values.join(&b","[..]))
    }

    /// Returns true if the content type is gRPC's by Envoy's rule, by which `application/grpc-web` is another protocol.
    pub fn is_grpc(&self) -> bool {
        self.get("content-type").is_some_and(|kind| {
            kind == b"application/grpc" || kind.starts_with(b"application/grpc+")
        })
    }

    /// Adds a field, behind the existing fields of that name.
    pub fn add(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        let pair = (name.as_ref().to_ascii_lowercase(), value.as_ref().to_vec());
        // Envoy keeps pseudo headers in front whatever the order of writes.
        if pair.0.starts_with(b":") {
            let after = self
                .0
                .iter()
                .take_while(|(key, _)| key.starts_with(b":"))
                .count();
            self.0.insert(after, pair);
        } else {
            self.0.push(pair);
        }
    }

    /// Adds a value behind that of the first field of that name, with a comma between them, or else a field.
    pub(crate) fn join(&mut self, name: impl AsRef<[u8]>, value: &[u8]) {
        let name = name.as_ref();
        match self.0.iter_mut().find(|(key, _)| key == name) {
            // Envoy puts no comma behind an empty value.
            Some((_, present)) if present.is_empty() => present.extend_from_slice(value),
            Some((_, present)) => {
                present.push(b',');
                present.extend_from_slice(value);
            }
            None => self.add(name, value),
        }
    }

    /// Removes every field of that name and adds one, as Envoy's `setCopy` does since 1.21.
    pub fn replace(&mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        self.remove(name.as_ref());
        self.add(name, value);
    }

    /// Removes every field of that name.
    pub fn remove(&mut self, name: impl AsRef<[u8]>) {
        let name = name.as_ref().to_ascii_lowercase();
        self.0.retain(|(key, _)| *key != name);
    }

    /// Returns the fields in order.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_slice(), value.as_slice()))
    }

    /// Returns the number of fields, pseudo headers included.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns true if there is no field.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the number of bytes of all names and values together, as Envoy's `byteSize` does.
    pub fn byte_size(&self) -> usize {
        self.0
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum()
    }

    pub(crate) fn pairs(&self) -> &[Pair] {
        &self.0
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut headers = Self::new();
        for (name, value) in pairs {
            headers.add(name, value);
        }
        headers
    }
}

impl<N: AsRef<[u8]>, V: AsRef<[u8]>, const COUNT: usize> From<[(N, V); COUNT]> for Headers {
    fn from(pairs: [(N, V); COUNT]) -> Self {
        pairs.into_iter().collect()
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
}
