//! The grammar: one spanset of conditions.

use std::vec::IntoIter;

use super::condition::{
    Part, compare, comparison, existence, is_comparison, is_truth, literal, matches, syntax,
};
use super::expression::{Expression, Operand, QueryError};
use super::field::{Field, Intrinsic};
use super::term::Term;
use super::token::{Placed, Token, tokens};
use crate::store::{SpanKind, StatusCode};

/// Reads a query.
///
/// # Errors
/// [`QueryError`] for what is no TraceQL, and for TraceQL beyond one spanset.
pub(in crate::tempo) fn parse(query: &str) -> Result<Expression, QueryError> {
    if query.len() > MAX_QUERY {
        return Err(QueryError::Long {
            most: MAX_QUERY,
            found: query.len(),
        });
    }
    let mut parser = Parser {
        tokens: tokens(query)?.into_iter(),
        end: 1 + query.chars().count(),
        depth: 0,
    };
    parser.spanset()
}

/// Reads the name of a field, as `resource.service.name`, `.http.route` or `span:name`.
///
/// # Errors
/// [`QueryError`] for what names no field.
pub(in crate::tempo) fn parse_field(name: &str) -> Result<Field, QueryError> {
    let words = tokens(name)?;
    match &words[..] {
        [
            Placed {
                token: Token::Attribute(scope, name),
                ..
            },
        ] => Ok(Field::Attribute(*scope, name.clone())),
        [
            Placed {
                token: Token::Word(word),
                ..
            },
        ] => {
            let intrinsic = Intrinsic::named(word).ok_or_else(|| syntax(1, FIELD, name));
            intrinsic.map(Field::Intrinsic)
        }
        _ => Err(syntax(1, FIELD, name)),
    }
}

struct Parser {
    tokens: IntoIter<Placed>,
    /// The place behind the last character.
    end: usize,
    depth: usize,
}

impl Parser {
    fn spanset(&mut self) -> Result<Expression, QueryError> {
        if !self.takes("{") {
            return Err(match self.peek() {
                Some(Token::Sign("(")) => self.beyond("spansets in parentheses"),
                Some(Token::Word(word)) if AGGREGATES.contains(&&**word) => {
                    self.beyond("aggregates, as count() or avg(duration)")
                }
                Some(Token::Word(word)) if ["by", "select", "coalesce"].contains(&&**word) => {
                    self.beyond("by(…), coalesce() and select(…)")
                }
                _ => self.wrong("{, which begins a spanset"),
            });
        }
        let condition = match self.takes("}") {
            true => Expression::all(),
            false => {
                let condition = self.conditions()?;
                if !self.takes("}") {
                    return Err(self.wrong("&&, ||, or }, which ends the spanset"));
                }
                condition
            }
        };
        self.after_spanset()?;
        Ok(condition)
    }

    fn after_spanset(&mut self) -> Result<(), QueryError> {
        match self.peek() {
            None => Ok(()),
            Some(Token::Word(word)) if word == "with" => self.hints(),
            Some(Token::Sign("|")) => Err(self.beyond(
                "pipelines, as | count() > 2, | by(…), | select(…), or metrics, as | rate()",
            )),
            Some(Token::Sign("&&" | "||")) => Err(self.beyond("several spansets in one query")),
            Some(Token::Sign("{" | "}" | "(" | ")" | "=" | "!" | "," | "^")) => {
                Err(self.wrong("the end of the query"))
            }
            Some(Token::Sign(_)) => Err(self.beyond("relations between spansets, as >> or ~")),
            Some(_) => Err(self.wrong("the end of the query")),
        }
    }

    /// Reads `with (most_recent = true)`, which is what is answered anyway.
    fn hints(&mut self) -> Result<(), QueryError> {
        let hints = [
            Token::Word("with".into()),
            Token::Sign("("),
            Token::Word("most_recent".into()),
            Token::Sign("="),
            Token::Word("true".into()),
            Token::Sign(")"),
        ];
        for expected in hints {
            if self.peek() != Some(&expected) {
                return Err(self.beyond("hints other than with (most_recent=true)"));
            }
            self.tokens.next();
        }
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.wrong("the end of the query")),
        }
    }

    /// Reads conditions that are joined: both operators bind equally, and from the left.
    fn conditions(&mut self) -> Result<Expression, QueryError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.beyond("more than 64 conditions in one another"));
        }
        let mut whole = self.condition()?;
        loop {
            let is_and = self.takes("&&");
            if !is_and && !self.takes("||") {
                break;
            }
            let right = Box::new(self.condition()?);
            whole = match is_and {
                true => Expression::And(Box::new(whole), right),
                false => Expression::Or(Box::new(whole), right),
            };
        }
        self.depth -= 1;
        Ok(whole)
    }

    fn condition(&mut self) -> Result<Expression, QueryError> {
        let at = self.place();
        let left = self.part()?;
        let operator = match self.peek() {
            Some(Token::Sign(sign)) => *sign,
            _ => "",
        };
        if ARITHMETIC.contains(&operator) {
            return Err(self.beyond("arithmetic"));
        }
        let is_regex = matches!(operator, "=~" | "!~");
        if !is_regex && comparison(operator).is_none() {
            return match left {
                Part::Condition(condition) => Ok(condition),
                Part::Side(side) if is_truth(&side) => Ok(Expression::Holds(side)),
                Part::Side(_) | Part::Nil => {
                    Err(self.wrong("a comparison, as = \"GET\" or != nil"))
                }
            };
        }
        self.tokens.next();
        let right_at = self.place();
        let right = self.part()?;
        match self.peek() {
            Some(Token::Sign(sign)) if ARITHMETIC.contains(sign) => {
                return Err(self.beyond("arithmetic"));
            }
            Some(Token::Sign(sign)) if is_comparison(sign) => {
                return Err(self.wrong("&&, ||, or }: one comparison has two sides"));
            }
            _ => {}
        }
        match (left, right) {
            (Part::Condition(_), _) | (_, Part::Condition(_)) => Err(QueryError::Beyond {
                at,
                what: "comparisons of conditions with one another",
            }),
            (left, right) if is_regex => matches(left, operator == "=~", right, right_at),
            (Part::Nil, Part::Side(side)) | (Part::Side(side), Part::Nil) => {
                existence(side, operator, at)
            }
            (Part::Nil, Part::Nil) => Err(syntax(at, "a field on one side of nil", "nil")),
            (Part::Side(left), Part::Side(right)) => compare(left, operator, right, at),
        }
    }

    fn part(&mut self) -> Result<Part, QueryError> {
        let at = self.place();
        if self.takes("(") {
            let inner = self.conditions()?;
            if !self.takes(")") {
                return Err(self.wrong("), which ends this part"));
            }
            return Ok(match inner {
                Expression::Holds(side) => Part::Side(side),
                condition => Part::Condition(condition),
            });
        }
        if self.takes("!") {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err(self.beyond("more than 64 conditions in one another"));
            }
            let inner = self.part()?;
            self.depth -= 1;
            return match inner {
                Part::Condition(condition) => {
                    Ok(Part::Condition(Expression::Not(Box::new(condition))))
                }
                Part::Side(side) if is_truth(&side) => Ok(Part::Condition(Expression::Not(
                    Box::new(Expression::Holds(side)),
                ))),
                _ => Err(syntax(
                    at,
                    "! before a condition in parentheses",
                    "! before a value",
                )),
            };
        }
        let is_negative = self.takes("-");
        let side = match self.peek().cloned() {
            Some(Token::Literal(term)) => Part::Side(Operand::Literal(term)),
            Some(Token::Attribute(scope, name)) => {
                Part::Side(Operand::Field(Field::Attribute(scope, name)))
            }
            Some(Token::OfParent) => return Err(self.beyond("fields of the parent span")),
            Some(Token::Word(word)) => self.word(&word)?,
            _ => return Err(self.wrong("a field, as span.http.route or duration, or a value")),
        };
        self.tokens.next();
        match (is_negative, side) {
            (false, side) => Ok(side),
            (true, Part::Side(Operand::Literal(Term::Int(number)))) => {
                Ok(literal(Term::Int(-number)))
            }
            (true, Part::Side(Operand::Literal(Term::Float(number)))) => {
                Ok(literal(Term::Float(-number)))
            }
            (true, Part::Side(Operand::Literal(Term::Duration(nanos)))) => {
                Ok(literal(Term::Duration(-nanos)))
            }
            (true, _) => Err(QueryError::Beyond {
                at,
                what: "arithmetic",
            }),
        }
    }

    fn word(&self, word: &str) -> Result<Part, QueryError> {
        if let Some(intrinsic) = Intrinsic::named(word) {
            return Ok(Part::Side(Operand::Field(Field::Intrinsic(intrinsic))));
        }
        let constant = CONSTANTS.iter().find(|(name, _)| *name == word);
        if let Some((_, term)) = constant {
            return Ok(literal(term.clone()));
        }
        match word {
            "nil" => Ok(Part::Nil),
            "parent" | "nestedSetLeft" | "nestedSetRight" | "nestedSetParent" => {
                Err(self.beyond("fields of the tree, as parent or nestedSetLeft"))
            }
            _ if AGGREGATES.contains(&word) => Err(self.beyond("aggregates, as count() or avg(duration)")),
            _ => Err(self.wrong(
                "a field (name, duration, status, kind, span:id, trace:rootName …), an attribute with its scope or a point \
                 before it (span.http.route, .http.route), or a value (text in \"quotation marks\")",
            )),
        }
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.as_slice().first().map(|placed| &placed.token)
    }

    fn place(&self) -> usize {
        self.tokens
            .as_slice()
            .first()
            .map_or(self.end, |placed| placed.at)
    }

    fn takes(&mut self, sign: &'static str) -> bool {
        let is_next = self.peek() == Some(&Token::Sign(sign));
        if is_next {
            self.tokens.next();
        }
        is_next
    }

    fn beyond(&self, what: &'static str) -> QueryError {
        QueryError::Beyond {
            at: self.place(),
            what,
        }
    }

    fn wrong(&self, expected: &str) -> QueryError {
        let found = match self.peek() {
            None => "the end of the query".to_owned(),
            Some(Token::Sign(sign)) => (*sign).to_owned(),
            Some(Token::Word(word)) => word.clone(),
            Some(Token::Literal(term)) => format!("the {} {}", term.type_name(), term.text()),
            Some(Token::Attribute(_, name)) => format!("the attribute {name}"),
            Some(Token::OfParent) => "a field of the parent".to_owned(),
        };
        syntax(self.place(), expected, &found)
    }
}

const FIELD: &str = "a field, as resource.service.name, .http.route or span:name";

const ARITHMETIC: [&str; 6] = ["+", "-", "*", "/", "%", "^"];

const AGGREGATES: [&str; 5] = ["count", "avg", "max", "min", "sum"];

const CONSTANTS: [(&str, Term<'static>); 13] = [
    ("true", Term::Bool(true)),
    ("false", Term::Bool(false)),
    ("error", Term::Status(StatusCode::Error)),
    ("ok", Term::Status(StatusCode::Ok)),
    ("unset", Term::Status(StatusCode::Unset)),
    ("unspecified", Term::Kind(SpanKind::Unspecified)),
    ("internal", Term::Kind(SpanKind::Internal)),
    ("server", Term::Kind(SpanKind::Server)),
    ("client", Term::Kind(SpanKind::Client)),
    ("producer", Term::Kind(SpanKind::Producer)),
    ("consumer", Term::Kind(SpanKind::Consumer)),
    ("minInt", Term::Int(i64::MIN)),
    ("maxInt", Term::Int(i64::MAX)),
];

/// The length of a query, in bytes: a person's query has hundreds.
const MAX_QUERY: usize = 16 << 10;

/// The depth of conditions in conditions, which is that of the calls that read and evaluate them.
const MAX_DEPTH: usize = 64;
