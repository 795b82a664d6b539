//! Lists of scopes in parameters: names separated by spaces.

use super::refusal::Refusal;
use crate::credentials::SCOPES;

/// The scopes of a list, each once, in its order.
pub(super) fn parse(list: &str) -> Result<Vec<&'static str>, Refusal> {
    let mut scopes = Vec::new();
    for name in list.split_whitespace() {
        let Some(scope) = SCOPES.into_iter().find(|scope| *scope == name) else {
            return Err(Refusal::bad_request(format!("invalid scope requested: '{name}'")));
        };
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    Ok(scopes)
}
