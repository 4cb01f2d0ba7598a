//! The exchange of the current stream, as the proxy tells it.

use sidespan_core::stream_info::attributes::AttributeSet;
use sidespan_core::stream_info::source::StreamInfo;

use super::{RESPONSE_HEADERS, RESPONSE_TRAILERS, foreign, header, property};

/// What the proxy tells of the exchange of the current stream.
#[derive(Clone, Copy, Default)]
pub(crate) struct CurrentExchange {
    // By the order of `AttributeSet`; None where the proxy does not take lists.
    questions: [Option<Expression>; AttributeSet::ALL.len()],
}

/// The proxy's handle on an expression of this root context, which takes it along when it ends.
type Expression = [u8; 4];

impl CurrentExchange {
    /// Has the proxy prepare what is going to be asked. Envoy may have been built without CEL: then nothing is, and each
    /// property is asked for by itself.
    #[inline]
    pub(crate) fn prepare() -> Self {
        let create = |question: AttributeSet| {
            let handle = foreign("expr_create", question.expression().as_bytes())?;
            handle.try_into().ok()
        };
        Self {
            questions: AttributeSet::ALL.map(create),
        }
    }
}

impl StreamInfo for CurrentExchange {
    #[inline]
    fn property(&self, path: &str) -> Option<Vec<u8>> {
        property(path)
    }

    #[inline]
    fn response_header(&self, name: &str) -> Option<Vec<u8>> {
        header(RESPONSE_HEADERS, name)
    }

    #[inline]
    fn response_trailer(&self, name: &str) -> Option<Vec<u8>> {
        header(RESPONSE_TRAILERS, name)
    }

    #[inline]
    fn answers(&self, question: AttributeSet) -> Option<Vec<u8>> {
        let expression = self.questions.get(question as usize).copied().flatten()?;
        foreign("expr_evaluate", &expression)
    }
}
