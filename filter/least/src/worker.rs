//! The work with a request, from callback to callback.

use crate::batch::{Batch, TICK};
use crate::headers::RequestHeaders;
use crate::proxy::{self, Answers, Headers};
use crate::settings::{Settings, Work};
use crate::span::{self, Facts};
use crate::stream_table::StreamTable;
use crate::trace_parent::{Ids, Supply};
use crate::writer::Writer;

/// All that a worker of the proxy has. It begins as zeros, because a module holds every byte that is none.
pub(crate) struct Worker {
    settings: Settings,
    // The proxy's handle on the question.
    question: [u8; 4],
    supply: Supply,
    streams: StreamTable,
    batch: Batch,
}

impl Worker {
    pub(crate) const fn new() -> Self {
        Self {
            settings: Settings::new(),
            question: [0; 4],
            supply: Supply::new(),
            streams: StreamTable::new(),
            batch: Batch::new(),
        }
    }

    /// Takes the configuration; false where it names no kind of work, or the proxy cannot answer the question.
    pub(crate) fn configure(&mut self, answers: &mut Answers) -> bool {
        if !self.settings.read(answers.configuration()) {
            return false;
        }
        if matches!(self.settings.work, Work::Sampled | Work::Keep) {
            let handle = answers.call(b"expr_create", span::QUESTION);
            let Ok(handle) = handle.try_into() else {
                return false;
            };
            self.question = handle;
            proxy::set_tick_period(TICK);
        }
        true
    }

    #[inline]
    pub(crate) fn request_headers(&mut self, stream: u32, answers: &mut Answers) {
        match self.settings.work {
            Work::Sampled => self.begin(stream, answers),
            Work::Unsampled => {
                let headers = RequestHeaders::read(answers.headers());
                if headers.trace_parent.is_empty() {
                    self.write_unsampled();
                }
            }
            Work::UnsampledByName | Work::Keep => {
                if answers.header(Headers::Request, TRACE_PARENT).is_empty() {
                    self.write_unsampled();
                }
            }
        }
    }

    #[inline]
    pub(crate) fn log(&mut self, stream: u32, answers: &mut Answers) {
        match self.settings.work {
            Work::Sampled => self.end(stream, answers, false),
            Work::Keep => {
                if let [b'5', ..] = answers.header(Headers::Response, b":status") {
                    self.keep(stream, answers);
                }
            }
            Work::Unsampled | Work::UnsampledByName => {}
        }
    }

    pub(crate) fn tick(&mut self) {
        self.batch.tick(&self.settings);
    }

    /// Begins the span of a request, unless its caller has decided against it.
    #[inline]
    fn begin(&mut self, stream: u32, answers: &mut Answers) {
        let headers = RequestHeaders::read(answers.headers());
        let span = self.supply.take();
        let (ids, decision) = match Ids::read(headers.trace_parent) {
            Some((_, _, false)) => return,
            Some((trace, parent, true)) => (
                Ids {
                    trace,
                    span,
                    parent: Some(parent),
                },
                &b"received"[..],
            ),
            None => (self.root(span), &b"default"[..]),
        };
        let fixed = self.settings.attributes();
        self.streams.open(stream, |place| {
            let mut out = Writer::new(place);
            out.block(&[u8::from(headers.forwarded_for.is_empty())]);
            span::begin(&mut out, &ids, true, decision, fixed, &headers);
            out.len()
        });
        let header = ids.header(true);
        match ids.parent {
            Some(_) => proxy::replace_header(TRACE_PARENT, &header),
            None => proxy::add_header(TRACE_PARENT, &header),
        }
    }

    /// Completes the span of a stream.
    #[inline]
    fn end(&mut self, stream: u32, answers: &mut Answers, is_kept: bool) {
        let Some([has_client, begun @ ..]) = self.streams.close(stream) else {
            return;
        };
        if let Some(facts) = Facts::read(answers.call(b"expr_evaluate", &self.question)) {
            self.batch.add(|out| {
                out.bytes(begun);
                span::end(out, &facts, *has_client == 1, is_kept);
            });
        }
    }

    /// Makes a span after all, of a request that is over; its headers have the ids that went upstream. Any trace is taken
    /// for one that began here.
    fn keep(&mut self, stream: u32, answers: &mut Answers) {
        let headers = RequestHeaders::read(answers.headers());
        let Some((trace, span, false)) = Ids::read(headers.trace_parent) else {
            return;
        };
        let ids = Ids {
            trace,
            span,
            parent: None,
        };
        let fixed = self.settings.attributes();
        self.streams.open(stream, |place| {
            let mut out = Writer::new(place);
            out.block(&[u8::from(headers.forwarded_for.is_empty())]);
            span::begin(&mut out, &ids, false, b"default", fixed, &headers);
            out.len()
        });
        self.end(stream, answers, true);
    }

    #[inline]
    fn write_unsampled(&mut self) {
        let span = self.supply.take();
        let ids = self.root(span);
        proxy::add_header(TRACE_PARENT, &ids.header(false));
    }

    #[inline]
    fn root(&mut self, span: [u8; 8]) -> Ids {
        Ids {
            trace: self.supply.take(),
            span,
            parent: None,
        }
    }
}

const TRACE_PARENT: &[u8] = b"traceparent";
