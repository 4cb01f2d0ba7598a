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
//! `strategyType` is not looked at: it is a word or a number, and often says PROBABILISTIC beside `operationSampling`
//! (JR-3). Members that are not known are passed over, and `null` is a message that is not there. A number that is not
//! there is zero, as protobuf has it. Whatever else is not as it should be refuses the document as a whole: half a strategy is none
//! that anybody has written.
//!
//! It is read in one pass, and of what is not known nothing is kept: a tree of a document of 1 MiB would take a hundred.

use alloc::collections::BTreeMap;
use alloc::string::String;
use core::fmt;
use core::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// What a document says, of which one part counts.
#[derive(Clone, Debug, PartialEq)]
pub enum Document {
    /// The share of the traces that is kept, from 0 to 1.
    Probability(f64),
    /// So many traces a second are kept.
    Rate(f64),
    /// What is kept depends on the operation.
    Operations(Operations),
}

/// `operationSampling`
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Operations {
    /// Of operations that are not listed, from 0 to 1.
    pub probability: f64,
    /// So many traces a second are kept of each, whatever its probability.
    pub lower_bound: f64,
    /// Operations with a probability of their own.
    pub listed: BTreeMap<String, f64>,
    /// How many more the document has than are kept here.
    pub left_out: usize,
}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(json: &[u8]) -> Result<Self, serde_json::Error> {
        let Message(response) = serde_json::from_slice::<Message<Response>>(json)?;
        // From the most to the least that is said (JR-3).
        match (response.operations, response.rate, response.probability) {
            (Some(operations), _, _) => Ok(Self::Operations(operations)),
            (None, Some(rate), _) => Ok(Self::Rate(rate)),
            (None, None, Some(probability)) => Ok(Self::Probability(probability)),
            (None, None, None) => Err(serde_json::Error::custom(
                "expected one of operationSampling, rateLimitingSampling and probabilisticSampling, found none",
            )),
        }
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Probability(probability) => write!(f, "probability {probability}"),
            Self::Rate(rate) => write!(f, "{rate} traces a second"),
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
            "probability {probability}, {} operations with their own",
            listed.len()
        )?;
        if *left_out > 0 {
            write!(f, " (the other {left_out} of the document are too many)")?;
        }
        if *lower_bound > 0.0 {
            write!(f, ", at least {lower_bound} traces a second of each")?;
        }
        Ok(())
    }
}

/// A message whose members are read one by one.
trait Members: Default {
    /// Reads the value of this member.
    fn read<'de, A: MapAccess<'de>>(&mut self, key: &str, values: &mut A) -> Result<(), A::Error>;
}

/// A message as it is read.
struct Message<M>(M);

#[derive(Default)]
struct Response {
    operations: Option<Operations>,
    rate: Option<f64>,
    probability: Option<f64>,
}

#[derive(Default)]
struct Probabilistic {
    rate: f64,
}

#[derive(Default)]
struct RateLimiting {
    rate: f64,
}

#[derive(Default)]
struct Operation {
    name: String,
    probability: Option<f64>,
}

/// `perOperationStrategies`, as far as they are kept.
#[derive(Default)]
struct Listed {
    operations: BTreeMap<String, f64>,
    left_out: usize,
}

impl Members for Response {
    fn read<'de, A: MapAccess<'de>>(&mut self, key: &str, values: &mut A) -> Result<(), A::Error> {
        match key {
            "operationSampling" => self.operations = message(values)?,
            "rateLimitingSampling" => {
                self.rate = message(values)?.map(|RateLimiting { rate }| rate);
            }
            "probabilisticSampling" => {
                self.probability = message(values)?.map(|Probabilistic { rate }| rate);
            }
            _ => pass_over(values)?,
        }
        Ok(())
    }
}

impl Members for Probabilistic {
    fn read<'de, A: MapAccess<'de>>(&mut self, key: &str, values: &mut A) -> Result<(), A::Error> {
        match key {
            "samplingRate" => self.rate = probability(key, values)?,
            _ => pass_over(values)?,
        }
        Ok(())
    }
}

impl Members for RateLimiting {
    fn read<'de, A: MapAccess<'de>>(&mut self, key: &str, values: &mut A) -> Result<(), A::Error> {
        match key {
            "maxTracesPerSecond" => self.rate = rate(key, values)?,
            _ => pass_over(values)?,
        }
        Ok(())
    }
}

impl Members for Operations {
    fn read<'de, A: MapAccess<'de>>(&mut self, key: &str, values: &mut A) -> Result<(), A::Error> {
        match key {
            "defaultSamplingProbability" => self.probability = probability(key, values)?,
            "defaultLowerBoundTracesPerSecond" => self.lower_bound = rate(key, values)?,
            "perOperationStrategies" => {
                let listed = values.next_value::<Option<Listed>>()?.unwrap_or_default();
                self.listed = listed.operations;
                self.left_out = listed.left_out;
            }
            // An upper bound is in the schema, and no sampler asks for it.
            _ => pass_over(values)?,
        }
        Ok(())
    }
}

impl Members for Operation {
    fn read<'de, A: MapAccess<'de>>(&mut self, key: &str, values: &mut A) -> Result<(), A::Error> {
        match key {
            "operation" => self.name = values.next_value()?,
            "probabilisticSampling" => {
                self.probability = message(values)?.map(|Probabilistic { rate }| rate);
            }
            _ => pass_over(values)?,
        }
        Ok(())
    }
}

impl<'de, M: Members> Deserialize<'de> for Message<M> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MessageVisitor(PhantomData))
    }
}

struct MessageVisitor<M>(PhantomData<M>);

impl<'de, M: Members> Visitor<'de> for MessageVisitor<M> {
    type Value = Message<M>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Message<M>, A::Error> {
        let mut message = M::default();
        while let Some(key) = access.next_key::<String>()? {
            message.read(&key, &mut access)?;
        }
        Ok(Message(message))
    }
}

impl<'de> Deserialize<'de> for Listed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ListedVisitor)
    }
}

struct ListedVisitor;

impl<'de> Visitor<'de> for ListedVisitor {
    type Value = Listed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Listed, A::Error> {
        let mut listed = Listed::default();
        while let Some(Message(operation)) = access.next_element::<Message<Operation>>()? {
            let Operation { name, probability } = operation;
            let Some(probability) = probability else {
                return Err(A::Error::custom(
                    "expected probabilisticSampling in an operation's strategy, found none",
                ));
            };
            let is_kept = listed.operations.len() < MAX_OPERATIONS;
            if is_kept || listed.operations.contains_key(&name) {
                listed.operations.insert(name, probability);
            } else {
                listed.left_out = listed.left_out.saturating_add(1);
            }
        }
        Ok(listed)
    }
}

fn message<'de, M: Members, A: MapAccess<'de>>(values: &mut A) -> Result<Option<M>, A::Error> {
    let message = values.next_value::<Option<Message<M>>>()?;
    Ok(message.map(|Message(message)| message))
}

fn pass_over<'de, A: MapAccess<'de>>(values: &mut A) -> Result<(), A::Error> {
    values.next_value::<IgnoredAny>().map(|_| ())
}

/// A number from 0 to 1. Jaeger's clients bend others into that range or refuse them; one that is a percentage by mistake would
/// be "everything" to the former (JR-4).
fn probability<'de, A: MapAccess<'de>>(key: &str, values: &mut A) -> Result<f64, A::Error> {
    let number = values.next_value::<f64>()?;
    match (0.0..=1.0).contains(&number) {
        true => Ok(number),
        false => Err(A::Error::custom(format_args!(
            "expected {key} from 0 to 1, found {number}"
        ))),
    }
}

fn rate<'de, A: MapAccess<'de>>(key: &str, values: &mut A) -> Result<f64, A::Error> {
    let number = values.next_value::<f64>()?;
    match number.is_finite() && number >= 0.0 {
        true => Ok(number),
        false => Err(A::Error::custom(format_args!(
            "expected {key} of 0 or more, found {number}"
        ))),
    }
}

/// As many as Jaeger's clients keep (RL-2).
pub(super) const MAX_OPERATIONS: usize = 2000;

#[cfg(test)]
mod tests;
