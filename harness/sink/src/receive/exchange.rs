//! One request for spans, from its message to its outcome, the same over every transport and in every format.

use hyper::body::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use tokio::task::spawn_blocking;
use tonic::Code;

use super::compression::Compression;
use super::dropped;
use super::ingest::Ingest;
use super::media::Media;
use super::memory::Share;
use super::message::{Format, Message};
use super::refusal::Refusal;
use super::signal::Signal;
use super::zipkin;
use crate::otlp_json;
use crate::script::{Plan, Reply};
use crate::store::{Answer, SpanBatch, Transport};

/// The size of a body that is read aside, so that reading it keeps nobody waiting.
const ASIDE_BYTES: usize = 128 << 10;
/// The size of a compressed body that is read aside.
const ASIDE_PACKED_BYTES: usize = 16 << 10;
/// The most objects in JSON, each of which may become a span of some 300 bytes.
const MAX_OBJECTS: usize = 1_000_000;
/// The memory of a comma or an opening bracket in JSON: a value has 32 bytes, and a growing list has room for two.
const BYTES_OF_A_PART: usize = 24;
/// The memory that a text in JSON may become, however low the limit of a request is.
const ALWAYS_BYTES: usize = 256 << 10;

/// The outcome of a request, which each transport tells in its own words.
#[derive(Debug)]
pub(super) enum Outcome {
    /// A success, whole or partial.
    Success(ExportTraceServiceResponse),
    /// A refusal.
    Refused(Refusal),
    /// No answer at all.
    Reset,
    /// The beginning of a success.
    Cut,
}

/// Answers a request for spans, as planned, and records the answer.
pub(super) async fn traces(
    ingest: &Ingest,
    number: u64,
    transport: Transport,
    plan: Plan,
    message: Result<Message, Refusal>,
) -> Outcome {
    if let Some(time) = plan.delay {
        tokio::time::sleep(time).await;
    }
    let scripted = match plan.reply {
        Reply::Reset => {
            ingest.answer(number, Answer::Reset);
            return Outcome::Reset;
        }
        Reply::Unavailable => Some(Refusal::scripted_code(Code::Unavailable, None)),
        Reply::GrpcStatus(code, retry) => Some(Refusal::scripted_code(code, retry)),
        Reply::Status(status, retry) => Some(Refusal::scripted_status(status, retry)),
        Reply::HttpStatus(status, retry) => Some(Refusal {
            code: Code::Unknown,
            ..Refusal::scripted_status(status, retry)
        }),
        _ => None,
    };
    if let Some(refusal) = scripted {
        ingest.answer(number, answer(transport, &refusal));
        return Outcome::Refused(refusal);
    }
    let kept = match message {
        Ok(message) => keep(ingest, number, transport, &plan.reply, message).await,
        Err(refusal) => Err(refusal),
    };
    match (kept, plan.reply) {
        (Err(refusal), _) => {
            ingest.refuse(number, answer(transport, &refusal), &refusal);
            Outcome::Refused(refusal)
        }
        (Ok(_), Reply::LostAnswer) => Outcome::Reset,
        (Ok(_), Reply::CutAnswer) => Outcome::Cut,
        (Ok(_), Reply::PartialSuccess { rejected, message }) => {
            Outcome::Success(ExportTraceServiceResponse {
                partial_success: Some(ExportTracePartialSuccess {
                    rejected_spans: i64::try_from(rejected).unwrap_or(i64::MAX),
                    error_message: message,
                }),
            })
        }
        (Ok(success), _) => Outcome::Success(success),
    }
}

async fn keep(
    ingest: &Ingest,
    number: u64,
    transport: Transport,
    reply: &Reply,
    message: Message,
) -> Result<ExportTraceServiceResponse, Refusal> {
    let is_zipkin = message.format == Format::Zipkin;
    let limit = ingest.limits().max_request_bytes;
    // The memory is taken until the spans are kept.
    let (batch, _share) = aside(message, move |message| read_spans(message, limit)).await?;
    if is_zipkin {
        ingest.counters().zipkin_spans(batch.found());
    }
    let answer = match (reply, transport) {
        (Reply::LostAnswer | Reply::CutAnswer, _) => Answer::Reset,
        (_, Transport::Grpc) => Answer::Grpc(i32::from(Code::Ok)),
        (_, Transport::Http) if is_zipkin => Answer::Http(202),
        (_, Transport::Http) => Answer::Http(200),
    };
    let withheld = match reply {
        Reply::PartialSuccess { rejected, .. } => Some(*rejected),
        _ => None,
    };
    ingest.keep(number, answer, batch, withheld).await
}

/// Counts the records of another signal than traces, which are dropped.
///
/// # Errors
/// A refusal, when the message is broken or too large.
pub(super) async fn others(
    ingest: &Ingest,
    signal: Signal,
    message: Result<Message, Refusal>,
) -> Result<(), Refusal> {
    let limit = ingest.limits().max_request_bytes;
    let counted = match message {
        Ok(message) => aside(message, move |message| read_others(signal, message, limit)).await,
        Err(refusal) => Err(refusal),
    };
    match counted {
        Ok(records) => {
            ingest.count_other_signal(signal, records);
            Ok(())
        }
        Err(refusal) => {
            ingest.counters().refusal(&refusal);
            Err(refusal)
        }
    }
}

/// Runs the reading of a message, aside where it is large.
async fn aside<T: Send + 'static>(
    message: Message,
    read: impl FnOnce(Message) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let limit = match message.compression {
        Compression::Identity => ASIDE_BYTES,
        _ => ASIDE_PACKED_BYTES,
    };
    if message.body.len() <= limit {
        return read(message);
    }
    let read = spawn_blocking(move || read(message)).await;
    read.unwrap_or_else(|error| {
        log::error!("the reading of a message ended badly: {error}");
        Err(Refusal::broken("this sink cannot read the message"))
    })
}

fn inflate(message: Message, limit: usize) -> Result<(Bytes, Share), Refusal> {
    let mut share = message.share;
    let plain = message
        .compression
        .inflate(message.body, limit, &mut share)?;
    Ok((plain, share))
}

fn read_spans(message: Message, limit: usize) -> Result<(SpanBatch, Share), Refusal> {
    let format = message.format;
    let (plain, mut share) = inflate(message, limit)?;
    let batch = match format {
        Format::Otlp(Media::Protobuf) => {
            let batch = SpanBatch::from_protobuf(plain);
            batch.map_err(|error| Refusal::broken(error.to_string()))?
        }
        Format::Otlp(Media::Json) => {
            weigh(&plain, limit, &mut share)?;
            let read = otlp_json::read_request(&plain);
            let (request, _warnings) = read.map_err(|error| Refusal::broken(error.to_string()))?;
            SpanBatch::from_request(&request)
        }
        Format::Zipkin => {
            weigh(&plain, limit, &mut share)?;
            SpanBatch::from_request(&zipkin::read(&plain).map_err(Refusal::broken)?)
        }
    };
    Ok((batch, share))
}

fn read_others(signal: Signal, message: Message, limit: usize) -> Result<u64, Refusal> {
    let media = match message.format {
        Format::Otlp(media) => media,
        Format::Zipkin => Media::Json,
    };
    let (plain, _share) = inflate(message, limit)?;
    dropped::count(signal, media, &plain)
}

/// Takes the memory of what a text in JSON becomes, or refuses one that becomes more than any request may.
fn weigh(json: &[u8], limit: usize, share: &mut Share) -> Result<(), Refusal> {
    let count = |wanted: fn(&u8) -> bool| json.iter().filter(|byte| wanted(byte)).count();
    let objects = count(|byte| *byte == b'{');
    let parts = count(|byte| matches!(byte, b'{' | b'[' | b','));
    let bytes = parts.saturating_mul(BYTES_OF_A_PART);
    if objects > MAX_OBJECTS || bytes > limit.saturating_mul(2).max(ALWAYS_BYTES) {
        return Err(Refusal::too_many_parts());
    }
    share.take(bytes)
}

/// Returns the record of a refusal.
fn answer(transport: Transport, refusal: &Refusal) -> Answer {
    match transport {
        Transport::Grpc => Answer::Grpc(i32::from(refusal.code)),
        Transport::Http => Answer::Http(refusal.http.as_u16()),
    }
}
