//! The configuration: one kind of work, and the bytes that are the same for every span and every request to the collector.
//!
//! ```text
//! sampled | unsampled | unsampled-by-name | keep
//! cluster NAME                the collector's
//! resource KEY VALUE          an attribute of the resource
//! attribute KEY VALUE         an attribute of every span
//! scope NAME VERSION
//! scope-attribute KEY VALUE
//! schema URL
//! ```

use crate::writer::{Writer, padded};

/// A kind of work.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Work {
    /// The map of headers is read, and a `traceparent` written that says that nothing is recorded.
    Unsampled,
    /// Every request becomes a span.
    Sampled,
    /// `traceparent` is read by its name in place of the map, and written likewise.
    UnsampledByName,
    /// `traceparent` likewise, and the status of the response is looked at: a failure becomes a span.
    Keep,
}

/// The bytes of a configuration.
pub(crate) struct Settings {
    pub(crate) work: Work,
    cluster: Part,
    call_headers: Part,
    resource: Part,
    scope: Part,
    attributes: Part,
}

impl Settings {
    pub(crate) const fn new() -> Self {
        Self {
            work: Work::Unsampled,
            cluster: Part::new(),
            call_headers: Part::new(),
            resource: Part::new(),
            scope: Part::new(),
            attributes: Part::new(),
        }
    }

    /// Takes a configuration over; false where its first line names no kind of work.
    pub(crate) fn read(&mut self, text: &[u8]) -> bool {
        self.work = match text.split(|byte| *byte == b'\n').next() {
            Some(b"sampled") => Work::Sampled,
            Some(b"unsampled") => Work::Unsampled,
            Some(b"unsampled-by-name") => Work::UnsampledByName,
            Some(b"keep") => Work::Keep,
            _ => return false,
        };
        let lines = |word: &'static [u8]| lines(text, word);
        let mut cluster: &[u8] = &[];
        for (name, _) in lines(b"cluster") {
            cluster = name;
            self.cluster.write(|out| out.bytes(name));
        }
        self.call_headers.write(|out| call_headers(out, cluster));
        // `ResourceSpans.resource`, and `ResourceSpans.schema_url`.
        self.resource.write(|out| {
            let room = lines(b"resource").map(|(key, value)| room(key, value));
            out.block(&[0x0a]);
            out.length(room.sum());
            for (key, value) in lines(b"resource") {
                attribute(out, 0x0a, key, value);
            }
            schema(out, lines(b"schema").next());
        });
        // `ScopeSpans.scope`, and `ScopeSpans.schema_url`.
        self.scope.write(|out| {
            let (name, version) = lines(b"scope").next().unwrap_or_default();
            let more = lines(b"scope-attribute").map(|(key, value)| room(key, value));
            let texts = name.len().wrapping_add(version.len());
            out.block(&[0x0a]);
            out.length(more.sum::<usize>().wrapping_add(texts).wrapping_add(8));
            field(out, 0x0a, name);
            field(out, 0x12, version);
            for (key, value) in lines(b"scope-attribute") {
                attribute(out, 0x1a, key, value);
            }
            schema(out, lines(b"schema").next());
        });
        self.attributes.write(|out| {
            for (key, value) in lines(b"attribute") {
                attribute(out, 0x4a, key, value);
            }
        });
        true
    }

    pub(crate) fn cluster(&self) -> &[u8] {
        self.cluster.bytes()
    }

    /// Returns the headers of a call to the collector, as the proxy takes them.
    pub(crate) fn call_headers(&self) -> &[u8] {
        self.call_headers.bytes()
    }

    pub(crate) fn resource(&self) -> &[u8] {
        self.resource.bytes()
    }

    pub(crate) fn scope(&self) -> &[u8] {
        self.scope.bytes()
    }

    /// Returns the attributes of every span.
    #[inline]
    pub(crate) fn attributes(&self) -> &[u8] {
        self.attributes.bytes()
    }
}

struct Part {
    bytes: [u8; 1536],
    used: usize,
}

impl Part {
    const fn new() -> Self {
        Self {
            bytes: [0; 1536],
            used: 0,
        }
    }

    fn write(&mut self, write: impl FnOnce(&mut Writer<'_>)) {
        let mut out = Writer::new(&mut self.bytes);
        write(&mut out);
        self.used = out.len();
    }

    #[inline]
    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.used).unwrap_or_default()
    }
}

/// Returns the second and the third word of the lines that begin with a word.
fn lines<'a>(text: &'a [u8], word: &'static [u8]) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
    text.split(|byte| *byte == b'\n').filter_map(move |line| {
        let mut words = line.splitn(3, |byte| *byte == b' ');
        let is_of = words.next() == Some(word);
        is_of.then(|| {
            (
                words.next().unwrap_or_default(),
                words.next().unwrap_or_default(),
            )
        })
    })
}

fn call_headers(out: &mut Writer<'_>, authority: &[u8]) {
    let headers: [(&[u8], &[u8]); 7] = [
        (b":method", b"POST"),
        (
            b":path",
            b"/opentelemetry.proto.collector.trace.v1.TraceService/Export",
        ),
        (b":authority", authority),
        (b"content-type", b"application/grpc"),
        (b"b3", b"0"),
        (b"te", b"trailers"),
        (b"user-agent", b"sidespan-least/0.1.0"),
    ];
    let number = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    out.block(&number(headers.len()));
    for (name, value) in headers {
        out.block(&number(name.len()));
        out.block(&number(value.len()));
    }
    for text in headers.into_iter().flat_map(|(name, value)| [name, value]) {
        out.bytes(text);
        out.block(&[0]);
    }
}

fn schema(out: &mut Writer<'_>, line: Option<(&[u8], &[u8])>) {
    if let Some((url, _)) = line {
        field(out, 0x1a, url);
    }
}

fn field(out: &mut Writer<'_>, tag: u8, text: &[u8]) {
    out.block(&[tag]);
    out.block(&padded(text.len()));
    out.bytes(text);
}

/// Writes a `KeyValue` whose value is a text, in a field of this tag.
fn attribute(out: &mut Writer<'_>, tag: u8, key: &[u8], value: &[u8]) {
    out.block(&[tag]);
    out.length(room(key, value).wrapping_sub(4));
    field(out, 0x0a, key);
    out.block(&[0x12]);
    out.length(value.len().wrapping_add(4));
    field(out, 0x0a, value);
}

/// Returns the bytes that [`attribute`] writes.
fn room(key: &[u8], value: &[u8]) -> usize {
    key.len().wrapping_add(value.len()).wrapping_add(16)
}
