use super::*;
use crate::export::answer::Grpc;
use crate::export::grpc_frame;
use crate::export::settings::Compression;

/// 2026-07-28 12:00:00 UTC, a Tuesday.
const NOW: Nanos = Nanos(1_785_240_000_000_000_000);

fn grpc(status: &[u8]) -> Grpc<'_> {
    Grpc {
        status: Some(status),
        ..Grpc::default()
    }
}

fn again(failure: Failure, seconds: Option<u64>) -> ExportOutcome {
    ExportOutcome::Retry {
        failure,
        after: seconds.map(Duration::from_secs),
    }
}

#[test]
fn rt_4_sends_again_only_for_the_retryable_grpc_statuses() {
    for status in 0..=17_u32 {
        let digits = alloc::format!("{status}");
        let answer = Answer {
            status: Some(b"200"),
            grpc: grpc(digits.as_bytes()),
            ..Answer::default()
        };
        let expected = match status {
            0 => ExportOutcome::Accepted {
                rejected: 0,
                warns: false,
            },
            1 | 4 | 10 | 11 | 14 | 15 => Failure::GrpcStatus(status).again(),
            _ => ExportOutcome::Refused(Failure::GrpcStatus(status)),
        };
        assert_eq!(
            ExportOutcome::read(Protocol::Grpc, &answer, NOW),
            expected,
            "{status}"
        );
    }
}

#[test]
fn rt_3_sends_again_only_for_the_retryable_http_statuses() {
    for status in 200..600_u16 {
        let digits = alloc::format!("{status}");
        let answer = Answer {
            status: Some(digits.as_bytes()),
            ..Answer::default()
        };
        let expected = match status {
            200..=299 => ExportOutcome::Accepted {
                rejected: 0,
                warns: false,
            },
            429 | 502 | 503 | 504 => Failure::HttpStatus(status).again(),
            _ => ExportOutcome::Refused(Failure::HttpStatus(status)),
        };
        assert_eq!(
            ExportOutcome::read(Protocol::HttpProtobuf, &answer, NOW),
            expected,
            "{status}"
        );
    }
}

#[test]
fn rt_5_sends_again_when_no_answer_came() {
    let answer = Answer::default();
    for protocol in [Protocol::Grpc, Protocol::HttpProtobuf] {
        assert_eq!(
            ExportOutcome::read(protocol, &answer, NOW),
            Failure::NoAnswer.again()
        );
    }
}

#[test]
fn rt_2_counts_what_a_partial_success_rejects() {
    // partial_success { rejected_spans: 3, error_message: "x" }
    let message = b"\x0a\x05\x08\x03\x12\x01x";
    let http = Answer {
        status: Some(b"200"),
        body: message,
        ..Answer::default()
    };
    assert_eq!(
        ExportOutcome::read(Protocol::HttpProtobuf, &http, NOW),
        ExportOutcome::Accepted {
            rejected: 3,
            warns: false
        }
    );
    let framed = [
        &grpc_frame::grpc_prefix(message.len(), Compression::None)[..],
        message,
    ]
    .concat();
    let grpc = Answer {
        status: Some(b"200"),
        grpc: grpc(b"0"),
        body: &framed,
        ..Answer::default()
    };
    assert_eq!(
        ExportOutcome::read(Protocol::Grpc, &grpc, NOW),
        ExportOutcome::Accepted {
            rejected: 3,
            warns: false
        }
    );
}

#[test]
fn rt_6_waits_as_long_as_the_collector_asks_within_five_minutes() {
    let rows = [
        (&b"7"[..], Some(7)),
        (b"100000", Some(300)),
        (b"Tue, 28 Jul 2026 12:00:09 GMT", Some(9)),
        (b"Tue, 28 Jul 2026 13:00:00 GMT", Some(300)),
        (b"Tue, 28 Jul 2026 11:59:59 GMT", None),
        (b"0", None),
        (b"soon", None),
        (b"-1", None),
    ];
    for (value, seconds) in rows {
        let answer = Answer {
            status: Some(b"503"),
            retry_after: Some(value),
            ..Answer::default()
        };
        assert_eq!(
            ExportOutcome::read(Protocol::HttpProtobuf, &answer, NOW),
            ExportOutcome::Retry {
                failure: Failure::HttpStatus(503),
                after: seconds.map(Duration::from_secs)
            }
        );
    }
}

#[test]
fn an_answer_without_grpc_status_is_not_grpc() {
    let answer = Answer {
        status: Some(b"200"),
        ..Answer::default()
    };
    assert_eq!(
        ExportOutcome::read(Protocol::Grpc, &answer, NOW),
        ExportOutcome::Refused(Failure::NotGrpc)
    );
}

#[test]
fn rt_1_grpcs_status_wins_over_https() {
    for status in ["200", "404", "503"] {
        for (grpc_status, expected) in [
            (
                "0",
                ExportOutcome::Accepted {
                    rejected: 0,
                    warns: false,
                },
            ),
            ("14", Failure::GrpcStatus(14).again()),
            ("3", ExportOutcome::Refused(Failure::GrpcStatus(3))),
            ("x", ExportOutcome::Refused(Failure::NotGrpc)),
        ] {
            let answer = Answer {
                status: Some(status.as_bytes()),
                grpc: grpc(grpc_status.as_bytes()),
                ..Answer::default()
            };
            assert_eq!(
                ExportOutcome::read(Protocol::Grpc, &answer, NOW),
                expected,
                "{status} {grpc_status}"
            );
        }
    }
}

#[test]
fn rt_1_without_a_grpc_status_https_says_what_a_proxy_on_the_way_means() {
    for (status, expected) in [
        ("503", Failure::HttpStatus(503).again()),
        ("404", ExportOutcome::Refused(Failure::HttpStatus(404))),
        ("204", ExportOutcome::Refused(Failure::HttpStatus(204))),
    ] {
        let answer = Answer {
            status: Some(status.as_bytes()),
            ..Answer::default()
        };
        assert_eq!(
            ExportOutcome::read(Protocol::Grpc, &answer, NOW),
            expected,
            "{status}"
        );
    }
}

/// `Status {code: 8, details: [RetryInfo {retry_delay: 3 s}]}`, and the same with 3,600 s and with 0 s.
const THREE_SECONDS: &[u8] =
    b"CAgaMAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIECgIIAw";
const AN_HOUR: &[u8] = b"CAgaMQoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIFCgMIkBw=";
const AT_ONCE: &[u8] = b"CAgaLgoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxICCgA=";

#[test]
fn rt_9_a_delay_in_the_details_makes_a_status_wait_and_resource_exhausted_retryable() {
    let rows: [(&str, Option<&[u8]>, ExportOutcome); 10] = [
        ("8", None, ExportOutcome::Refused(Failure::GrpcStatus(8))),
        (
            "8",
            Some(b"!"),
            ExportOutcome::Refused(Failure::GrpcStatus(8)),
        ),
        (
            "8",
            Some(b"CAg="),
            ExportOutcome::Refused(Failure::GrpcStatus(8)),
        ),
        (
            "8",
            Some(THREE_SECONDS),
            again(Failure::GrpcStatus(8), Some(3)),
        ),
        ("8", Some(AN_HOUR), again(Failure::GrpcStatus(8), Some(300))),
        ("8", Some(AT_ONCE), again(Failure::GrpcStatus(8), None)),
        (
            "14",
            Some(THREE_SECONDS),
            again(Failure::GrpcStatus(14), Some(3)),
        ),
        ("14", Some(b"!"), again(Failure::GrpcStatus(14), None)),
        // RetryInfo makes nothing else retryable.
        (
            "13",
            Some(THREE_SECONDS),
            ExportOutcome::Refused(Failure::GrpcStatus(13)),
        ),
        (
            "0",
            Some(THREE_SECONDS),
            ExportOutcome::Accepted {
                rejected: 0,
                warns: false,
            },
        ),
    ];
    for (status, details, expected) in rows {
        let answer = Answer {
            status: Some(b"200"),
            grpc: Grpc {
                details,
                ..grpc(status.as_bytes())
            },
            ..Answer::default()
        };
        let read = ExportOutcome::read(Protocol::Grpc, &answer, NOW);
        assert_eq!(read, expected, "{status} {details:?}");
    }
}

#[test]
fn sz_2_a_success_that_is_longer_than_any_is_none() {
    for protocol in [Protocol::Grpc, Protocol::HttpProtobuf] {
        for (body_bytes, expected) in [
            (
                4 << 20,
                ExportOutcome::Accepted {
                    rejected: 0,
                    warns: false,
                },
            ),
            ((4 << 20) + 1, ExportOutcome::Refused(Failure::TooLarge)),
        ] {
            let answer = Answer {
                status: Some(b"200"),
                grpc: grpc(b"0"),
                body_bytes,
                ..Answer::default()
            };
            assert_eq!(
                ExportOutcome::read(protocol, &answer, NOW),
                expected,
                "{body_bytes}"
            );
        }
    }
}

#[test]
fn a_date_that_is_past_is_no_delay() {
    let date = b"Sun, 06 Nov 1994 08:49:37 GMT";
    let then = 784_111_777_000_000_000;
    assert_eq!(until(date, Nanos(then - 5)), Some(Duration::from_nanos(5)));
    assert_eq!(until(date, Nanos(then)), Some(Duration::ZERO));
    assert_eq!(until(date, Nanos(then + 1)), None);
    // Beyond the nanoseconds that a number holds.
    assert_eq!(until(b"Sun, 06 Nov 9999 08:49:37 GMT", Nanos(0)), None);
}
