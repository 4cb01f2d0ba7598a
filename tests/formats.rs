//! Formats: trace headers in all nine, as published test suites, guides and other libraries write them, and between
//! services that speak different ones.

mod conflicts;
mod external;
mod guides;
mod vectors;
