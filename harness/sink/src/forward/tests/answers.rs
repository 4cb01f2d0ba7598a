//! What the destination answers, and what becomes of the message.

use super::*;
use tonic::Code;

/// Forwards three requests to a sink with a script, over each transport, and returns the state at the end, with the numbers
/// of requests and spans that arrived.
async fn through(script: &[Reply], requests: usize) -> Vec<(Forwarding, usize, Vec<u64>)> {
    let mut found = Vec::new();
    for is_grpc in [true, false] {
        let second = sink().await;
        second.script(script.iter().cloned());
        let destination = if is_grpc {
            grpc(&second)
        } else {
            http(&second)
        };
        let first = forwarding(to(vec![destination])).await;
        for number in 0..3 {
            keep(&first, [number]).await;
        }
        second.wait_for_requests(requests, LIMIT).await.unwrap();
        let state = state(&first, |it| {
            it.backlog.messages == 0 && it.failure.is_none()
        })
        .await;
        first.stop().await;
        let spans = arrived(&second, 0).await;
        found.push((state, second.requests().len(), spans));
    }
    found
}

#[tokio::test]
async fn what_is_refused_for_good_is_set_aside_and_the_queue_goes_on() {
    for refusal in [
        Reply::Status(400, None),
        Reply::Status(401, None),
        Reply::Status(500, None),
        Reply::HttpStatus(404, None),
        Reply::GrpcStatus(Code::ResourceExhausted, None),
    ] {
        // Over HTTP this code stands for 429, which is to be sent again.
        let is_temporary = matches!(refusal, Reply::GrpcStatus(..));
        let script = [Reply::Ok, refusal.clone()];
        for (transport, (state, requests, spans)) in
            through(&script, 3).await.into_iter().enumerate()
        {
            if is_temporary && transport == 1 {
                assert_eq!((requests, &spans[..]), (4, &[0, 1, 2][..]));
                continue;
            }
            let what = format!("{refusal:?}: {state:?}");
            assert_eq!((requests, &spans[..]), (3, &[0, 2][..]), "{what}");
            assert_eq!(
                (state.delivered_spans, state.refused_spans),
                (2, 1),
                "{what}"
            );
            assert_eq!(
                (state.backlog.set_aside, state.failed_attempts),
                (1, 0),
                "{what}"
            );
        }
    }
}

#[tokio::test]
async fn what_may_be_taken_later_is_sent_again_in_order() {
    for failure in [
        Reply::Unavailable,
        Reply::HttpStatus(503, None),
        Reply::Status(502, None),
        Reply::GrpcStatus(Code::Aborted, None),
        Reply::Reset,
    ] {
        let script = [failure.clone(), failure.clone()];
        for (state, requests, spans) in through(&script, 5).await {
            let what = format!("{failure:?}: {state:?}");
            assert_eq!((requests, &spans[..]), (5, &[0, 1, 2][..]), "{what}");
            assert_eq!(
                (state.delivered_spans, state.failed_attempts),
                (3, 2),
                "{what}"
            );
            assert_eq!(
                (state.backlog.set_aside, state.refused_spans),
                (0, 0),
                "{what}"
            );
        }
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_leaves_no_copy() {
    for failure in [Reply::LostAnswer, Reply::CutAnswer] {
        for (state, requests, spans) in through(std::slice::from_ref(&failure), 4).await {
            let what = format!("{failure:?}: {state:?}");
            assert_eq!((requests, &spans[..]), (4, &[0, 1, 2][..]), "{what}");
            assert_eq!(
                (state.delivered_spans, state.failed_attempts),
                (3, 1),
                "{what}"
            );
        }
    }
}

#[tokio::test]
async fn a_partial_success_is_counted_and_not_sent_again() {
    let partial = Reply::PartialSuccess {
        rejected: 1,
        message: "too old".to_owned(),
    };
    for (state, requests, spans) in through(&[Reply::Ok, partial], 3).await {
        assert_eq!((requests, &spans[..]), (3, &[0, 2][..]), "{state:?}");
        assert_eq!((state.delivered_spans, state.rejected_spans), (2, 1));
        assert_eq!((state.backlog.set_aside, state.failed_attempts), (0, 0));
    }
}

#[tokio::test]
async fn the_time_that_a_destination_asks_for_is_kept() {
    let asked = Duration::from_millis(40);
    for is_grpc in [true, false] {
        let second = sink().await;
        let reply = Reply::Status(429, Some(asked));
        second.script([reply]);
        let destination = if is_grpc {
            grpc(&second)
        } else {
            http(&second)
        };
        let first = forwarding(Forward {
            // Nothing else brings the message there in time.
            retry: Retry {
                initial: NEVER,
                max: NEVER,
                // Retry-After knows whole seconds only.
                max_asked: asked,
            },
            ..to(vec![destination])
        })
        .await;
        let begun = tokio::time::Instant::now();
        keep(&first, [1]).await;
        assert_eq!(arrived(&second, 1).await, [1]);
        assert!(begun.elapsed() >= asked, "{:?}", begun.elapsed());
    }
}
