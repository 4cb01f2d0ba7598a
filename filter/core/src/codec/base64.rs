//! Base64 as gRPC writes it into headers whose names end in `-bin` ("gRPC over HTTP2", `Binary-Header`): the alphabet
//! of RFC 4648, section 4, read with padding or without, and written without.

use base64::engine::general_purpose::{GeneralPurpose, STANDARD_NO_PAD_INDIFFERENT};

/// The engine, a static because a constant would be copied to the stack, tables and all, wherever it is named.
pub(crate) static BASE64: GeneralPurpose = STANDARD_NO_PAD_INDIFFERENT;
