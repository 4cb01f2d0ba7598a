//! Header sets from a seed: valid ones, and ones with a wrong field, separator or byte.

use sidespan_tests::draw::Draw;

use super::answer::Headers;

/// The formats that both libraries read.
pub(crate) const FORMATS: [&str; 7] = [
    "tracecontext",
    "b3",
    "b3multi",
    "jaeger",
    "xray",
    "ottrace",
    "gcp",
];

/// Makes a header set of this format.
pub(crate) fn headers(format: &str, random: &mut Random) -> Headers {
    let mut headers = match format {
        "tracecontext" => tracecontext(random),
        "b3" => b3(random),
        "b3multi" => b3multi(random),
        "jaeger" => jaeger(random),
        "xray" => xray(random),
        "ottrace" => ottrace(random),
        _ => vec![("x-cloud-trace-context", gcp(random))],
    };
    if random.chance(20) {
        let at = random.below(headers.len());
        mutate(&mut headers[at].1, random);
    }
    if random.chance(3) {
        let again = headers[random.below(headers.len())].clone();
        headers.push(again);
    }
    if headers.len() > 1 && random.chance(3) {
        headers.remove(random.below(headers.len()));
    }
    headers
}

fn tracecontext(random: &mut Random) -> Headers {
    let version = random.mostly("00", &["01", "cc", "fe", "ff", "CC", "0", "000", "0g", ""]);
    let (trace_id, span_id) = (id(32, random), id(16, random));
    let flags = random.pick(&["00", "01", "02", "03"]);
    let flags = random.mostly(flags, &["09", "ff", "0A", "1", "001", "x1", ""]);
    let tail = random.mostly("", &["-", "-x", "-01-x", ".", ".x", "-é \t"]);
    let mut headers = vec![(
        "traceparent",
        latin1(&format!("{version}-{trace_id}-{span_id}-{flags}{tail}")),
    )];
    for _ in 0..random.pick(&[0, 0, 1, 1, 1, 2]) {
        let count = random.pick(&[0, 1, 2, 3, 31, 32, 33]);
        let members: Vec<_> = (0..count).map(|at| member(at, random)).collect();
        let comma = random.pick(&[",", ",", ", ", " ,\t", ",,", ", ,"]);
        headers.push(("tracestate", latin1(&members.join(comma))));
    }
    headers
}

fn member(at: usize, random: &mut Random) -> String {
    let key = random.pick(&["foo", "bar", "a-b", "x_y*z/", "t1@sys"]);
    let key = match random.below(60) {
        0 => random
            .pick(&[
                "1foo", "foo@", "a@@b", "1@2", "Foo", "foo.bar", "@foo", "", "foo ",
            ])
            .into(),
        1 => "k".repeat(random.pick(&[256, 257])),
        _ => format!("{key}{at}"),
    };
    let key = if random.chance(1) { "same".into() } else { key };
    let value = match random.below(60) {
        0 => random.pick(&["", " x", "a=b", "é", "\"", "a b"]).into(),
        1 => "v".repeat(random.pick(&[256, 257])),
        _ => random.hex(4),
    };
    format!("{key}={value}")
}

fn b3(random: &mut Random) -> Headers {
    let alone = random.pick(&["0", "1", "d", "x", "D", "", "true"]);
    let value = if random.chance(10) {
        alone.into()
    } else {
        let digits = random.pick(&[32, 32, 16]);
        let (trace_id, span_id) = (id(digits, random), id(16, random));
        let state = random.pick(&["-0", "-1", "-d", ""]);
        let state = random.mostly(state, &["-", "-x", "-D", "-true", "-True", "-2", "-01"]);
        let parent = format!("-{}", random.hex(16));
        let parent = random.pick(&["", "", "", &parent]);
        let parent = random.mostly(parent, &["-", "-zz", "-0000000000000000", "-1-1", "-x-"]);
        format!("{trace_id}-{span_id}{state}{parent}")
    };
    let mut headers = vec![("b3", latin1(&value))];
    if random.chance(25) {
        headers.extend(b3multi(random));
    }
    headers
}

fn b3multi(random: &mut Random) -> Headers {
    let digits = random.pick(&[32, 32, 16]);
    let mut headers = vec![
        ("x-b3-traceid", latin1(&id(digits, random))),
        ("x-b3-spanid", latin1(&id(16, random))),
    ];
    let sampled = random.pick(&["0", "1"]);
    let words = [
        "true", "false", "True", "False", "TRUE", "FALSE", "d", "2", "", "01",
    ];
    if random.chance(80) {
        headers.push(("x-b3-sampled", latin1(random.mostly(sampled, &words))));
    }
    if random.chance(20) {
        let flags = random.pick(&["0", "1", "1", "", "d", "01", "true"]);
        headers.push(("x-b3-flags", latin1(flags)));
    }
    if random.chance(20) {
        headers.push(("x-b3-parentspanid", latin1(&id(16, random))));
    }
    headers
}

fn jaeger(random: &mut Random) -> Headers {
    let (trace_digits, span_digits) = (
        random.pick(&[32, 32, 16, 31, 3]),
        random.pick(&[16, 16, 15, 1]),
    );
    let (trace_id, span_id) = (id(trace_digits, random), id(span_digits, random));
    let parent = id(16, random);
    let parent = random.pick(&["0", "0", &parent]);
    let parent = random.mostly(parent, &["", "zz", "%zz", "%41", "%3A"]);
    let flags = random.pick(&["0", "1", "3", "01", "03", "00"]);
    let odd = [
        "2", "9", "11", "ff", "1f", "FF", "001", "101", "", "x", "0x1", "-1", "+1", "1_1", " 1",
    ];
    let flags = random.mostly(flags, &odd);
    let colon = random.mostly(":", &["%3A", "%3a", "%253A", " : ", "::"]);
    let mut value = [&trace_id, &span_id, parent, flags].join(colon);
    if random.chance(2) {
        value = value.replacen(":", "%3A", 1);
    }
    if random.chance(2) {
        value = format!("{value}{colon}0");
    }
    vec![("uber-trace-id", latin1(&value))]
}

fn xray(random: &mut Random) -> Headers {
    let epoch = id(8, random);
    let version = random.mostly("1", &["2", "10", "", "1 "]);
    let key = random.mostly("Root", &["root", "ROOT", "Root ", "Rooted", " Root"]);
    let mut parts = vec![format!("{key}={version}-{epoch}-{}", id(24, random))];
    if random.chance(90) {
        let key = random.mostly("Parent", &["parent", "ParentId", "Parent "]);
        parts.push(format!("{key}={}", id(16, random)));
    }
    if random.chance(90) {
        let sampled = random.pick(&["0", "1"]);
        let sampled = random.mostly(sampled, &["?", "2", "", "true", "01", " 1", "1 "]);
        let key = random.mostly("Sampled", &["sampled", "SampledX"]);
        parts.push(format!("{key}={sampled}"));
    }
    if random.chance(20) {
        let more = [
            "Self=1-67891234-12456789abcdef012345678",
            "Lineage=32767:e65a2c4d:255",
            "Foo=bar",
            "Foo=a=b",
            "Sampled=0",
            "Sampled",
            "Root",
            "Parent=00f067aa0ba902b7",
            "x",
            "",
        ];
        parts.push(random.pick(&more).into());
    }
    for at in 1..parts.len() {
        parts.swap(at, random.below(at + 1));
    }
    let semicolon = random.mostly(";", &["; ", " ;", ";;", ",", ";\t"]);
    vec![("x-amzn-trace-id", latin1(&parts.join(semicolon)))]
}

fn ottrace(random: &mut Random) -> Headers {
    let trace_digits = random.pick(&[16, 16, 16, 16, 16, 32, 32, 15, 3, 20]);
    let span_digits = random.pick(&[16, 16, 16, 16, 16, 16, 16, 14]);
    let mut headers = vec![
        ("ot-tracer-traceid", latin1(&id(trace_digits, random))),
        ("ot-tracer-spanid", latin1(&id(span_digits, random))),
    ];
    let sampled = random.pick(&["true", "false"]);
    let words = ["1", "0", "TRUE", "True", "FALSE", "yes", "", "d"];
    if random.chance(90) {
        headers.push(("ot-tracer-sampled", latin1(random.mostly(sampled, &words))));
    }
    headers
}

fn gcp(random: &mut Random) -> Vec<u8> {
    let trace_id = id(32, random);
    let span_id = format!("/{}", random.next());
    let odd = [
        "",
        "/",
        "/0",
        "/1",
        "/18446744073709551615",
        "/18446744073709551616",
        "/99999999999999999999",
        "/000000000000000000000000001",
        "/-1",
        "/0x1",
        "/00f067aa0ba902b7",
        "//1",
    ];
    let span_id = random.mostly(&span_id, &odd);
    let options = random.pick(&[";o=0", ";o=1", ";o=1", ""]);
    let odd = [
        ";o=2", ";o=3", ";o=", ";o=x", ";o=11", ";o=00", ";o=01", ";o=1;", ";p=1", ";o=0x1", "o=1",
        ";", ";O=1", ";o=1.5", ";o=-1", "; o=1", ";o=256", ";o= 1",
    ];
    let options = random.mostly(options, &odd);
    latin1(&format!("{trace_id}{span_id}{options}"))
}

/// Makes an id of this many digits, mostly.
fn id(digits: usize, random: &mut Random) -> String {
    let good = random.hex(digits);
    if !random.chance(12) {
        return good;
    }
    let at = random.below(digits);
    let odd = random.pick(&["g", "+", "-", "_", " ", "%", "é", "x", ""]);
    match random.below(9) {
        0 => good.to_uppercase(),
        1 => format!("{}{}", good[..at].to_uppercase(), &good[at..]),
        2 => good[1..].into(),
        3 => format!("{}{good}", random.pick(&["0", "1", "00", "0x"])),
        4 => "0".repeat(digits),
        5 => good[..at].into(),
        6 => format!("{}{odd}{}", &good[..at], &good[at + 1..]),
        7 => format!("{good}{good}"),
        _ => format!("{}{odd}{}", &good[..at], &good[at..]),
    }
}

fn mutate(value: &mut Vec<u8>, random: &mut Random) {
    let at = random.below(value.len() + 1);
    let byte = random.pick(b" \t-:;=,/%_+.?0123456789abcdefABCDEFxdg~\xe9");
    match random.below(8) {
        0 if at < value.len() => drop(value.remove(at)),
        1 if at < value.len() => value[at] = byte,
        2 => value.truncate(at),
        3 => value.insert(0, random.pick(b" \t")),
        4 => value.push(random.pick(b" \t")),
        5 => value.push(byte),
        6 if at < value.len() => value.insert(at, value[at]),
        _ => value.insert(at, byte),
    }
}

/// Encodes text as headers do: a byte for a character.
fn latin1(text: &str) -> Vec<u8> {
    let byte = |character| u8::try_from(u32::from(character)).expect("in Latin-1");
    text.chars().map(byte).collect()
}

/// Choices between what is right, mostly, and what is odd.
pub(crate) struct Random(Draw);

impl Random {
    pub(crate) fn new(seed: usize) -> Self {
        Self(Draw::of(u64::try_from(seed).expect("a small number"), 0))
    }

    fn next(&mut self) -> u64 {
        self.0.number()
    }

    fn below(&mut self, end: usize) -> usize {
        self.0.below(end.max(1))
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        self.0.one(choices)
    }

    /// Returns the good text, but for one time in eight.
    fn mostly<'a>(&mut self, good: &'a str, odd: &[&'a str]) -> &'a str {
        if self.chance(12) {
            self.pick(odd)
        } else {
            good
        }
    }

    fn hex(&mut self, digits: usize) -> String {
        (0..digits)
            .map(|_| char::from(b"0123456789abcdef"[self.below(16)]))
            .collect()
    }
}
