//! The files of the command line: documents, the environment of a VM, and the owner of a plugin.

pub mod document;
pub mod environment;
pub(super) mod plugin_owner;
