//! The names and values of attributes, sampled over the newest spans, for whoever completes what a person types.
//!
//! Names and values are in no index, which would cost more than all others together. What was not looked at is counted, so
//! that nobody takes the sample for the whole.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::database::StoreError;
use super::handle::Store;
use super::span::{Resource, StoredSpan};
use super::value::{Attribute, Value};

/// The number of spans that are looked at.
pub(crate) const SAMPLED_SPANS: usize = 10_000;

/// The number of names that are told of one scope, and of values of one name.
pub(crate) const MAX_TAGS: usize = 1_000;

/// The length of a name or value, in bytes, beyond which it completes nothing.
const MAX_LENGTH: usize = 1_024;

/// The place of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TagScope {
    /// The resource.
    Resource,
    /// The span.
    Span,
    /// An event of the span.
    Event,
    /// A link of the span.
    Link,
    /// The instrumentation scope.
    Instrumentation,
}

impl TagScope {
    /// All places, in the order in which they are told.
    pub const ALL: [Self; 5] = [
        Self::Resource,
        Self::Span,
        Self::Event,
        Self::Link,
        Self::Instrumentation,
    ];

    /// Returns the name, which is TraceQL's: `resource`, `span`, `event`, `link` or `instrumentation`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resource => "resource",
            Self::Span => "span",
            Self::Event => "event",
            Self::Link => "link",
            Self::Instrumentation => "instrumentation",
        }
    }

    /// Returns the place of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }

    /// Returns the lists of attributes that a span has in the place: one, or one of each event or link.
    pub fn attributes(self, span: &StoredSpan) -> Vec<&[Attribute]> {
        match self {
            Self::Resource => vec![&span.resource.attributes],
            Self::Span => vec![&span.attributes],
            Self::Event => span.events.iter().map(|it| &it.attributes[..]).collect(),
            Self::Link => span.links.iter().map(|it| &it.attributes[..]).collect(),
            Self::Instrumentation => vec![&span.scope.attributes],
        }
    }
}

/// The extent of a sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// The spans that were looked at, the newest ones.
    pub spans: u64,
    /// The stored spans that were not looked at.
    pub spans_left: u64,
    /// The names or values that were met and are not told, because there are more than 1,000 of them or they are too long;
    /// one that is met twice counts twice.
    pub left_out: u64,
}

/// The names of attributes, and the number of sampled spans that have them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagNames {
    /// The names of each place.
    pub names: BTreeMap<TagScope, BTreeMap<String, u64>>,
    /// The extent.
    pub sample: Sample,
}

/// A value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagValue {
    /// The type: `string`, `int`, `float` or `bool`.
    pub kind: &'static str,
    /// The value as text.
    pub text: String,
}

/// The values of an attribute, and the number of sampled spans that have them; of an array each element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagValues {
    /// The values.
    pub values: BTreeMap<TagValue, u64>,
    /// The extent.
    pub sample: Sample,
}

impl TagNames {
    /// Adds the names of a page of spans.
    pub fn add<'a>(&mut self, page: impl IntoIterator<Item = &'a StoredSpan>) {
        // A resource is looked at once, and not for each of its spans.
        let mut resources: HashMap<usize, (&Resource, u64)> = HashMap::new();
        for span in page {
            self.sample.spans += 1;
            let key = Arc::as_ptr(&span.resource).addr();
            resources.entry(key).or_insert((&span.resource, 0)).1 += 1;
            for scope in TagScope::ALL {
                if scope != TagScope::Resource {
                    self.add_names(scope, scope.attributes(span), 1);
                }
            }
        }
        for (resource, spans) in resources.into_values() {
            self.add_names(TagScope::Resource, vec![&resource.attributes], spans);
        }
    }

    fn add_names(&mut self, scope: TagScope, lists: Vec<&[Attribute]>, spans: u64) {
        let attributes = lists.into_iter().flatten();
        let mut names: Vec<&str> = attributes.map(|attribute| &*attribute.key).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            self.count(scope, name, spans);
        }
    }

    fn count(&mut self, scope: TagScope, name: &str, spans: u64) {
        let names = self.names.entry(scope).or_default();
        if let Some(count) = names.get_mut(name) {
            *count += spans;
        } else if names.len() < MAX_TAGS && name.len() <= MAX_LENGTH {
            names.insert(name.to_owned(), spans);
        } else {
            self.sample.left_out += 1;
        }
    }
}

impl TagValues {
    /// Adds the values of a name that a span has in some places.
    pub fn add(&mut self, span: &StoredSpan, scopes: &[TagScope], name: &str) {
        self.sample.spans += 1;
        let mut of_span = Vec::new();
        for scope in scopes {
            for attribute in scope.attributes(span).into_iter().flatten() {
                if attribute.key == name {
                    push(&attribute.value, &mut of_span);
                }
            }
        }
        of_span.sort_unstable();
        of_span.dedup();
        for value in of_span {
            self.count(value);
        }
    }

    /// Adds a value.
    pub fn count(&mut self, value: TagValue) {
        if let Some(count) = self.values.get_mut(&value) {
            *count += 1;
        } else if self.values.len() < MAX_TAGS && value.text.len() <= MAX_LENGTH {
            self.values.insert(value, 1);
        } else {
            self.sample.left_out += 1;
        }
    }
}

fn push(value: &Value, out: &mut Vec<TagValue>) {
    let (kind, text) = match value {
        Value::String(text) => ("string", text.clone()),
        Value::Bool(truth) => ("bool", truth.to_string()),
        Value::Int(number) => ("int", number.to_string()),
        Value::Double(number) => ("float", number.to_string()),
        Value::Array(values) => return values.iter().for_each(|value| push(value, out)),
        Value::Empty | Value::Map(_) | Value::Bytes(_) => return,
    };
    out.push(TagValue { kind, text });
}

impl Store {
    /// Returns the names of attributes among the newest 10,000 spans.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn tag_names(&self) -> Result<TagNames, StoreError> {
        let mut found = TagNames::default();
        let mut newest = self.newest(SAMPLED_SPANS);
        loop {
            let page = newest.page().await?;
            if page.is_empty() {
                break;
            }
            found.add(&page);
        }
        found.sample.spans_left = self.size().spans.saturating_sub(found.sample.spans);
        Ok(found)
    }

    /// Returns the values of an attribute in some places among the newest 10,000 spans.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub async fn tag_values(
        &self,
        scopes: &[TagScope],
        name: &str,
    ) -> Result<TagValues, StoreError> {
        let mut found = TagValues::default();
        let mut newest = self.newest(SAMPLED_SPANS);
        loop {
            let page = newest.page().await?;
            if page.is_empty() {
                break;
            }
            page.iter().for_each(|span| found.add(span, scopes, name));
        }
        found.sample.spans_left = self.size().spans.saturating_sub(found.sample.spans);
        Ok(found)
    }
}
