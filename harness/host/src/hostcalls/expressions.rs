//! The evaluation of CEL expressions (`expr_evaluate`).
//!
//! A list gives a guest several properties in one call, which is cheaper because Envoy enters the guest for memory once for
//! each answer.

use super::activation::{activation, to_value};
use super::properties;
use crate::abi_types::{Answer, Status, refuse};
use crate::header_pairs::NameEncoder;
use crate::properties::{Found, Segments};
use crate::value::Value;
use crate::vm_state::{Expression, VmState, read_token};

/// Gives the value of an expression, serialised as a property is. One unknown attribute fails the whole expression, unless
/// `||`, `&&`, `?:` or `has` gets along without it.
pub(crate) fn evaluate(state: &VmState, token: &[u8]) -> Answer<Vec<u8>> {
    let token = read_token(token)?;
    let known = state.root().and_then(|root| root.expressions.get(token));
    let Some(expression) = known else {
        return refuse(
            Status::NotFound,
            format!("no expression has the token {token}"),
        );
    };
    let mut bytes = Vec::new();
    match expression {
        Expression::Attribute(path) => attribute(state, path, &mut bytes)?,
        Expression::List(paths) => {
            bytes.reserve(4 + 32 * paths.len());
            let mut values = NameEncoder::new(&mut bytes, paths.len());
            for path in paths {
                attribute(state, path, values.next())?;
            }
            values.finish();
        }
        Expression::Program(program) => match program.execute(&activation(state, program)) {
            Ok(value) => match to_value(&value) {
                Some(value) => value.write(&mut bytes),
                None => return no_encoding("the value of the expression"),
            },
            Err(error) => return refuse(Status::InternalFailure, error.to_string()),
        },
    };
    Ok(bytes)
}

/// Writes the value of an attribute.
fn attribute(state: &VmState, path: &[String], to: &mut Vec<u8>) -> Answer {
    let segments: Segments<'_> = path.iter().map(|segment| segment.as_bytes()).collect();
    match properties::find(state, segments.as_slice()) {
        Found::Value(value) if *value != Value::Null => {
            value.write(to);
            Ok(())
        }
        Found::Value(_) | Found::Message => no_encoding(&format!("`{}`", path.join("."))),
        Found::Nothing => {
            let reason = format!("`{}` is not known in {}", path.join("."), state.callback);
            refuse(Status::InternalFailure, reason)
        }
    }
}

fn no_encoding<T>(what: &str) -> Answer<T> {
    refuse(
        Status::SerializationFailure,
        format!(
            "{what} is nothing that could be written: null, a type, or a whole group of attributes"
        ),
    )
}
