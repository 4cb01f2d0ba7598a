//! The evaluation of CEL expressions (`expr_evaluate`).
//!
//! A list gives a guest several properties in one call, which is cheaper because Envoy enters the guest for memory once for
//! each answer.

use super::activation::{activation, to_value};
use super::properties;
use crate::abi_types::{Answer, Status, refuse};
use crate::properties::Found;
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
    let value = match expression {
        Expression::Attribute(path) => attribute(state, path)?,
        Expression::List(paths) => {
            let values: Answer<Vec<Value>> =
                paths.iter().map(|path| attribute(state, path)).collect();
            Value::List(values?)
        }
        Expression::Program(program) => match program.execute(&activation(state, program)) {
            Ok(value) => match to_value(&value) {
                Some(value) => value,
                None => return no_encoding("the value of the expression"),
            },
            Err(error) => return refuse(Status::InternalFailure, error.to_string()),
        },
    };
    Ok(value.to_bytes())
}

fn attribute(state: &VmState, path: &[String]) -> Answer<Value> {
    let segments: Vec<&[u8]> = path.iter().map(|segment| segment.as_bytes()).collect();
    match properties::find(state, &segments) {
        Found::Value(Value::Null) | Found::Message => no_encoding(&format!("`{}`", path.join("."))),
        Found::Value(value) => Ok(value),
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
