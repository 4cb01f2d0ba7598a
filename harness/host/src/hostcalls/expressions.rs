//! Expressions of CEL, as far as they are an attribute or a list of attributes: Envoy's foreign functions `expr_create`,
//! `expr_evaluate` and `expr_delete`.
//!
//! A list is how a guest asks for several properties in one call: an answer costs Envoy an entry into the guest for memory,
//! whatever is in it. All answers below were read off Envoy 1.40.

use super::properties;
use crate::abi_types::{Answer, Status, refuse};
use crate::properties::Found;
use crate::value::Value;
use crate::vm_state::{Expression, VmState, read_token};

/// `expr_evaluate`: gives the value, serialised as a property is. What is not known makes the whole expression fail.
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
