//! The spans that every peer reads.

pub(super) use sidespan_tests::corpus::readable::{SERVICES, TRACE_ID, count, plain, request};
