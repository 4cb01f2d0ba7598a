//! What the constants of `istio/observability/sizing.yaml` are of: a run through both tiers into a Jaeger that stores on disk.
//!
//! `SIDESPAN_LOAD=20000` makes it long enough for the figures of CPU, which it prints and holds to nothing: they are of one processor.

use std::fs;
use std::path::Path;

use serde_json::json;
use sidespan_envoy::wait_for;
use sidespan_tests::effort;
use sidespan_tests::envoy::LIMIT;
use sidespan_tests::peers::{Collector, Jaeger};

use super::scene::{agent, gateway};
use super::shop::{EDGES, Load, SPANS, Shop};
use crate::observability::sizing::Constants;

#[test]
#[cfg_attr(no_envoy, ignore = "no Envoy 1.40.0 for this machine")]
fn a_span_takes_what_the_page_says() {
    let constants = Constants::read();
    let mut jaeger = Jaeger::on_disk();
    let gateways = [(); 2].map(|()| gateway("filter-decides", jaeger.grpc_addr(), |_| ()));
    let agent = agent(&[gateways[0].grpc_addr(), gateways[1].grpc_addr()]);
    let sampling = json!({"percentage": 100, "keep": {"errors": false}});
    let shop = Shop::start(agent.grpc_addr(), &sampling, "none");
    let pids = [
        ("the agent", vec![agent.pid()]),
        (
            "the gateways",
            gateways.iter().map(Collector::pid).collect(),
        ),
        ("Jaeger", vec![jaeger.pid()]),
    ];
    let before = pids.clone().map(|(_, pids)| cpu(&pids));
    let of_proxies = shop.cpu();
    let requests = effort::requests(1_000);
    shop.send(Load {
        requests,
        failing: 1,
        slow: 0,
    });
    let of_proxies = (shop.cpu() - of_proxies) as f64;
    let exported = shop.exported();
    assert_eq!(exported, requests * SPANS as u64);
    println!(
        "100 %: {:.1} µs of the proxies' CPU a side",
        of_proxies / exported as f64
    );
    // The proxies of the callers, and of the gateway's own caller, who has none.
    let spans = constants.spans_of_a_request(EDGES.len() as f64);
    assert_eq!(spans, SPANS as f64);
    is_about(
        "bytes a span",
        shop.bytes(),
        exported,
        constants.bytes_per_span,
    );

    let sent = || {
        let pages = gateways
            .iter()
            .filter_map(|it| it.get("metrics", "/metrics"));
        let pages = pages.map(|page| String::from_utf8_lossy(&page.body).into_owned());
        let of = |page: String| -> u64 {
            let lines = page.lines();
            let lines = lines.filter(|line| line.starts_with("otelcol_exporter_sent_spans"));
            let counts = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
            counts.sum()
        };
        pages.map(of).sum::<u64>()
    };
    let arrived = wait_for(LIMIT, || (sent() == exported).then_some(()));
    assert!(arrived.is_some(), "{} of {exported} in Jaeger", sent());
    for ((who, pids), before) in pids.iter().zip(before) {
        let used = cpu(pids).saturating_sub(before) as f64;
        println!("{who}: {:.1} µs of CPU a span", used / exported as f64);
    }
    jaeger.quit();
    let stored = size(&jaeger.stored());
    is_about(
        "bytes a span on Jaeger's disk",
        stored,
        exported,
        constants.jaeger_bytes_per_span,
    );
}

/// Checks that a sum is what so many spans take, give or take a fifth: batches are as large as the machine lets them become.
pub(super) fn is_about(what: &str, sum: u64, spans: u64, expected: f64) {
    let found = sum as f64 / spans as f64;
    println!("{what}: {found:.0}, of {spans} spans; {expected} by sizing.yaml");
    assert!(
        (found / expected - 1.0).abs() < 0.2,
        "{what}: {found:.0} and not {expected}"
    );
}

/// Returns the CPU time of processes in microseconds, by the kernel's accounting in hundredths of a second (proc_pid_stat(5)).
pub(super) fn cpu(pids: &[Option<u32>]) -> u64 {
    const MICROSECONDS: u64 = 10_000;
    let of = |pid: u32| -> u64 {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("a running process");
        // The second field is a name in parentheses, which may hold anything.
        let (_, fields) = stat.rsplit_once(") ").expect("the kernel's fields");
        let fields = fields.split_ascii_whitespace().skip(11).take(2);
        fields.map(|it| it.parse::<u64>().expect("a number")).sum()
    };
    pids.iter().flatten().map(|pid| of(*pid)).sum::<u64>() * MICROSECONDS
}

/// Returns the bytes of all files below a folder.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).expect("a folder");
    let sizes = entries.map(|entry| {
        let entry = entry.expect("an entry");
        let meta = entry.metadata().expect("a file");
        if meta.is_dir() {
            size(&entry.path())
        } else {
            meta.len()
        }
    });
    sizes.sum()
}
