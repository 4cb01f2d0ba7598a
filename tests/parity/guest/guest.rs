//! A guest that does what its plugin configuration says: a script of host calls for each callback, each logged with its
//! status and its result.
//!
//! ```text
//! on request_headers            the callback without `proxy_on_`; `#2` is its second call in this context, `end` its last
//!   get_header_map_value request_headers :path
//!   return 1
//! ```
//!
//! The guest speaks the raw ABI, so that no SDK stands between a scenario and the host. It is compiled by `rustc` alone,
//! and belongs to no workspace.

mod arguments;
mod callbacks;
mod calls;
mod host;
mod script;
mod words;
