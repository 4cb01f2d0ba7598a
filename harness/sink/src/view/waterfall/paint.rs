//! The two styles of a drawing.

/// The style of a waterfall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// ASCII lines without colour: for pipes, files and `NO_COLOR`.
    Plain,
    /// Box drawing and ANSI colours.
    Colour,
}
