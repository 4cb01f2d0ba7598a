//! One HTTP stream: messages that have arrived, the part that the guest may see, and the part that has passed the filter.

mod connection;
mod derived_properties;
mod given_properties;
mod half;
mod local_reply;
mod state;
mod written;

pub use connection::{ClosedBy, Connection, ConnectionId, Flow};
pub(crate) use derived_properties::derive;
pub use given_properties::StreamProperties;
pub use half::{EndOfStream, StreamHalf};
pub(crate) use half::{Paused, PausedBody, Side};
pub use local_reply::{LocalReply, Origin};
pub use state::{Action, Ending, Stream, StreamId};
pub(crate) use state::{HasEnded, status_of};
pub(crate) use written::Arrived;
