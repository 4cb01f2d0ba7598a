//! Real Collectors and a real Jaeger.

mod answers;
mod corpus;
mod export;
mod file;
mod forward;
mod jaeger;
mod parts;
mod prometheus;
