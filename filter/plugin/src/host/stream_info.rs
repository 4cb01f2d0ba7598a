//! What the proxy knows of the current stream: its attributes, and the headers of its response.

use sidespan_abi::hostcalls;
use sidespan_abi::types::MapType;
use sidespan_core::stream_info::attributes::AttributeSet;
use sidespan_core::stream_info::source::StreamInfo;

/// The current stream, as far as the proxy answers.
#[derive(Clone, Copy, Default)]
pub(crate) struct CurrentStream {
    // By the order of `AttributeSet`; `None` where the proxy does not evaluate lists.
    expressions: [Option<Expression>; AttributeSet::ALL.len()],
}

/// The proxy's handle on an expression of this root context, which takes it along when it ends.
type Expression = [u8; 4];

impl CurrentStream {
    /// Has the proxy prepare an expression for each set of attributes. An Envoy that was built without CEL prepares none, and
    /// each property is then read by itself.
    #[inline]
    pub(crate) fn prepare() -> Self {
        let create = |attributes: AttributeSet| {
            let handle = hostcalls::call_foreign_function(
                "expr_create",
                attributes.expression().as_bytes(),
            )?;
            handle.try_into().ok()
        };
        Self {
            expressions: AttributeSet::ALL.map(create),
        }
    }
}

impl StreamInfo for CurrentStream {
    #[inline]
    fn property(&self, path: &str) -> Option<Vec<u8>> {
        hostcalls::get_property(path)
    }

    #[inline]
    fn response_header(&self, name: &str) -> Option<Vec<u8>> {
        hostcalls::get_map_value_bytes(MapType::HttpResponseHeaders, name)
    }

    #[inline]
    fn response_trailer(&self, name: &str) -> Option<Vec<u8>> {
        hostcalls::get_map_value_bytes(MapType::HttpResponseTrailers, name)
    }

    #[inline]
    fn answers(&self, attributes: AttributeSet) -> Option<Vec<u8>> {
        let expression = self
            .expressions
            .get(attributes as usize)
            .copied()
            .flatten()?;
        hostcalls::call_foreign_function("expr_evaluate", &expression)
    }
}
