//! A grammar of requests: contexts of all nine formats at once, right, nearly right, contradictory and hostile, with everything else
//! around them that the filter reads.
//!
//! A request is a function of a seed and its number, so that one that is found can be had again.

use std::fmt;

use sidespan_core::direction::Direction;
use sidespan_core::propagation::format::Format;
use sidespan_tests::dialect::{self, State, can_say};
use sidespan_tests::draw::Draw;
use sidespan_tests::worlds::Header;

/// A request.
pub(in crate::security) struct Generated {
    pub(in crate::security) direction: Direction,
    pub(in crate::security) headers: Vec<Header>,
    pub(in crate::security) status: u16,
}

impl fmt::Display for Generated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?}, answered {}", self.direction, self.status)?;
        for (name, value) in &self.headers {
            let shown = &value[..value.len().min(300)];
            writeln!(
                f,
                "{name}: {} ({} bytes)",
                shown.escape_ascii(),
                value.len()
            )?;
        }
        Ok(())
    }
}

/// Returns the request of this seed and number.
pub(in crate::security) fn request(seed: u64, number: u64) -> Generated {
    let mut draw = Draw::of(seed, number);
    let directions = [Direction::Inbound, Direction::Outbound, Direction::Edge];
    let direction = draw.one(&directions);
    let status = draw.one(&[200, 200, 404, 503]);
    let mut lines = contexts(&mut draw);
    for _ in 0..draw.below(4) {
        let (name, value) = beside(&mut draw);
        // Envoy itself joins two lines of most of these.
        if lines.iter().all(|(other, _)| *other != name) {
            lines.push((name, value));
        }
    }
    if draw.one_in(50) {
        let count = draw.below(200);
        lines.extend((0..count).map(|_| ("x-many", draw.bytes(8))));
    }
    for at in (1..lines.len()).rev() {
        lines.swap(at, draw.below(at + 1));
    }
    let mut headers: Vec<Header> = vec![
        (":method", draw.one(&["GET", "POST", "PURGE"]).into()),
        (":path", path(&mut draw)),
        (":authority", b"shop.example:8080".to_vec()),
        (":scheme", b"http".to_vec()),
    ];
    headers.append(&mut lines);
    Generated {
        direction,
        headers,
        status,
    }
}

/// Returns the lines of some formats: of one context, of several, each as it should be or not.
fn contexts(draw: &mut Draw) -> Vec<Header> {
    let shared = draw.context();
    let mut lines = Vec::new();
    for format in Format::ALL {
        if !draw.one_in(3) {
            continue;
        }
        let mut context = match draw.one_in(3) {
            true => draw.context(),
            false => shared.clone(),
        };
        if !can_say(format, context.state) {
            context.state = State::Sampled;
        }
        for (name, value) in dialect::write(format, &context) {
            let value = value.into_bytes();
            match draw.below(4) {
                0 => lines.extend(spoilt(draw, name, value)),
                _ => lines.push((name, value)),
            }
        }
        if draw.one_in(4) {
            lines.extend(more(draw, format));
        }
    }
    lines
}

/// Returns what stands beside the ids of a format, in good order or in none.
fn more(draw: &mut Draw, format: Format) -> Vec<Header> {
    let members = match draw.below(10) {
        0 => 2_000,
        1 => 0,
        _ => draw.below(40),
    };
    let joined = |between: &str, member: &dyn Fn(usize) -> String| {
        let members: Vec<_> = (0..members).map(member).collect();
        members.join(between).into_bytes()
    };
    let lines = match format {
        Format::TraceContext => {
            let own = draw.one(&[
                "ot=th:8;rv:f0000000000000,",
                "ot=th:zz,",
                "dd=s:2;o:rum,",
                "=,",
            ]);
            let list = joined(",", &|at| format!("v{at}=x"));
            vec![("tracestate", [own.as_bytes(), &list].concat())]
        }
        Format::Datadog => vec![
            ("x-datadog-origin", b"rum".to_vec()),
            (
                "x-datadog-tags",
                joined(",", &|at| format!("_dd.p.k{at}=v")),
            ),
        ],
        Format::XRay => {
            let parts = joined(";", &|at| format!("k{at}=v"));
            vec![(
                "x-amzn-trace-id",
                [&b"Self=1-5759e988-0;"[..], &parts].concat(),
            )]
        }
        Format::B3Multi => vec![
            ("x-b3-parentspanid", b"00f067aa0ba902b7".to_vec()),
            ("x-b3-flags", draw.one(&["1", "0", "7", ""]).into()),
        ],
        _ => Vec::new(),
    };
    let lines = lines
        .into_iter()
        .flat_map(|(name, value)| match draw.one_in(4) {
            true => spoilt(draw, name, value),
            false => vec![(name, value)],
        });
    lines.collect()
}

/// Returns a line as no sender should write it.
fn spoilt(draw: &mut Draw, name: &'static str, mut value: Vec<u8>) -> Vec<Header> {
    let at = draw.below(value.len().max(1));
    match draw.below(12) {
        0 => {
            let byte = draw.byte();
            if let Some(place) = value.get_mut(at) {
                *place = byte;
            }
        }
        1 => value.truncate(at),
        2 => return vec![(name, value.clone()), (name, value)],
        3 => return vec![(name, value.clone()), (name, draw.bytes(20))],
        4 => value.make_ascii_uppercase(),
        5 => value.extend(draw.bytes(30)),
        6 => value.clear(),
        7 => value.iter_mut().for_each(|byte| {
            if byte.is_ascii_hexdigit() {
                *byte = b'0';
            }
        }),
        8 => value = [&b" \t"[..], &value, b"\t "].concat(),
        9 => {
            value = String::from_utf8_lossy(&value)
                .replace(':', "%3A")
                .into_bytes()
        }
        10 => value = (0x80..=0xff).cycle().take(at + 1).collect(),
        _ => {
            let byte = draw.one(b"a0-=,;\xff");
            let length = draw.one(&[300, 5_000, 60_000]);
            value = vec![byte; length];
        }
    }
    vec![(name, value)]
}

/// Returns a header that is no context.
fn beside(draw: &mut Draw) -> Header {
    let name = draw.one(&[
        "baggage",
        "user-agent",
        "x-request-id",
        "x-forwarded-for",
        "x-forwarded-host",
        "forwarded",
        "content-type",
        "server-timing",
        "uberctx-key",
        "ot-baggage-key",
        "x-envoy-original-path",
    ]);
    let value = match draw.below(8) {
        0 => draw.bytes(40),
        1 => vec![b','; 3_000],
        2 => (0..1_000)
            .flat_map(|at| format!("k{at}=v,").into_bytes())
            .collect(),
        3 => b"for=\"[2001:db8::1]\";host=evil.example;proto=https".to_vec(),
        4 => b"application/grpc".to_vec(),
        5 => b"trace;desc=00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_vec(),
        6 => b"k=v;p=1,k=w,secret=s".to_vec(),
        _ => b"203.0.113.7".to_vec(),
    };
    (name, value)
}

fn path(draw: &mut Draw) -> Vec<u8> {
    match draw.below(6) {
        0 => [&b"/"[..], &draw.bytes(30)].concat(),
        1 => b"/orders/7?X-Amz-Signature=s&%zz=&&==#f".to_vec(),
        2 => vec![b'/'; 2_000],
        3 => b"/shop.Cart/Add".to_vec(),
        _ => b"/orders/7".to_vec(),
    }
}
