//! `/activate`: the page where a user signs in and allows a device, or refuses.

use std::fmt::Write;

use hyper::StatusCode;

use super::sessions::{CodeState, Sessions};
use crate::{
    parameters::Parameters,
    reply::Reply,
    world::{UserId, World},
};

pub(crate) const PATH: &str = "/activate";

/// The page for a code, or what came of a decision: `login` signs this account in, `deny` refuses.
pub(crate) fn answer(world: &World, sessions: &mut Sessions, parameters: &Parameters) -> Reply {
    let Some(code) = parameters.given("device-code") else {
        return page(StatusCode::BAD_REQUEST, "<p>The address has no device-code.</p>");
    };
    let code = code.to_ascii_uppercase();
    match sessions.code_state(&code) {
        CodeState::Unknown => return page(StatusCode::NOT_FOUND, "<p>This code is unknown or has expired.</p>"),
        CodeState::Decided => return page(StatusCode::BAD_REQUEST, "<p>This code was used already.</p>"),
        CodeState::Open => {}
    }
    if parameters.given("deny").is_some() {
        sessions.decide(&code, None);
        return page(StatusCode::OK, "<p>Refused. The device gets no token.</p>");
    }
    let Some(login) = parameters.given("login") else {
        return page(StatusCode::OK, &form(world, &code));
    };
    let Some(user) = account(world, login) else {
        return page(StatusCode::BAD_REQUEST, "<p>There is no such account.</p>");
    };
    let login = world.names_of(user).0;
    let text = format!("<p>Signed in as {login}. You can close this page.</p>");
    sessions.decide(&code, Some((user, login)));
    page(StatusCode::OK, &text)
}

/// Any account can sign in; the page shows those with a role.
fn account(world: &World, login: &str) -> Option<UserId> {
    world
        .id_of(&login.to_ascii_lowercase())
        .filter(|user| world.exists(*user))
}

/// The code consists of letters and digits, since it is a known one, and so do logins.
fn form(world: &World, code: &str) -> String {
    let mut form = format!(
        "<p>A device with the code <b>{code}</b> asks to sign in. Continue as:</p>\n\
         <form method=\"post\" action=\"{PATH}\">\n\
         <input type=\"hidden\" name=\"device-code\" value=\"{code}\">\n"
    );
    for (user, role) in world.sign_ins() {
        let (login, name) = world.names_of(user);
        // Writing to a string cannot fail.
        let _ = writeln!(form, "<p><button name=\"login\" value=\"{login}\">{name}</button> {role}</p>");
    }
    form.push_str("<p><button name=\"deny\" value=\"1\">Deny</button></p>\n</form>");
    form
}

fn page(status: StatusCode, body: &str) -> Reply {
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Simulated Twitch</title></head>\n\
         <body><h1>Simulated Twitch</h1>\n{body}\n</body></html>\n"
    );
    Reply::new(status, "text/html; charset=utf-8", html.into())
}
