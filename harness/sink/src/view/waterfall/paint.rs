//! The two ways of drawing.

/// What a waterfall is drawn with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// ASCII lines and no colour: for pipes, files and `NO_COLOR`.
    Plain,
    /// Box drawing and ANSI colours.
    Colour,
}
