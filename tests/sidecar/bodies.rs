//! Bodies of 100 MB both ways at once, in bounded memory.

use http::Request;
use http_body_util::BodyExt;
use hyper::body::{Bytes, Frame};

use super::program::{Program, module};
use super::server::{Client, Version, echo, frames};

/// 100 MB, in pieces that no buffer of the sidecar is a multiple of.
const PIECES: u64 = 1_600;
const PIECE: usize = 62_500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_megabytes_stream_both_ways_in_bounded_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    let module = module(folder.path(), 1);
    let module = module.to_str().expect("text");
    let sidecar = Program::start(echo().await, &["--module", module]);
    let idle = sidecar.peak_kib();
    for version in [Version::Http1, Version::Http2] {
        let mut client = Client::connect(sidecar.address(), version).await;
        let piece = |number: u64| {
            let byte = u8::try_from(number % 251).unwrap_or_default();
            Frame::data(Bytes::from(vec![byte; PIECE]))
        };
        let request = Request::post("http://shop/").body(frames((0..PIECES).map(piece)));
        let response = client.send(request.expect("a request")).await;
        let mut response = response.expect("a response");
        assert_eq!(response.status(), 200, "{version:?}");
        let mut bytes = 0_usize;
        while let Some(frame) = response.body_mut().frame().await {
            let data = frame.expect("a whole body").into_data();
            let mut data = data.unwrap_or_default();
            while !data.is_empty() {
                let rest = PIECE - bytes % PIECE;
                let expected = vec![u8::try_from(bytes / PIECE % 251).unwrap_or_default(); rest];
                let part = data.split_to(rest.min(data.len()));
                assert!(expected.starts_with(&part), "byte {bytes} over {version:?}");
                bytes += part.len();
            }
        }
        assert_eq!(bytes, 100_000_000, "{version:?}");
    }
    if let (Some(idle), Some(peak)) = (idle, sidecar.peak_kib()) {
        let grown = peak.saturating_sub(idle);
        println!("{idle} KiB at the start, {peak} KiB at most");
        assert!(
            grown < 40 * 1024,
            "it has grown by {grown} KiB to {peak} KiB"
        );
    }
    sidecar.stop();
}
