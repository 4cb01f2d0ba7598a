//! Information on one stream from the proxy: Envoy's attributes, the response as it passes, and its outcome.
//!
//! Each answer is a call to the proxy, so only the attributes that a span needs are asked for. Properties are [Envoy's
//! attributes], with the segments of their paths joined by NUL; a number is eight bytes, little endian.
//!
//! [Envoy's attributes]: https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/advanced/attributes

pub mod answers;
pub mod attributes;
pub(crate) mod ending;
pub mod fact;
pub mod heard;
pub mod outcome;
pub mod source;
