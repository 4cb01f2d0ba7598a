//! The words of a query.

use super::expression::QueryError;
use super::term::{Term, duration};
use crate::store::TagScope;

/// A word.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A sign or operator.
    Sign(&'static str),
    /// A literal number, duration or text.
    Literal(Term<'static>),
    /// A name: of an intrinsic, of a constant, or of something that is not spoken here.
    Word(String),
    /// An attribute.
    Attribute(Option<TagScope>, String),
    /// An attribute of the parent, which is not spoken here.
    OfParent,
}

/// A word and its place.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) token: Token,
    /// The character that it begins with, from 1.
    pub(super) at: usize,
}

/// The signs, the longer ones first where one begins another.
const SIGNS: [&str; 36] = [
    "&>>", "&<<", "!>>", "!<<", "&>", "&<", "&~", "!>", "!<", "!=", "!~", "=~", ">=", "<=", ">>",
    "<<", "&&", "||", "{", "}", "(", ")", ",", "=", ">", "<", "!", "|", "~", "+", "-", "*", "/",
    "%", "^", "&",
];

/// Cuts a query into its words.
pub(super) fn tokens(query: &str) -> Result<Vec<Placed>, QueryError> {
    let mut reader = Reader { query, at: 0 };
    let mut found = Vec::new();
    loop {
        let rest = reader.rest();
        let blank = rest.len() - rest.trim_start().len();
        reader.at += blank;
        if reader.rest().is_empty() {
            return Ok(found);
        }
        let at = reader.place();
        let token = reader.token()?;
        found.push(Placed { token, at });
    }
}

struct Reader<'a> {
    query: &'a str,
    /// The next byte.
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.query.get(self.at..).unwrap_or_default()
    }

    fn place(&self) -> usize {
        1 + self
            .query
            .get(..self.at)
            .unwrap_or_default()
            .chars()
            .count()
    }

    fn token(&mut self) -> Result<Token, QueryError> {
        let rest = self.rest();
        match rest.chars().next() {
            Some('"') => {
                return self
                    .quoted()
                    .map(|text| Token::Literal(Term::Text(text.into())));
            }
            Some('`') => return self.raw(),
            Some(first) if first.is_ascii_digit() => return self.number(),
            Some('.') => {
                self.at += 1;
                return self.attribute(None);
            }
            _ => {}
        }
        if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            self.at += sign.len();
            return Ok(Token::Sign(sign));
        }
        let word = self.take(|it| it.is_alphanumeric() || it == '_');
        if word.is_empty() {
            let found = rest.chars().next().unwrap_or_default();
            return Err(self.wrong("a field, a value or an operator", &format!("{found:?}")));
        }
        match self.rest().chars().next() {
            Some('.') => {
                self.at += 1;
                match TagScope::named(word) {
                    Some(scope) => self.attribute(Some(scope)),
                    None if word == "parent" => {
                        self.attribute(None)?;
                        Ok(Token::OfParent)
                    }
                    None => {
                        let expected = "a scope before the point: span, resource, event, link or instrumentation";
                        Err(self.wrong(expected, &format!("{word:?}")))
                    }
                }
            }
            Some(':') => {
                self.at += 1;
                let field = self.take(|it| it.is_alphanumeric());
                Ok(Token::Word(format!("{word}:{field}")))
            }
            _ => Ok(Token::Word(word.to_owned())),
        }
    }

    fn take(&mut self, is_part: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|it| !is_part(it)).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    /// Reads the name of an attribute: quoted parts, and what no operator can begin with.
    fn attribute(&mut self, scope: Option<TagScope>) -> Result<Token, QueryError> {
        let mut name = String::new();
        loop {
            if self.rest().starts_with('"') {
                name.push_str(&self.quoted_name()?);
            }
            let part = self.take(|it| !it.is_whitespace() && !"\"{}()=~!<>&|^,".contains(it));
            name.push_str(part);
            if !self.rest().starts_with('"') {
                break;
            }
        }
        if name.is_empty() {
            let found = self.rest().chars().next();
            let found = found.map_or("the end".to_owned(), |it| format!("{it:?}"));
            return Err(self.wrong("the name of an attribute", &found));
        }
        Ok(Token::Attribute(scope, name))
    }

    fn quoted_name(&mut self) -> Result<String, QueryError> {
        self.escaped(
            |escape| matches!(escape, '"' | '\\').then_some(escape),
            "only \\\" and \\\\ as escapes in a name",
        )
    }

    fn quoted(&mut self) -> Result<String, QueryError> {
        let known = |escape| match escape {
            '"' | '\\' => Some(escape),
            'n' => Some('\n'),
            't' => Some('\t'),
            'r' => Some('\r'),
            _ => None,
        };
        self.escaped(
            known,
            "the escapes \\\", \\\\, \\n, \\r and \\t, or a raw text in backquotes",
        )
    }

    fn escaped(
        &mut self,
        known: impl Fn(char) -> Option<char>,
        expected: &str,
    ) -> Result<String, QueryError> {
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((place, it)) = chars.next() {
            match it {
                '"' => {
                    self.at += place + 1;
                    return Ok(text);
                }
                '\\' => {
                    let escape = chars.next().map(|(_, it)| it).unwrap_or_default();
                    match known(escape) {
                        Some(it) => text.push(it),
                        None => {
                            self.at += place;
                            return Err(self.wrong(expected, &format!("\\{escape}")));
                        }
                    }
                }
                it => text.push(it),
            }
        }
        Err(self.wrong("the quotation mark that ends this text", "the end"))
    }

    fn raw(&mut self) -> Result<Token, QueryError> {
        let text = self.rest().get(1..).and_then(|rest| rest.split_once('`'));
        let Some((text, _)) = text else {
            return Err(self.wrong("the backquote that ends this text", "the end"));
        };
        self.at += text.len() + 2;
        Ok(Token::Literal(Term::Text(text.to_owned().into())))
    }

    fn number(&mut self) -> Result<Token, QueryError> {
        let before = self.at;
        let text = self.take(|it| it.is_alphanumeric() || it == '.');
        let term = if let Ok(number) = text.parse() {
            Term::Int(number)
        } else if let Some(nanos) = duration(text) {
            Term::Duration(nanos)
        } else if let Ok(number) = text.parse() {
            Term::Float(number)
        } else {
            self.at = before;
            return Err(self.wrong(
                "a number, or a duration such as 100ms, 1.5s or 15m",
                &format!("{text:?}"),
            ));
        };
        Ok(Token::Literal(term))
    }

    fn wrong(&self, expected: &str, found: &str) -> QueryError {
        QueryError::Syntax {
            at: self.place(),
            expected: expected.to_owned(),
            found: found.to_owned(),
        }
    }
}
