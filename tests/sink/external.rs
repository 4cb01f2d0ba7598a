//! Other projects' exporters, which send to the sink, and a file system that the system mounts for it.

mod full_disk;
mod rotel;
mod sdks;
