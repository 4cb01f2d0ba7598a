//! A service of the demo, which answers, calls the services that it needs, and copies its own format's headers.
//!
//! Copying is all that an application must do for a trace, and all that this service does: it never makes a header,
//! changes one, or records a span. Headers of other formats stay behind, which is how traces break in a mesh of several
//! formats.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use super::call;
use super::format::{Format, trace_context};
use super::report::{Hop, Sent};

/// The description of a service.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spec {
    pub(super) name: &'static str,
    pub(super) format: Format,
    /// Path that callers use.
    pub(super) path: &'static str,
    /// Names of the callees, in the order of the calls.
    pub(super) calls: &'static [&'static str],
    /// Time of pretended work, so that there is a waterfall to see.
    pub(super) work: Duration,
}

/// The requests that all services have seen, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Diary(Arc<Mutex<Vec<Hop>>>);

impl Diary {
    pub(super) fn hops(&self) -> Vec<Hop> {
        self.with(|hops| hops.clone())
    }

    fn with<T>(&self, change: impl FnOnce(&mut Vec<Hop>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A running service, which stops when it is dropped.
#[derive(Debug)]
pub(super) struct Service {
    address: SocketAddr,
    task: JoinHandle<()>,
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    spec: Spec,
    /// Address of the sidecar's outbound side; it is known only after the sidecar knows the service.
    outbound: OnceLock<SocketAddr>,
    path_of: fn(&str) -> &'static str,
    diary: Diary,
}

impl Service {
    /// Starts a service on a free port. `path_of` returns the path of a callee.
    pub(super) async fn start(
        spec: Spec,
        path_of: fn(&str) -> &'static str,
        diary: Diary,
    ) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let inner = Arc::new(Inner {
            spec,
            outbound: OnceLock::new(),
            path_of,
            diary,
        });
        let task = tokio::spawn(accept(listener, Arc::clone(&inner)));
        Ok(Self {
            address,
            task,
            inner,
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets the sidecar's address for the service's own calls; the first address stays.
    pub(super) fn call_through(&self, outbound: SocketAddr) {
        self.inner.outbound.get_or_init(|| outbound);
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, inner: Arc<Inner>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let inner = Arc::clone(&inner);
        let answer = service_fn(move |request| {
            let inner = Arc::clone(&inner);
            async move { Ok::<_, Infallible>(inner.answer(request).await) }
        });
        connections.spawn(async move {
            let served = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), answer)
                .await;
            if let Err(error) = served {
                log::debug!("a connection to a service ended: {error}");
            }
        });
    }
}

impl Inner {
    async fn answer(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let Spec {
            name,
            format,
            calls,
            work,
            ..
        } = self.spec;
        let received = trace_context(request.headers());
        let hop = self.diary.with(|hops| {
            hops.push(Hop {
                service: name,
                format,
                received,
                sent: Vec::new(),
            });
            hops.len() - 1
        });
        let copied = copy(format, request.headers());
        tokio::time::sleep(work).await;
        for callee in calls {
            self.diary.with(|hops| {
                if let Some(hop) = hops.get_mut(hop) {
                    hop.sent.push(Sent {
                        to: callee,
                        headers: trace_context(&copied),
                    });
                }
            });
            if let Err(error) = self.call(callee, copied.clone()).await {
                return text(StatusCode::BAD_GATEWAY, format!("{name}: {error:#}"));
            }
        }
        text(StatusCode::OK, format!("{name} is done"))
    }

    async fn call(&self, callee: &str, headers: HeaderMap) -> anyhow::Result<()> {
        let outbound = self.outbound.get();
        let outbound = outbound.ok_or_else(|| anyhow::anyhow!("no sidecar to call through"))?;
        let (status, answer) =
            call::get(*outbound, callee, (self.path_of)(callee), headers).await?;
        if status != StatusCode::OK {
            anyhow::bail!("{callee} answered {status}: {answer}");
        }
        Ok(())
    }
}

/// Copies the headers of one format, byte for byte and line by line.
fn copy(format: Format, incoming: &HeaderMap) -> HeaderMap {
    let own = incoming
        .iter()
        .filter(|(name, _)| format.owns(name.as_str()));
    own.map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn text(status: StatusCode, line: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(line)));
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::format::Headers;
    use super::*;

    /// Returns every header of every format, and one header of no format.
    fn everything() -> HeaderMap {
        let names: BTreeSet<&str> = Format::ALL
            .map(Format::headers)
            .concat()
            .into_iter()
            .collect();
        names
            .into_iter()
            .chain(["cookie"])
            .map(|name| {
                (
                    http::HeaderName::from_static(name),
                    format!("value of {name}").parse().unwrap(),
                )
            })
            .collect()
    }

    /// Sends a request with `incoming` to a service of this format that calls one other; returns the other's headers.
    async fn passed_on(format: Format, incoming: HeaderMap) -> Headers {
        let diary = Diary::default();
        let spec = Spec {
            name: "middle",
            format,
            path: "/",
            calls: &["last"],
            work: Duration::ZERO,
        };
        let last = Spec {
            name: "last",
            calls: &[],
            ..spec
        };
        let middle = Service::start(spec, |_| "/last", diary.clone())
            .await
            .unwrap();
        let last = Service::start(last, |_| "/", diary.clone()).await.unwrap();
        middle.call_through(last.address());
        let (status, _) = call::get(middle.address(), "middle", "/", incoming)
            .await
            .unwrap();
        assert_eq!(status, StatusCode::OK);
        let hops = diary.hops();
        assert_eq!(hops[0].sent[0].headers, hops[1].received);
        hops[1].received.clone()
    }

    async fn passes_on_exactly(format: Format, names: &[&str]) {
        let expected = names
            .iter()
            .map(|name| ((*name).to_owned(), format!("value of {name}")));
        assert_eq!(
            passed_on(format, everything()).await,
            expected.collect::<Headers>(),
            "{format:?}"
        );
        let nothing = passed_on(format, HeaderMap::new()).await;
        assert_eq!(nothing, Headers::new(), "it makes no header of its own");
    }

    #[tokio::test]
    async fn a_service_passes_on_the_headers_of_its_format_alone() {
        let rows: [(Format, &[&str]); 6] = [
            (Format::W3c, &["traceparent", "tracestate"]),
            (Format::W3cWithoutTracestate, &["traceparent"]),
            (
                Format::B3Multi,
                &[
                    "x-b3-traceid",
                    "x-b3-spanid",
                    "x-b3-parentspanid",
                    "x-b3-sampled",
                    "x-b3-flags",
                ],
            ),
            (Format::B3Single, &["b3"]),
            (Format::Jaeger, &["uber-trace-id"]),
            (
                Format::Datadog,
                &[
                    "x-datadog-trace-id",
                    "x-datadog-parent-id",
                    "x-datadog-sampling-priority",
                    "x-datadog-origin",
                    "x-datadog-tags",
                ],
            ),
        ];
        assert_eq!(rows.map(|(format, _)| format), Format::ALL);
        for (format, names) in rows {
            passes_on_exactly(format, names).await;
        }
    }

    #[tokio::test]
    async fn a_service_says_which_callee_failed_and_how() {
        let spec = Spec {
            name: "middle",
            format: Format::W3c,
            path: "/",
            calls: &["last"],
            work: Duration::ZERO,
        };
        let middle = Service::start(spec, |_| "/last", Diary::default())
            .await
            .unwrap();
        let failing = Service::start(spec, |_| "/", Diary::default())
            .await
            .unwrap();
        middle.call_through(failing.address());
        let (status, text) = call::get(middle.address(), "middle", "/", HeaderMap::new())
            .await
            .unwrap();
        assert_eq!(status, StatusCode::BAD_GATEWAY);
        assert_eq!(
            text,
            "middle: last answered 502 Bad Gateway: middle: no sidecar to call through"
        );
    }
}
