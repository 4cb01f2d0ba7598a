//! JUnit XML, as Jenkins and GitLab read it, for every command that has it.

use std::io::{self, Write};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

/// A suite of cases.
pub(crate) struct Suite {
    pub(crate) name: String,
    pub(crate) cases: Vec<Case>,
}

/// One case.
pub(crate) struct Case {
    class: String,
    name: String,
    file: Option<String>,
    /// The name of the element, and the trouble in short and in full.
    trouble: Option<(&'static str, String, String)>,
    output: String,
}

impl Case {
    /// Returns a case that is fine.
    pub(crate) fn new(class: &str, name: &str) -> Self {
        Self {
            class: class.into(),
            name: name.into(),
            file: None,
            trouble: None,
            output: String::new(),
        }
    }

    /// Sets the file that the case is about.
    pub(crate) fn file(mut self, file: &str) -> Self {
        self.file = Some(file.into());
        self
    }

    /// Makes it a failure.
    pub(crate) fn failure(mut self, short: &str, full: &str) -> Self {
        self.trouble = Some(("failure", short.into(), full.into()));
        self
    }

    /// Makes it an error: something that could not be judged.
    pub(crate) fn error(mut self, message: &str) -> Self {
        let short = message.lines().next().unwrap_or_default();
        self.trouble = Some(("error", short.into(), message.into()));
        self
    }

    /// Sets the output of a case.
    pub(crate) fn output(mut self, text: String) -> Self {
        self.output = text;
        self
    }
}

/// Writes all suites as one `testsuites`.
///
/// # Errors
/// When nothing can be written.
pub(crate) fn write(title: &str, suites: &[Suite], out: &mut impl Write) -> io::Result<()> {
    let mut writer = Writer::new_with_indent(&mut *out, b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let [tests, failures, errors] = totals(suites.iter().flat_map(|suite| &suite.cases));
    writer
        .create_element("testsuites")
        .with_attributes([
            ("name", title),
            ("tests", &tests),
            ("failures", &failures),
            ("errors", &errors),
        ])
        .write_inner_content(|writer| {
            suites
                .iter()
                .try_for_each(|suite| write_suite(suite, writer))
        })?;
    writeln!(out)
}

fn totals<'a>(cases: impl IntoIterator<Item = &'a Case>) -> [String; 3] {
    let mut totals = [0; 3];
    for case in cases {
        totals[0] += 1;
        match case.trouble {
            Some(("failure", ..)) => totals[1] += 1,
            Some(_) => totals[2] += 1,
            None => {}
        }
    }
    totals.map(|count| count.to_string())
}

fn write_suite<W: Write>(suite: &Suite, writer: &mut Writer<W>) -> io::Result<()> {
    let [tests, failures, errors] = totals(&suite.cases);
    let name = legal(&suite.name);
    writer
        .create_element("testsuite")
        .with_attributes([
            ("name", name.as_str()),
            ("tests", &tests),
            ("failures", &failures),
            ("errors", &errors),
        ])
        .write_inner_content(|writer| {
            suite
                .cases
                .iter()
                .try_for_each(|case| write_case(case, writer))
        })?;
    Ok(())
}

fn write_case<W: Write>(case: &Case, writer: &mut Writer<W>) -> io::Result<()> {
    let (class, name) = (legal(&case.class), legal(&case.name));
    let file = case.file.as_deref().map(legal);
    let attributes = [("classname", class.as_str()), ("name", name.as_str())];
    let file = file.iter().map(|file| ("file", file.as_str()));
    let element = writer
        .create_element("testcase")
        .with_attributes(attributes.into_iter().chain(file));
    if case.trouble.is_none() && case.output.is_empty() {
        return element.write_empty().map(drop);
    }
    element
        .write_inner_content(|writer| {
            if let Some((kind, short, full)) = &case.trouble {
                writer
                    .create_element(*kind)
                    .with_attributes([("message", legal(short).as_str()), ("type", "error")])
                    .write_text_content(BytesText::new(&legal(full)))?;
            }
            if !case.output.is_empty() {
                writer
                    .create_element("system-out")
                    .write_text_content(BytesText::new(&legal(&case.output)))?;
            }
            Ok(())
        })
        .map(drop)
}

/// Replaces the characters that XML 1.0 cannot have, escaped or not.
pub(crate) fn legal(text: &str) -> String {
    let is_legal = |character: char| {
        matches!(character, '\t' | '\n' | '\r' | '\u{20}'..)
            && !matches!(character, '\u{fffe}' | '\u{ffff}')
    };
    let legal = text.chars().map(|character| match is_legal(character) {
        true => character,
        false => char::REPLACEMENT_CHARACTER,
    });
    legal.collect()
}
