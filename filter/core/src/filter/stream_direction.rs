//! The direction of one stream, asked for where it makes a difference, and once.

use core::cell::Cell;

use crate::direction::{Direction, DirectionSource};
use crate::proxy::Stream;

/// The direction of one stream.
pub(super) struct StreamDirection {
    source: DirectionSource,
    known: Cell<Option<Direction>>,
}

impl StreamDirection {
    #[inline]
    pub(super) fn new(source: DirectionSource) -> Self {
        Self {
            known: Cell::new(source.known()),
            source,
        }
    }

    #[inline]
    pub(super) fn of(&self, stream: &impl Stream) -> Direction {
        self.known.get().unwrap_or_else(|| {
            let direction = match self.source {
                DirectionSource::Fixed(direction) => direction,
                DirectionSource::Listener => Direction::of_listener(stream.listener_direction()),
            };
            self.known.set(Some(direction));
            direction
        })
    }

    #[inline]
    pub(super) fn known(&self) -> Option<Direction> {
        self.known.get()
    }
}
