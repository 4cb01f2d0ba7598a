//! Keeping: spans of failed and slow requests that were not sampled.

mod edge;
mod external;
mod incident;
mod pod;
mod slots;
