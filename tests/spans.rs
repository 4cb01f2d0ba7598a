//! Spans: which of them a request makes, with which attributes, under which parent, and who else can read them.

mod correlation;
mod external;
mod privacy;
