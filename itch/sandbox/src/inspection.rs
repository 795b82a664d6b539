//! `/sandbox/`: what the sandbox tells tests and benchmarks about itself.

use hyper::StatusCode;
use serde::Serialize;

use crate::{reply::Reply, state::State};

#[derive(Serialize)]
struct Account {
    login: String,
    id: String,
    role: &'static str,
}

/// The answer, if the path is one of these.
pub(crate) fn answer(state: &State, path: &str) -> Option<Reply> {
    Some(match path {
        "/sandbox/requests" => Reply::json(StatusCode::OK, &*state.requests()),
        "/sandbox/tokens" => Reply::json(StatusCode::OK, state.sessions().log()),
        "/sandbox/accounts" => Reply::json(StatusCode::OK, &accounts(state)),
        _ => return None,
    })
}

fn accounts(state: &State) -> Vec<Account> {
    let account = |(user, role)| Account {
        login: state.world.names_of(user).0,
        id: user.to_string(),
        role,
    };
    state.world.sign_ins().into_iter().map(account).collect()
}
