//! A string in JSON, with its escapes undone.

use alloc::string::String;
use alloc::vec::Vec;

use super::{JsonError, Reader};

impl Reader<'_> {
    /// Reads the string that begins here.
    pub(super) fn text(&mut self) -> Result<String, JsonError> {
        self.pass();
        let mut text: Vec<u8> = Vec::new();
        loop {
            match self.next() {
                Some(b'"') => break,
                Some(b'\\') => self.escape(&mut text)?,
                Some(0..=0x1f) => {
                    return Err(self.wrong(
                        "control character (\\u0000-\\u001F) found while parsing a string",
                    ));
                }
                Some(byte) => text.push(byte),
                None => return Err(self.wrong(IN_STRING)),
            }
        }
        String::from_utf8(text).map_err(|error| {
            let behind = error.as_bytes().len();
            let behind = behind.saturating_sub(error.utf8_error().valid_up_to());
            let mut wrong = self.wrong("invalid unicode code point");
            if let Some((_, column)) = &mut wrong.place {
                *column = column.saturating_sub(behind);
            }
            wrong
        })
    }

    fn escape(&mut self, text: &mut Vec<u8>) -> Result<(), JsonError> {
        let byte = match self.next() {
            Some(byte @ (b'"' | b'\\' | b'/')) => byte,
            Some(b'b') => 0x08,
            Some(b'f') => 0x0c,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => return self.code_point(text),
            Some(_) => return Err(self.wrong(INVALID)),
            None => return Err(self.wrong(IN_STRING)),
        };
        text.push(byte);
        Ok(())
    }

    /// Four hexadecimal digits, or twice four for what has no room in them.
    fn code_point(&mut self, text: &mut Vec<u8>) -> Result<(), JsonError> {
        let first = self.four_digits()?;
        let code_point = match first {
            0xdc00..=0xdfff => return Err(self.wrong(LONE)),
            0xd800..=0xdbff => {
                for expected in [b'\\', b'u'] {
                    match self.next() {
                        Some(byte) if byte == expected => {}
                        Some(_) => return Err(self.wrong("unexpected end of hex escape")),
                        None => return Err(self.wrong(IN_STRING)),
                    }
                }
                match self.four_digits()? {
                    second @ 0xdc00..=0xdfff => {
                        let pair = (first & 0x3ff).wrapping_shl(10) | (second & 0x3ff);
                        pair.saturating_add(0x1_0000)
                    }
                    _ => return Err(self.wrong(LONE)),
                }
            }
            other => other,
        };
        let character = char::from_u32(code_point).unwrap_or(char::REPLACEMENT_CHARACTER);
        text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(())
    }

    fn four_digits(&mut self) -> Result<u32, JsonError> {
        let end = self.index.saturating_add(4);
        let Some(digits) = self.bytes.get(self.index..end) else {
            self.index = self.bytes.len();
            return Err(self.wrong(IN_STRING));
        };
        self.index = end;
        digits
            .iter()
            .try_fold(0_u32, |value, digit| {
                Some(value.wrapping_shl(4) | char::from(*digit).to_digit(16)?)
            })
            .ok_or_else(|| self.wrong(INVALID))
    }
}

const IN_STRING: &str = "EOF while parsing a string";
const INVALID: &str = "invalid escape";
const LONE: &str = "lone leading surrogate in hex escape";
