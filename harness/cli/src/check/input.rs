//! The files of the command line: their text, documents and lines, the environment of a VM, and the owner of a plugin.

pub mod document;
pub mod environment;
pub(super) mod folder;
pub(super) mod foreign;
pub(super) mod locator;
pub(super) mod parse;
pub(super) mod path;
pub(super) mod plugin_owner;
mod scalar;
pub(super) mod stand_in;
pub(super) mod text;
mod yaml;
