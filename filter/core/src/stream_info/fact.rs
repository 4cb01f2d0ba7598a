//! Facts of a response that went well, which the proxy confirms without an answer in memory.
//!
//! An answer of bytes makes the proxy enter the module once more, for memory. The value `null` has no bytes: Envoy refuses to
//! write it (`serializeValue`, SERIALIZATION_FAILURE), and the refusal is the confirmation. Nearly every response went well, so
//! nearly every one costs no memory; of all others, and where the proxy has no CEL, the facts are read one by one.

use strum::VariantArray;

/// A fact of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq, VariantArray)]
pub enum Fact {
    /// The headers that pass tell of no failure, and come from the upstream: the router has noted how long that one took.
    GoodHeaders,
    /// The client got a code below 500, and nothing broke the exchange off.
    GoodEnd,
}

impl Fact {
    /// All facts, in the order of their declaration.
    pub const ALL: [Self; Self::VARIANTS.len()] = *Self::VARIANTS.as_array().unwrap();

    /// Returns an expression of CEL whose value is `null` where the fact is so.
    pub fn expression(self) -> &'static str {
        match self {
            // A code has three digits, so that texts compare as numbers do.
            Self::GoodHeaders => {
                r#"response.headers[":status"] < "500" && "x-envoy-upstream-service-time" in response.headers ? null : true"#
            }
            Self::GoodEnd => {
                "response.flags == 0 && response.code >= 100 && response.code < 500 ? null : true"
            }
        }
    }
}
