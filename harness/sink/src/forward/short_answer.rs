//! The body of a gRPC answer, which is read only if it is short. OTLP's answers are; a client that gives up at a long one would
//! send the spans again and again, although the server has them.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::body::{Body as HttpBody, Bytes, Frame};
use tonic::Status;
use tonic::body::Body;

/// The error in the place of a long answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("its answer of {0} bytes was not read")]
pub(super) struct LongAnswer(u32);

/// A body that fails with [`LongAnswer`] as soon as the header of its message announces one.
#[derive(Debug)]
pub(super) struct ShortAnswer {
    body: Body,
    /// The first bytes, until the length of the message is among them.
    begun: Vec<u8>,
}

impl ShortAnswer {
    pub(super) fn new(body: Body) -> Self {
        let begun = Vec::with_capacity(HEADER);
        Self { body, begun }
    }

    fn check(&mut self, data: &[u8]) -> Result<(), LongAnswer> {
        let missing = HEADER - self.begun.len();
        if missing == 0 {
            return Ok(());
        }
        self.begun.extend(data.iter().take(missing));
        match self.begun[..] {
            [_flag, a, b, c, d] => match u32::from_be_bytes([a, b, c, d]) {
                length if length > MAX_ANSWER => Err(LongAnswer(length)),
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

impl HttpBody for ShortAnswer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
            && let Err(long) = self.check(data)
        {
            return Poll::Ready(Some(Err(Status::from_error(long.into()))));
        }
        Poll::Ready(frame)
    }
}

/// The bytes in front of a message: a flag, and its length.
const HEADER: usize = 5;

/// The most bytes of an answer that are read, as over HTTP.
const MAX_ANSWER: u32 = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_in_pieces_is_read() {
        let over = (MAX_ANSWER + 1).to_be_bytes();
        let mut answer = ShortAnswer::new(Body::empty());
        assert_eq!(answer.check(&[]), Ok(()));
        assert_eq!(answer.check(&[0, over[0]]), Ok(()));
        assert_eq!(answer.check(&over[1..]), Err(LongAnswer(MAX_ANSWER + 1)));
        let mut answer = ShortAnswer::new(Body::empty());
        assert_eq!(
            answer.check(&[&[1], &MAX_ANSWER.to_be_bytes()[..]].concat()),
            Ok(())
        );
        assert_eq!(answer.check(&[0xff; 100]), Ok(()), "behind the header");
    }
}
