//! The sink: every protocol, every field, hostile senders, and the program around it.

mod access;
mod api;
mod client;
mod command;
mod external;
mod forward;
mod golden;
mod hostile;
mod killed;
mod page;
mod program;
mod protocols;
mod trace;
