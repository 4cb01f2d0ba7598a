//! What a server does with each request: it answers in pieces, resets, or keeps silent.

use std::time::Duration;

use sidespan_host::Headers;

use crate::run::answers::Answers;
use crate::run::body::Body;
use crate::run::convert::add;
use crate::run::pattern::Known;
use crate::run::scenario::{Ending, Step};

/// The reaction to one request.
#[derive(Clone, Debug)]
pub(in crate::run::on_envoy) struct Script {
    pub(super) after: Duration,
    pub(super) act: Act,
}

/// The action of a server on a request.
#[derive(Clone, Debug)]
pub(super) enum Act {
    Respond {
        headers: Headers,
        chunks: Vec<Body>,
        trailers: Headers,
        /// True if the stream is reset in place of its end.
        breaks_off: bool,
        /// True if the response does not wait for the end of the request, as in a gRPC stream.
        is_early: bool,
    },
    Reset,
    Silence,
}

/// The origin of a server's answers.
pub(super) enum Source {
    /// The reactions to requests that are under way at once, each with its request's path.
    Scripts(Vec<(Vec<u8>, Script)>),
    Answers(Answers),
}

impl Script {
    /// Returns the upstream's reaction to one request of a scenario.
    ///
    /// # Errors
    /// When a header uses a name that stands for nothing.
    pub(in crate::run::on_envoy) fn new(step: &Step, known: &Known) -> anyhow::Result<Self> {
        let response = &step.response;
        let mut headers = Headers::from([(":status", response.status.to_string())]);
        add(&mut headers, &response.headers, known)?;
        let mut trailers = Headers::new();
        add(&mut trailers, &response.trailers, known)?;
        let act = match step.ending {
            Ending::UpstreamReset => Act::Reset,
            Ending::UpstreamTimeout | Ending::ClientAbort | Ending::ConnectFailure => Act::Silence,
            Ending::Complete | Ending::ResponseReset => Act::Respond {
                headers,
                chunks: response.chunks().into_iter().cloned().collect(),
                trailers,
                breaks_off: step.ending == Ending::ResponseReset,
                is_early: false,
            },
        };
        Ok(Self {
            after: response.after.0,
            act,
        })
    }

    /// Returns the reaction of a server that never answers.
    pub(super) fn silence() -> Self {
        Self {
            after: Duration::ZERO,
            act: Act::Silence,
        }
    }
}
