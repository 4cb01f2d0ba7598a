//! The web page: its files as they are served, and what keeps pages of other origins away from the readers' APIs.
//!
//! ```text
//! GET / , /trace/{id} , /page/…  ── files ── answer      no token: they hold no data
//! GET /api/sidespan/v1/states    ── states               what the list says of the traces in sight
//! any reader's path              ── guard ── the API     not for foreign names, no change for foreign pages
//! ```
//!
//! The files stand in `harness/sink/page/`; its README says how they are put together.

mod answer;
mod files;
mod guard;
mod json;
mod states;

pub(crate) use answer::serve;
pub(crate) use guard::Guard;
pub(crate) use states::{STATES, states};

#[cfg(test)]
mod tests;
