//! Which texts are environment files, and what their lines say.

use super::{COMMENT, EnvFile, NO_NAME, NO_VARIABLE, SEVERAL_LINES, SPACES};

#[test]
fn one_odd_line_is_one_finding_and_the_rest_is_read() {
    for (odd, problem) in [
        ("bad line here", NO_VARIABLE),
        ("NAME = value", SPACES),
        ("BAD-NAME=x", NO_NAME),
        ("2ND=x", NO_NAME),
        ("KEY=\"first\nsecond: line\nthird\"", SEVERAL_LINES),
        ("KEY=\"without an end", SEVERAL_LINES),
        ("OTEL_SERVICE_NAME=cart # of the shop", COMMENT),
    ] {
        let text =
            format!("# a comment\nA=1\n{odd}\n\nexport OTEL_TRACES_SAMPLER=always_on\nPATH\n");
        let file = EnvFile::parse(&text).expect(odd);
        assert_eq!(file.odd, [(3, problem)], "{odd}");
        let (_, name, value) = file.variables.last().expect(odd);
        assert_eq!(
            (&**name, &**value),
            ("OTEL_TRACES_SAMPLER", "always_on"),
            "{odd}"
        );
    }
}

#[test]
fn a_value_is_what_its_writer_meant() {
    for (written, read) in [
        ("0.1", "0.1"),
        (" 0.1 ", "0.1"),
        ("0.1 # ten percent", "0.1"),
        ("0.1\t# ten percent", "0.1"),
        ("a#b", "a#b"),
        ("# nothing", ""),
        ("\"0.1\"", "0.1"),
        ("'0.1' # ten percent", "0.1"),
        ("\"a # b\"", "a # b"),
        ("'a' 'b'", "'a' 'b'"),
        ("a=b", "a=b"),
        ("", ""),
    ] {
        let file = EnvFile::parse(&format!("OTEL_X={written}")).expect(written);
        assert_eq!(
            file.variables,
            [(1, "OTEL_X".to_owned(), read.to_owned())],
            "{written}"
        );
        let is_warned = written.contains(" #") && !written.starts_with('"')
            || written.contains("\t#")
            || written.starts_with('#');
        assert_eq!(file.odd.is_empty(), !is_warned, "{written}: {:?}", file.odd);
    }
}

#[test]
fn a_configuration_is_no_environment_file() {
    for text in [
        "sampling:\n  percentage: 5\n",
        "sampling:\n  percentage: 5\nOTEL_X=1\n",
        "percentage=5",
        "sampling.percentage=5\nOTEL_X=1\nb: 1\n",
        "{\"sampling\": {\"percentage\": 5}}",
        "{\n  \"a\": \"OTEL_X=1\"\n}",
        "",
        "# comments\n",
        "kind: Pod\nmetadata: {name: x}\n",
    ] {
        assert_eq!(EnvFile::parse(text), None, "{text}");
    }
    for text in [
        "OTEL_X=1",
        "DATABASE_URL=postgres://x\nAPI_KEY=1\n",
        "PILOT_TRACE_SAMPLING=5\nbad line",
    ] {
        assert!(EnvFile::parse(text).is_some(), "{text}");
    }
}
