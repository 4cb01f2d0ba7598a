//! The sink: every protocol, every field, hostile senders, and the program around it.

mod access;
mod api;
mod client;
mod command;
mod corpus;
mod external;
mod forward;
mod full_disk;
mod golden;
mod hostile;
mod killed;
mod program;
mod protocols;
mod trace;
