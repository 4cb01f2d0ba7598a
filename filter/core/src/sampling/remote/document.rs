//! The strategy document of Jaeger's remote sampling, as a collector answers it (`jaeger.api_v2.SamplingStrategyResponse`
//! of jaeger-idl's `sampling.proto`, as protobuf's JSON).
//!
//! ```text
//! {"probabilisticSampling": {"samplingRate": 0.1}}
//! {"rateLimitingSampling": {"maxTracesPerSecond": 5}}
//! {"operationSampling": {"defaultSamplingProbability": 0.1, "defaultLowerBoundTracesPerSecond": 0.5,
//!   "perOperationStrategies": [{"operation": "GET /cart", "probabilisticSampling": {"samplingRate": 1}}]}}
//! ```
//!
//! `strategyType` is not read: it is a word or a number, and often says PROBABILISTIC beside `operationSampling`
//! (JR-3). Unknown members are skipped, and `null` is a missing message. A missing number is zero, as in protobuf. Any
//! other error refuses the document as a whole, because half of a strategy is none that a user has written.
//!
//! serde_json reads the document in one pass, and unknown members are not kept, because a tree of the document would
//! take many times its size. The visitor is written by hand because a derived one takes a list for an object, refuses
//! repeated members, and would keep operations without end.

use alloc::string::{String, ToString};
use core::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor,
};
use serde_json::Number;

use super::table::Table;

/// The strategy of a document, of which one part counts.
#[derive(Clone, Debug, PartialEq)]
pub enum Document {
    /// The share of the traces that is kept, from 0 to 1.
    Probability(f64),
    /// The number of traces a second that are kept.
    Rate(f64),
    /// The shares and limits of operations.
    Operations(Operations),
}

/// The message `operationSampling`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Operations {
    /// The probability of operations that are not listed, from 0 to 1.
    pub probability: f64,
    /// The number of traces a second that are kept of each operation, whatever its probability.
    pub lower_bound: f64,
    /// Operations with a probability of their own.
    pub listed: Table<f64>,
    /// The number of operations that the document has beyond `MAX_OPERATIONS`.
    pub left_out: usize,
}

impl Document {
    /// Parses a document.
    ///
    /// # Errors
    /// The first error of the document, and its position.
    pub fn parse(json: &[u8]) -> Result<Self, serde_json::Error> {
        let mut found = Found::default();
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let response = Member {
            place: Place::Response,
            found: &mut found,
        };
        response.deserialize(&mut deserializer)?;
        deserializer.end()?;
        // The part that says most goes before the others (JR-3).
        match (found.operations, found.rate, found.probability) {
            (Some(operations), _, _) => Ok(Self::Operations(operations)),
            (None, Some(rate), _) => Ok(Self::Rate(rate)),
            (None, None, Some(probability)) => Ok(Self::Probability(probability)),
            (None, None, None) => Err(Error::custom(
                "expected one of operationSampling, rateLimitingSampling and probabilisticSampling, found none",
            )),
        }
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Probability(probability) => write!(f, "probability {}", shown(*probability)),
            Self::Rate(rate) => write!(f, "{} traces a second", shown(*rate)),
            Self::Operations(operations) => operations.fmt(f),
        }
    }
}

impl fmt::Display for Operations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            probability,
            lower_bound,
            listed,
            left_out,
        } = self;
        write!(
            f,
            "probability {}, {} operations with their own",
            shown(*probability),
            listed.len()
        )?;
        if *left_out > 0 {
            write!(f, " (the other {left_out} of the document are too many)")?;
        }
        if *lower_bound > 0.0 {
            let least = shown(*lower_bound);
            write!(f, ", at least {least} traces a second of each")?;
        }
        Ok(())
    }
}

/// Returns a number as the log has it. serde_json prints it, because the printing of `f64` itself would be in the module
/// for this alone, and is a thirtieth of its code.
fn shown(number: f64) -> String {
    let text = Number::from_f64(number).map_or_else(String::new, |number| number.to_string());
    text.strip_suffix(".0").unwrap_or(&text).into()
}

/// The parts of the document that have been read so far.
#[derive(Default)]
struct Found {
    operations: Option<Operations>,
    rate: Option<f64>,
    probability: Option<f64>,
    // The name and the probability of the list's entry that is being read.
    name: String,
    own_probability: Option<f64>,
}

/// The meaning of a value, by its position in the document.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Response,
    RateLimiting,
    Probabilistic(Whose),
    Operations,
    List,
    Operation,
    Name,
    Probability(Whose),
    Rate,
    LowerBound,
    Unknown,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    All,
    Others,
    One,
}

impl Place {
    /// Returns the place of a member. The schema has an upper bound too, which no sampler reads.
    fn member(self, key: &str) -> Self {
        match (self, key) {
            (Self::Response, "operationSampling") => Self::Operations,
            (Self::Response, "rateLimitingSampling") => Self::RateLimiting,
            (Self::Response, "probabilisticSampling") => Self::Probabilistic(Whose::All),
            (Self::RateLimiting, "maxTracesPerSecond") => Self::Rate,
            (Self::Probabilistic(whose), "samplingRate") => Self::Probability(whose),
            (Self::Operations, "defaultSamplingProbability") => Self::Probability(Whose::Others),
            (Self::Operations, "defaultLowerBoundTracesPerSecond") => Self::LowerBound,
            (Self::Operations, "perOperationStrategies") => Self::List,
            (Self::Operation, "operation") => Self::Name,
            (Self::Operation, "probabilisticSampling") => Self::Probabilistic(Whose::One),
            _ => Self::Unknown,
        }
    }

    fn is_number(self) -> bool {
        matches!(self, Self::Probability(_) | Self::Rate | Self::LowerBound)
    }

    /// Returns the kind of value that belongs to this place.
    fn expected(self) -> &'static str {
        match self {
            Self::List => "a list",
            Self::Name => "a string",
            place if place.is_message() => "an object",
            _ => "a number",
        }
    }

    fn is_message(self) -> bool {
        matches!(
            self,
            Self::Response
                | Self::RateLimiting
                | Self::Probabilistic(_)
                | Self::Operations
                | Self::Operation
        )
    }

    /// Returns true if `null` may be in this place, because a message or a list may be missing there.
    fn is_optional(self) -> bool {
        let is_required = matches!(self, Self::Response | Self::Operation);
        self == Self::List || (self.is_message() && !is_required)
    }
}

impl Found {
    /// Begins a message, all of whose numbers are zero.
    fn begin(&mut self, place: Place) {
        match place {
            Place::Operations => self.operations = Some(Operations::default()),
            Place::RateLimiting => self.rate = Some(0.0),
            Place::Probabilistic(Whose::One) => self.own_probability = Some(0.0),
            Place::Probabilistic(_) => self.probability = Some(0.0),
            Place::Operation => {
                self.name.clear();
                self.own_probability = None;
            }
            _ => {}
        }
    }

    /// Ends an entry of the list.
    fn end_operation(&mut self) -> Result<(), &'static str> {
        let Some(probability) = self.own_probability else {
            return Err("expected probabilisticSampling in an operation's strategy, found none");
        };
        let name = core::mem::take(&mut self.name);
        let operations = self.operations.get_or_insert_default();
        let has_room = operations.listed.len() < MAX_OPERATIONS;
        match operations.listed.get_mut(&name) {
            // The last of the entries with one name counts, as in Jaeger's clients.
            Some(listed) => *listed = probability,
            None if has_room => operations.listed.insert(name, probability),
            None => operations.left_out = operations.left_out.saturating_add(1),
        }
        Ok(())
    }

    /// Reads a number. A probability beyond 1 is refused, because Jaeger's clients cut such numbers to the range or
    /// refuse them, and a percentage by mistake would mean "all" to the clients that cut (JR-4).
    fn number<E: Error>(&mut self, place: Place, number: &Number) -> Result<(), E> {
        let value = number.as_f64().unwrap_or_default();
        let is_rate = matches!(place, Place::Rate | Place::LowerBound);
        if is_rate && value < 0.0 {
            return Err(E::custom(format_args!(
                "expected a rate of 0 or more, found {number}"
            )));
        }
        if matches!(place, Place::Probability(_)) && !(0.0..=1.0).contains(&value) {
            return Err(E::custom(format_args!(
                "expected a probability from 0 to 1, found {number}"
            )));
        }
        match place {
            Place::Rate => self.rate = Some(value),
            Place::LowerBound => self.operations.get_or_insert_default().lower_bound = value,
            Place::Probability(Whose::All) => self.probability = Some(value),
            Place::Probability(Whose::One) => self.own_probability = Some(value),
            Place::Probability(Whose::Others) => {
                self.operations.get_or_insert_default().probability = value;
            }
            _ => {}
        }
        Ok(())
    }
}

/// A reader of one value, by its place in the document.
struct Member<'a> {
    place: Place,
    found: &'a mut Found,
}

impl Member<'_> {
    fn number<E: Error>(self, number: Option<Number>, found: Unexpected<'_>) -> Result<(), E> {
        match number {
            Some(number) if self.place.is_number() => self.found.number(self.place, &number),
            _ => Err(E::invalid_type(found, &self)),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Member<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.place {
            Place::Unknown => deserializer.deserialize_ignored_any(IgnoredAny).map(drop),
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Member<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.place.expected())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        match self.place.is_optional() {
            true => Ok(()),
            false => Err(E::invalid_type(Unexpected::Unit, &self)),
        }
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.number(Some(number.into()), Unexpected::Unsigned(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.number(Some(number.into()), Unexpected::Signed(number))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        self.number(Number::from_f64(number), Unexpected::Float(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if self.place != Place::Name {
            return Err(E::invalid_type(Unexpected::Str(text), &self));
        }
        self.found.name = text.into();
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        if self.place != Place::List {
            return Err(Error::invalid_type(Unexpected::Seq, &self));
        }
        loop {
            let entry = Member {
                place: Place::Operation,
                found: &mut *self.found,
            };
            if entries.next_element_seed(entry)?.is_none() {
                return Ok(());
            }
            self.found.end_operation().map_err(Error::custom)?;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        if !self.place.is_message() {
            return Err(Error::invalid_type(Unexpected::Map, &self));
        }
        let Self { place, found } = self;
        found.begin(place);
        while let Some(key) = members.next_key::<String>()? {
            let place = place.member(&key);
            members.next_value_seed(Member { place, found })?;
        }
        Ok(())
    }
}

/// Number of operations that Jaeger's clients keep (RL-2).
pub(super) const MAX_OPERATIONS: usize = 2000;

#[cfg(test)]
mod tests;
