//! Base64 as gRPC writes it into headers whose names end in `-bin`: RFC 4648 section 4, padded or not, and written without.
//!
//! See "gRPC over HTTP2", `Binary-Header`.

use base64::engine::general_purpose::{GeneralPurpose, STANDARD_NO_PAD_INDIFFERENT};

/// A static and not a constant, which would be copied to the stack, tables and all, wherever it is named.
pub(crate) static BASE64: GeneralPurpose = STANDARD_NO_PAD_INDIFFERENT;
