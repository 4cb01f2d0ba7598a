//! Envoy's foreign functions `expr_create`, `expr_evaluate` and `expr_delete`, for CEL expressions that are an attribute or
//! a list of attributes.
//!
//! A list gives a guest several properties in one call, which is cheaper because Envoy enters the guest for memory once for
//! each answer. The answers are those of Envoy 1.40 (`evaluates_a_list_of_attributes_in_one_call` in `http_call/tests.rs`).

use super::properties;
use crate::abi_types::{Answer, Status, refuse};
use crate::properties::Found;
use crate::value::Value;
use crate::vm_state::{Expression, VmState, read_token};

/// Gives the value of an expression, serialised as a property is (`expr_evaluate`). One unknown attribute fails the whole
/// expression.
pub(crate) fn evaluate(state: &VmState, token: &[u8]) -> Answer<Vec<u8>> {
    let token = read_token(token)?;
    let known = state.root().and_then(|root| root.expressions.get(token));
    let Some(expression) = known else {
        return refuse(
            Status::NotFound,
            format!("no expression has the token {token}"),
        );
    };
    let of = |path: &[String]| {
        let segments: Vec<&[u8]> = path.iter().map(|segment| segment.as_bytes()).collect();
        match properties::find(state, &segments) {
            Found::Value(value) => Ok(value),
            Found::Message | Found::Nothing => {
                let reason = format!("`{}` is not known in {}", path.join("."), state.callback);
                refuse(Status::InternalFailure, reason)
            }
        }
    };
    let value = match expression {
        Expression::Attribute(path) => of(path)?,
        Expression::List(paths) => {
            let values: Answer<Vec<Value>> = paths.iter().map(|path| of(path)).collect();
            Value::List(values?)
        }
    };
    Ok(value.to_bytes())
}
