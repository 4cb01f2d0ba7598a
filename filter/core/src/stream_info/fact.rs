//! Facts of a response that went well, which the proxy confirms without an answer in memory.
//!
//! An answer of bytes makes the proxy enter the module once more, for memory. The value `null` has no bytes: Envoy refuses to
//! write it (`serializeValue`, SERIALIZATION_FAILURE), and the refusal is the confirmation. Of all other responses, and where the
//! proxy has no CEL, the facts are read one by one.
//!
//! An expression with a comparison or two takes the proxy as long as three reads of a header (`filter/README.md`, "What a request
//! costs"), so that what passes is read and not confirmed.

use strum::VariantArray;

/// A fact of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, VariantArray)]
pub enum Fact {
    /// The client got a code below 500, and nothing broke the exchange off. Where the headers that passed have told of no failure,
    /// a code of zero tells of none either.
    GoodEnd,
}

impl Fact {
    /// All facts, in the order of their declaration.
    pub const ALL: [Self; Self::VARIANTS.len()] = *Self::VARIANTS.as_array().unwrap();

    /// Returns an expression of CEL whose value is `null` where the fact is so.
    pub fn expression(self) -> &'static str {
        match self {
            Self::GoodEnd => "response.flags == 0 && response.code < 500 ? null : true",
        }
    }
}
