//! Builds of the project by its documented commands.

mod artifact;
