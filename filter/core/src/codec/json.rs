//! JSON (RFC 8259), piece by piece, for whoever knows what is to come: the configuration's tree, a sampling server's document.
//!
//! ```text
//! begin -> Null | Boolean | Number | Text | List -> next_entry, begin, next_entry … | Object -> next_key, begin, next_key …
//! ```
//!
//! Refuses what serde_json refuses, in its words and at its line and column, which people know and can search for; a test
//! compares the two. It is a quarter of its size, mostly because a number is kept as it was written: what prints and reads
//! every double to the last digit is 40 KiB of tables and arithmetic, in every worker of every proxy.

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;

mod number;
mod text;

pub(crate) use number::Number;

/// What is wrong with a text that is to be JSON, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    message: Cow<'static, str>,
    // Lines count from 1, columns too; where neither is known it is about the text as a whole.
    place: Option<(usize, usize)>,
}

/// What begins at a place. What is in a list or an object is still to be read.
#[derive(Debug)]
pub(crate) enum Piece<'a> {
    Null,
    Boolean(bool),
    Number(Number<'a>),
    Text(String),
    List,
    Object,
}

/// A text that is read from the front.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    index: usize,
    depth: usize,
}

impl JsonError {
    /// One about the text as a whole.
    pub(crate) fn of_all(message: &'static str) -> Self {
        Self {
            message: message.into(),
            place: None,
        }
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match self.place {
            Some((line, column)) => write!(f, " at line {line} column {column}"),
            None => Ok(()),
        }
    }
}

impl core::error::Error for JsonError {}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            index: 0,
            depth: 0,
        }
    }

    /// Reads what begins here.
    pub(crate) fn begin(&mut self) -> Result<Piece<'a>, JsonError> {
        match self.after_space() {
            Some(b'n') => self.word("null").map(|()| Piece::Null),
            Some(b't') => self.word("true").map(|()| Piece::Boolean(true)),
            Some(b'f') => self.word("false").map(|()| Piece::Boolean(false)),
            Some(b'-' | b'0'..=b'9') => self.number().map(Piece::Number),
            Some(b'"') => self.text().map(Piece::Text),
            Some(b'[') => self.deeper().map(|()| Piece::List),
            Some(b'{') => self.deeper().map(|()| Piece::Object),
            Some(_) => Err(self.wrong_next("expected value")),
            None => Err(self.wrong_next(NO_VALUE)),
        }
    }

    /// Whether another entry of a list begins; `false` is the list's end.
    pub(crate) fn next_entry(&mut self, is_first: bool) -> Result<bool, JsonError> {
        match self.after_space() {
            Some(b']') => {
                self.shallower();
                Ok(false)
            }
            Some(_) if is_first => Ok(true),
            Some(b',') => {
                self.pass();
                match self.after_space() {
                    Some(b']') => Err(self.wrong_next(TRAILING_COMMA)),
                    Some(_) => Ok(true),
                    None => Err(self.wrong_next(NO_VALUE)),
                }
            }
            Some(_) => Err(self.wrong_next("expected `,` or `]`")),
            None => Err(self.wrong_next("EOF while parsing a list")),
        }
    }

    /// The next key of an object, whose value begins behind it; `None` is the object's end.
    pub(crate) fn next_key(&mut self, is_first: bool) -> Result<Option<String>, JsonError> {
        match self.after_space() {
            Some(b'}') => {
                self.shallower();
                return Ok(None);
            }
            Some(b'"') if is_first => {}
            Some(_) if is_first => return Err(self.wrong_next(NO_KEY)),
            Some(b',') => {
                self.pass();
                match self.after_space() {
                    Some(b'"') => {}
                    Some(b'}') => return Err(self.wrong_next(TRAILING_COMMA)),
                    Some(_) => return Err(self.wrong_next(NO_KEY)),
                    None => return Err(self.wrong_next(NO_VALUE)),
                }
            }
            Some(_) => return Err(self.wrong_next("expected `,` or `}`")),
            None => return Err(self.wrong_next(IN_OBJECT)),
        }
        let key = self.text()?;
        match self.after_space() {
            Some(b':') => self.pass(),
            Some(_) => return Err(self.wrong_next("expected `:`")),
            None => return Err(self.wrong_next(IN_OBJECT)),
        }
        Ok(Some(key))
    }

    /// Nothing may follow.
    pub(crate) fn end(&mut self) -> Result<(), JsonError> {
        match self.after_space() {
            Some(_) => Err(self.wrong_next("trailing characters")),
            None => Ok(()),
        }
    }

    /// What has just been read is wrong, for a reason of whoever reads it.
    #[cold]
    #[inline(never)]
    pub(crate) fn wrong(&self, message: impl Into<Cow<'static, str>>) -> JsonError {
        self.error_at(self.index, message.into())
    }

    /// The same for a byte that has been looked at, and not passed.
    #[cold]
    #[inline(never)]
    fn wrong_next(&self, message: &'static str) -> JsonError {
        let index = self.index.saturating_add(1).min(self.bytes.len());
        self.error_at(index, message.into())
    }

    fn error_at(&self, index: usize, message: Cow<'static, str>) -> JsonError {
        let before = self.bytes.get(..index).unwrap_or(self.bytes);
        let lines = before.iter().filter(|byte| **byte == b'\n').count();
        let column = before.iter().rev().take_while(|byte| **byte != b'\n');
        JsonError {
            message,
            place: Some((lines.saturating_add(1), column.count())),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.index).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let next = self.peek()?;
        self.pass();
        Some(next)
    }

    fn pass(&mut self) {
        self.index = self.index.saturating_add(1);
    }

    /// The first byte that is no white space.
    #[inline(never)]
    fn after_space(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.pass();
        }
        self.peek()
    }

    fn word(&mut self, word: &str) -> Result<(), JsonError> {
        for expected in word.bytes() {
            match self.next() {
                Some(byte) if byte == expected => {}
                Some(_) => return Err(self.wrong("expected ident")),
                None => return Err(self.wrong(NO_VALUE)),
            }
        }
        Ok(())
    }

    fn deeper(&mut self) -> Result<(), JsonError> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > MAX_DEPTH {
            return Err(self.wrong_next("recursion limit exceeded"));
        }
        self.pass();
        Ok(())
    }

    fn shallower(&mut self) {
        self.depth = self.depth.saturating_sub(1);
        self.pass();
    }
}

const NO_VALUE: &str = "EOF while parsing a value";
const NO_KEY: &str = "key must be a string";
const IN_OBJECT: &str = "EOF while parsing an object";
const TRAILING_COMMA: &str = "trailing comma";
/// Whoever reads goes into a function of its own for each, and the guest's stack is a megabyte.
const MAX_DEPTH: usize = 127;

#[cfg(test)]
mod tests;
