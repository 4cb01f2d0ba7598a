//! rotel between a sender and the sink: what it passes on comes back field by field.

use prost::Message;
use sidespan_sink::{Place, SinkConfig, Transport};
use sidespan_tests::collector::{Collector, runtime};
use sidespan_tests::corpus::{corpus, lines_kept, lines_sent};
use sidespan_tests::rotel::Rotel;
use tempfile::TempDir;

use crate::sink::client::{EXPORT, call};
use crate::sink::golden::{everywhere, in_file};

#[test]
#[cfg_attr(
    any(no_envoy, no_rotel),
    ignore = "Python 3.10 to 3.13 with venv and its shared library, and glibc 2.34 are needed"
)]
fn rotel_exports_over_each_protocol() {
    let request = corpus();
    let sent = lines_sent(&request);
    for (protocol, transport, header) in [
        ("grpc", Transport::Grpc, "grpc-encoding"),
        ("http", Transport::Http, "content-encoding"),
    ] {
        let folder = TempDir::new().expect("a folder");
        let file = folder.path().join("spans.db");
        let collector = Collector::start_with(SinkConfig {
            place: Place::File(file.clone()),
            ..SinkConfig::default()
        });
        let sink = collector.sink();
        let to = match transport {
            Transport::Grpc => sink.grpc_addr(),
            Transport::Http => sink.http_addr(),
        };
        let rotel = Rotel::start(protocol, to);
        let body = request.encode_to_vec();
        let answer = runtime().block_on(call(rotel.grpc, EXPORT, "identity", &body));
        assert_eq!(answer.code, 0, "{protocol}");
        let spans =
            collector.wait(|now| (now.spans.len() >= sent.len()).then(|| now.spans.clone()));
        let kept = lines_kept(spans.iter().map(|span| &**span));
        assert_eq!(kept, sent, "{protocol}");
        runtime().block_on(async {
            everywhere(sink, &sent, protocol).await;
            in_file(&file, sink, &sent, protocol).await;
        });
        for request in sink.requests() {
            assert_eq!(request.transport, transport, "{protocol}");
            // This version compresses whatever its options say.
            assert_eq!(request.header(header), Some("gzip"), "{protocol}");
        }
    }
}
