//! Spans: how many a request makes, with which attributes and parents, and other projects' software that reads them.

mod correlation;
mod external;
mod privacy;
