//! Weights, bounds, and both texts.

use std::time::SystemTime;

use super::exposition::{Format, write};
use super::health::{Front, Health};
use super::red::{MAX_ROUTES, MAX_SERVICES, Red};
use super::sampling::Weight;
use crate::store::{Counts, Limits, NewSpan, Size};

fn span<'a>(service: &'a str, name: &'a str) -> NewSpan<'a> {
    NewSpan {
        trace_id: [0xAB; 16],
        span_id: [0xCD; 8],
        service,
        name,
        kind: 2,
        status: 0,
        duration_nanos: 30_000_000,
        trace_state: "",
        route: None,
        is_kept: false,
    }
}

fn add(red: &mut Red, spans: Vec<NewSpan<'_>>) {
    red.add(&mut spans.into_iter());
}

fn told(red: Red, format: Format) -> String {
    let health = Health {
        front: Front::default(),
        counts: Counts::default(),
        size: Size::default(),
        limits: Limits::default(),
        forwarding: vec![],
        started: SystemTime::now(),
        series: red.len(),
        overflowed: red.overflowed,
        kept: red.kept,
    };
    write(format, red, health).unwrap()
}

#[test]
fn a_span_counts_for_as_many_as_its_tracestate_says() {
    for (state, spans) in [
        ("", 1),
        ("ot=th:0", 1),
        ("ot=th:8", 2),
        ("ot=th:c", 4),
        ("vendor=a, ot=rv:abcdef01234567;th:fd70a3d70a3d71 ,b=c", 100),
        ("ot=th:fffffffffffffe", 1 << 55),
        ("ot=th:", 1),
        ("ot=th:123456789abcdef", 1),
        ("ot=th:C", 1),
        ("ot=rv:8", 1),
        ("not=th:8", 1),
    ] {
        assert_eq!(Weight::of(state).whole(), spans, "{state}");
    }
    let mut sum = Weight::default();
    (0..11).for_each(|_| sum.add(Weight::of("ot=th:5")));
    // Eleven spans that stand for 16/11 each.
    assert_eq!(sum.whole(), 16);
}

#[test]
fn spans_are_told_by_service_route_kind_and_status_and_kept_ones_are_not() {
    let mut red = Red::default();
    let route = NewSpan {
        route: Some("/cart/{id}".into()),
        status: 2,
        trace_state: "ot=th:8",
        ..span("shop", "GET /cart/7")
    };
    let kept = NewSpan {
        is_kept: true,
        ..span("shop", "GET /cart/8")
    };
    add(
        &mut red,
        vec![route.clone(), kept, span("a\"b\n", "SELECT"), route],
    );
    let text = told(red.clone(), Format::Prometheus);
    for line in [
        "# TYPE sidespan_spans_total counter",
        "sidespan_spans_total{service_name=\"shop\",route=\"/cart/{id}\",span_kind=\"server\",status_code=\"error\"} 4",
        "sidespan_spans_total{service_name=\"a\\\"b\\n\",route=\"SELECT\",span_kind=\"server\",status_code=\"unset\"} 1",
        "# TYPE sidespan_span_duration_seconds histogram",
        "sidespan_sink_kept_spans_total 1",
        "sidespan_sink_span_series 2",
    ] {
        assert!(text.lines().any(|it| it == line), "{line} in\n{text}");
    }
    let value = |start: &str| {
        let lines = text
            .lines()
            .filter(|it| it.starts_with("sidespan_span_duration") && it.contains(start));
        let lines = lines.filter(|it| it.contains("\"shop\""));
        lines
            .map(|it| it.rsplit(' ').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(value("seconds_sum{"), ["0.12"]);
    assert_eq!(value("seconds_count{"), ["4"]);
    let buckets = value("seconds_bucket{");
    assert_eq!(buckets.len(), 15);
    assert_eq!(
        (
            buckets[2].as_str(),
            buckets[3].as_str(),
            buckets[14].as_str()
        ),
        ("0", "4", "4")
    );
    assert!(
        !text.contains("trace_id") && !text.contains("GET /cart/8"),
        "{text}"
    );
}

#[test]
fn openmetrics_has_an_exemplar_at_the_bucket_of_the_span_alone() {
    let mut red = Red::default();
    add(&mut red, vec![span("shop", "GET"), span("bank", "GET")]);
    let text = told(red, Format::OpenMetrics);
    assert!(text.ends_with("# EOF\n"), "{text}");
    let examples: Vec<&str> = text.lines().filter(|it| it.contains(" # {")).collect();
    assert_eq!(examples.len(), 2, "{text}");
    for (line, service) in examples.iter().zip(["bank", "shop"]) {
        assert!(
            line.contains("le=\"0.05\"") && line.contains(service),
            "{line}"
        );
        let exemplar = format!(
            " # {{trace_id=\"{}\",span_id=\"{}\"}} 0.03 ",
            "ab".repeat(16),
            "cd".repeat(8)
        );
        assert!(line.contains(&exemplar), "{line}");
    }
}

#[test]
fn labels_are_bounded_and_what_is_beyond_is_counted() {
    let mut red = Red::default();
    let names: Vec<String> = (0..300).map(|number| format!("n{number}")).collect();
    add(
        &mut red,
        names.iter().map(|name| span("shop", name)).collect(),
    );
    let routes = MAX_ROUTES;
    assert_eq!(red.len(), routes + 1);
    assert_eq!(red.overflowed, [0, u64::try_from(300 - routes).unwrap()]);
    add(&mut red, names.iter().map(|name| span(name, "x")).collect());
    assert_eq!(red.len(), routes + 1 + MAX_SERVICES - 1 + 1);
    assert_eq!(
        red.overflowed[0],
        u64::try_from(300 - (MAX_SERVICES - 1)).unwrap()
    );
    let long = "x".repeat(1_000);
    add(&mut red, vec![span("shop", &long)]);
    let text = told(red, Format::Prometheus);
    assert!(!text.contains(&long));
    let other = "sidespan_spans_total{service_name=\"shop\",route=\"_other\",span_kind=\"server\",status_code=\"unset\"} 201";
    assert!(text.lines().any(|it| it == other), "{text}");
}

#[test]
fn a_sum_never_shrinks_and_numbers_of_a_later_protocol_have_a_place() {
    let mut red = Red::default();
    let mut before = 0;
    for number in 0..1_000 {
        let third = NewSpan {
            trace_state: "ot=th:5",
            kind: number,
            status: -number,
            duration_nanos: u64::MAX >> (number % 60),
            ..span("shop", "GET")
        };
        add(&mut red, vec![third]);
        let series = red.series();
        let count: u64 = series.iter().map(|(_, series)| series.count()).sum();
        assert!(count >= before);
        before = count;
    }
    // 1000 × 16/11 = 1454.5, which the sets of labels round on their own.
    assert!((1_452..1_458).contains(&before), "{before}");
}
