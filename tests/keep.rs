//! Keeping the spans of failed and slow requests that nobody sampled.

mod edge;
mod external;
mod incident;
mod pod;
mod slots;
