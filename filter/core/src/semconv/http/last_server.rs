//! The attributes of the server that was asked for last: a sidecar's requests are nearly all for one service, whose name is
//! taken apart and encoded once.

use alloc::vec::Vec;
use core::cell::RefCell;

use crate::codec::scan;
use crate::semconv::names::{AttributeWriter, SpanSide};
use crate::span::SpanKind;
use crate::span::attributes::Attributes;

/// The servers of the last requests: one for each kind of span, because the two spans of an edge may tell of two.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LastServers {
    of_server: RefCell<Option<LastServer>>,
    of_client: RefCell<Option<LastServer>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct LastServer {
    authority: Vec<u8>,
    default_port: Option<i32>,
    side: SpanSide,
    attributes: Attributes,
}

impl LastServers {
    /// Adds the attributes of a server: those of the last one where it is the same, and else what `describe` adds.
    #[inline]
    pub(super) fn describe(
        &self,
        writer: &mut AttributeWriter<'_>,
        authority: &[u8],
        default_port: Option<i32>,
        describe: impl Fn(&mut AttributeWriter<'_>),
    ) {
        let side = writer.side;
        let last = match side.kind {
            SpanKind::Server => &self.of_server,
            SpanKind::Client => &self.of_client,
        };
        let mut last = match last.try_borrow_mut() {
            Ok(last) if authority.len() <= MAX_BYTES => last,
            _ => return describe(writer),
        };
        let is_same = last.as_ref().is_some_and(|last| {
            scan::is_same(&last.authority, authority)
                && last.default_port == default_port
                && last.side == side
        });
        if !is_same {
            let mut attributes = Attributes::default();
            describe(&mut AttributeWriter {
                vocabulary: writer.vocabulary,
                side,
                out: &mut attributes,
            });
            *last = Some(LastServer {
                authority: authority.to_vec(),
                default_port,
                side,
                attributes,
            });
        }
        // A span that has room for a part of them alone.
        let is_added = last
            .as_ref()
            .is_some_and(|last| writer.out.append(&last.attributes));
        if !is_added {
            describe(writer);
        }
    }
}

/// The size of the longest name that is kept, by far: a domain has 253 characters.
const MAX_BYTES: usize = 512;
