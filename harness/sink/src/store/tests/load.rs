//! Many spans: memory, counts, and the time of a search meanwhile. The load runs in a process of its own, because memory is
//! measured for a whole process.
//!
//! `SIDESPAN_LOAD` sets the number of spans (100 a request, about 512 bytes each). With `--release --nocapture` the figures are
//! those of the program, and the time of a search is held to its limit.

mod searches;
mod spans;

use std::process::Command;
use std::sync::Mutex;

use hyper::body::Bytes;
use prost::Message as _;
use searches::search_on;
use spans::{places, stamp, template};

use super::*;

const ROLE: &str = "SIDESPAN_TEST_STORE_UNDER_LOAD";

#[test]
fn in_memory_a_bound_holds_whatever_comes() {
    let figures = run("memory one");
    figures.hold();
    assert!(figures.bytes_a_span <= 1_200, "{figures:?}");
}

#[test]
fn in_memory_large_traces_cost_no_more() {
    let figures = run("memory many");
    figures.hold();
    assert!(figures.bytes_a_span <= 1_200, "{figures:?}");
}

#[test]
fn in_a_file_a_bound_holds_whatever_comes() {
    run("file one").hold();
}

#[test]
fn shows_what_a_span_costs_while_nobody_searches() {
    for role in [
        "memory quiet one",
        "memory quiet many",
        "file quiet one",
        "file quiet many",
    ] {
        let figures = run(role);
        assert_eq!(
            (figures.accepted, figures.searches),
            (figures.sent, 0),
            "{figures:?}"
        );
    }
}

#[derive(Debug, Default)]
struct Figures {
    sent: u64,
    accepted: u64,
    evicted: u64,
    kept: u64,
    bytes_a_span: u64,
    growth_percent: u64,
    searches: u64,
    p99_micros: u64,
}

impl Figures {
    fn hold(&self) {
        assert_eq!(self.accepted, self.sent, "{self:?}");
        assert_eq!(self.kept, self.sent.min(BOUND), "{self:?}");
        assert_eq!(self.evicted, self.sent - self.kept, "{self:?}");
        assert!(self.growth_percent <= 120, "{self:?}");
        assert!(self.searches > 10, "{self:?}");
        // A time is of the program alone: a build for tests is several times slower, and shares its machine with other tests.
        assert!(
            cfg!(debug_assertions) || self.p99_micros < 100_000,
            "{self:?}"
        );
    }
}

fn run(role: &str) -> Figures {
    // One after the other, because each would disturb the times of the others.
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "store::tests::load::takes_the_load",
            "--ignored",
            "--nocapture",
        ])
        .env(ROLE, role)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text
        .lines()
        .find_map(|line| line.split_once("figures "))
        .map(|(_, line)| line);
    let Some(line) = line else {
        panic!("{text}\n{}", String::from_utf8_lossy(&output.stderr));
    };
    for search in text.lines().filter(|line| line.starts_with("search ")) {
        println!("{role}: {search}");
    }
    println!("{role}: {line}");
    let numbers: Vec<u64> = line
        .split(' ')
        .map(|number| number.split_once('=').unwrap().1.parse().unwrap())
        .collect();
    let [
        sent,
        accepted,
        evicted,
        kept,
        bytes_a_span,
        growth_percent,
        searches,
        p99_micros,
        ..,
    ] = numbers[..]
    else {
        panic!("{line}");
    };
    Figures {
        sent,
        accepted,
        evicted,
        kept,
        bytes_a_span,
        growth_percent,
        searches,
        p99_micros,
    }
}

/// The store under load; without its role it does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a part of the tests above, which start it"]
async fn takes_the_load() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    let total: u64 = std::env::var("SIDESPAN_LOAD")
        .ok()
        .and_then(|load| load.parse().ok())
        .unwrap_or(200_000);
    let total = total.max(BOUND * 3 / 2);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spans.db");
    let place = match role.starts_with("file") {
        true => Place::File(path.clone()),
        false => Place::Memory,
    };
    let limits = Limits {
        max_spans: usize::try_from(BOUND).unwrap(),
        max_bytes: usize::MAX,
        ..Limits::default()
    };
    let store = Store::open(place, limits).unwrap();
    let traces = if role.ends_with("one") { 100 } else { 4 };
    let (empty, cpu) = (resident(), processor());
    let searching = (!role.contains("quiet")).then(|| tokio::spawn(search_on(store.clone())));
    let mut after_half = 0;
    for half in 0..2u64 {
        let senders: Vec<_> = (0..4u64)
            .map(|sender| {
                let store = store.clone();
                tokio::spawn(async move {
                    let requests = total / 800;
                    let mut bytes = template().encode_to_vec();
                    let places = places(&bytes);
                    for number in 0..requests {
                        let request = (half * 4 + sender) * requests + number;
                        stamp(&mut bytes, &places, request, traces);
                        let batch =
                            SpanBatch::from_protobuf(Bytes::copy_from_slice(&bytes)).unwrap();
                        assert_eq!(store.insert(batch, |_| ()).await.unwrap().kept, 100);
                    }
                })
            })
            .collect();
        for sender in senders {
            sender.await.unwrap();
        }
        if half == 0 {
            after_half = resident();
        }
    }
    let sent = total / 800 * 800;
    // Searches and the senders of this test cost too, so the time is an upper bound of what a span costs.
    let cpu = (processor() - cpu) * 1_000_000 / sent;
    if let Some(searching) = searching {
        searching.abort();
        searching.await.unwrap_err();
    }
    let (searches, p99) = searches::number_and_p99();
    let (counts, size) = (store.counts(), store.size());
    let bytes = (resident() - empty) / size.spans;
    let file = std::fs::metadata(&path).map_or(0, |file| file.len()) / size.spans;
    let p99 = p99.as_micros();
    println!(
        "\nfigures sent={sent} accepted={} evicted={} kept={} bytes_a_span={bytes} growth_percent={} searches={searches} p99_micros={p99} cpu_nanos_a_span={cpu} file_bytes_a_span={file}",
        counts.accepted,
        counts.evicted,
        size.spans,
        (resident() - empty) * 100 / (after_half - empty),
    );
}

/// Returns the memory of this process without the files that it maps, in bytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"))
        .unwrap();
    line.split_whitespace()
        .next()
        .unwrap()
        .parse::<u64>()
        .unwrap()
        * 1_024
}

/// Returns the processor time of this process, in milliseconds.
fn processor() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    (fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()) * 10
}

const BOUND: u64 = 100_000;
