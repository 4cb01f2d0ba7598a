//! A WebSocket through the sidecar, by clients and servers of tungstenite.

use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::{accept_hdr_async, client_async};

use super::program::{Program, module};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_websocket_is_passed_through() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let server = listener.local_addr().expect("its address");
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.expect("a connection");
        let mut marks = 0;
        #[expect(
            clippy::result_large_err,
            reason = "tungstenite's callback refuses with a whole response"
        )]
        let look = |request: &Request, response: Response| {
            marks = request.headers().get_all("x-version").iter().count();
            Ok(response)
        };
        let mut socket = accept_hdr_async(stream, look).await.expect("a handshake");
        while let Some(Ok(message)) = socket.next().await {
            if message.is_text() || message.is_binary() {
                socket.send(message).await.expect("an open socket");
            }
        }
        marks
    });
    let folder = tempfile::tempdir().expect("a folder");
    let module = module(folder.path(), 1);
    let module = module.to_str().expect("text");
    let sidecar = Program::start(server, &["--module", module]);
    let stream = TcpStream::connect(sidecar.address())
        .await
        .expect("the sidecar");
    let (mut socket, response) = client_async("ws://shop/chat", stream)
        .await
        .expect("a handshake");
    assert_eq!(response.status(), 101);
    assert_eq!(
        response.headers()["x-version"],
        "1",
        "the filter sees the answer"
    );
    let large = vec![7; 1_000_000];
    for message in [
        Message::text("hello"),
        Message::binary(large),
        Message::text("bye"),
    ] {
        socket.send(message.clone()).await.expect("an open socket");
        let answer = socket.next().await.expect("an answer").expect("a message");
        assert_eq!(answer, message);
    }
    socket.close(None).await.expect("an open socket");
    // The server's own close comes back.
    while let Some(message) = socket.next().await {
        assert!(message.expect("a proper end").is_close());
    }
    assert_eq!(
        serving.await.expect("the server"),
        1,
        "the filter sees the request"
    );
    sidecar.stop();
}
