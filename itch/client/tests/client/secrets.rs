//! Secrets that a server repeats: in no error, no warning, no cache; and in rows as they were sent.

use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use itch_api::Error;
use itch_client::Client;

use crate::server::{Reply, Server};
use crate::stores::Memory;
use crate::{failure, fetch, settings, text, users};

const TOKEN: &str = "s3cr3t/t0k3n+of=burkeblack";

/// The whole error, with everything that could be printed of it.
fn printed(error: &Error) -> String {
    format!("{error:#} {error:?}")
}

#[track_caller]
fn assert_clean(text: &str) {
    assert!(!text.contains("s3cr3t"), "{text}");
    assert!(text.contains("[redacted]"), "{text}");
}

/// A client that tries once, with the token.
fn client(server: &Server) -> Client {
    let mut settings = settings(server);
    settings.identity.token = Some(TOKEN.into());
    settings.tries = 1;
    Client::new(settings).unwrap()
}

#[test]
fn an_error_that_repeats_the_token_is_shown_without_it() {
    let forms = [
        TOKEN.to_owned(),
        "s3cr3t%2Ft0k3n%2Bof%3Dburkeblack".to_owned(),
        "s3cr3t%2ft0k3n%2bof%3dburkeblack".to_owned(),
        "s3cr3t\\/t0k3n+of=burkeblack".to_owned(),
        STANDARD.encode(TOKEN),
        URL_SAFE.encode(format!("user:{TOKEN}")),
    ];
    for form in forms {
        let body = serde_json::json!({"message": format!("bad header `Authorization: Bearer {form}`")});
        let body = body.to_string();
        let server = Server::start(move |_| Reply::status(503, body.as_str()));
        let error = printed(&failure(&client(&server), users(1)));
        assert!(error.contains("[redacted]") && !error.contains(&form), "{form}: {error}");
    }
}

#[test]
fn a_redirect_with_the_token_is_shown_without_it() {
    let location = format!("https://login.example/?next={TOKEN}&a=1");
    let server = Server::start(move |_| Reply::status(302, "").header("location", &location));
    assert_clean(&printed(&failure(&client(&server), users(1))));
}

#[test]
fn the_sign_in_service_may_repeat_it_too() {
    for status in [401, 403, 500] {
        let body = serde_json::json!({"status": status, "message": format!("invalid access token {TOKEN}")});
        let body = body.to_string();
        let server = Server::raw(move |_| Reply::status(status, body.as_str()));
        assert_clean(&printed(&failure(&client(&server), users(1))));
    }
}

#[test]
fn an_app_token_and_its_secret_are_secrets() {
    let server = Server::raw(|asked| match asked.is("/oauth/token") {
        true => Reply::ok(r#"{"access_token":"granted-token-1","expires_in":5000}"#),
        false => {
            let repeated = format!("{} hunter2hunter2", asked.header("authorization"));
            Reply::status(500, serde_json::json!({"message": repeated}).to_string())
        }
    });
    let mut settings = settings(&server);
    settings.identity.token = None;
    settings.identity.client_id = Some("id".to_owned());
    settings.identity.client_secret = Some("hunter2hunter2".into());
    settings.tries = 1;
    let error = failure(&Client::new(settings).unwrap(), users(1));
    assert_eq!(error.causes, ["Bearer [redacted] [redacted]"]);
}

#[test]
fn a_body_that_repeats_the_token_is_passed_on_but_not_stored() {
    for echoed in [TOKEN.to_owned(), STANDARD.encode(TOKEN)] {
        let body = serde_json::json!({"data": [{"title": echoed}]}).to_string();
        let sent = body.clone();
        let server = Server::start(move |asked| match asked.target.ends_with("id=1") {
            true => Reply::ok(sent.as_str()),
            false => Reply::ok("{}"),
        });
        let store = Memory::default();
        let mut settings = settings(&server);
        settings.identity.token = Some(TOKEN.into());
        settings.caches = store.named("memory");
        let client = Client::new(settings).unwrap();
        assert_eq!(text(&fetch(&client, users(1)).unwrap()), body);
        assert_eq!((store.len(), client.counters().cache_not_stored), (0, 1));
        fetch(&client, users(2)).unwrap();
        assert_eq!(store.len(), 1);
    }
}

#[test]
fn a_request_or_etag_with_a_secret_is_stored_without_it() {
    let server = Server::start(|_| Reply::ok("{}").header("etag", format!("\"{TOKEN}\"")));
    let store = Memory::default();
    let mut settings = settings(&server);
    settings.identity.token = Some(TOKEN.into());
    settings.caches = store.named("memory");
    fetch(&Client::new(settings).unwrap(), users(1).query("x", TOKEN)).unwrap();
    let values = store.values.lock().unwrap();
    let bytes = &values.values().next().unwrap().bytes;
    assert!(!bytes.windows(6).any(|part| part == b"s3cr3t"));
}

#[test]
fn a_failing_store_may_name_its_password() {
    let server = Server::start(|_| Reply::ok("{}"));
    let warnings = Arc::<Mutex<Vec<String>>>::default();
    let kept = Arc::clone(&warnings);
    let mut settings = settings(&server);
    settings.caches =
        vec![("redis".to_owned(), Box::new(crate::stores::Failing::saying("no redis://:hunter2hunter2@h")))];
    settings.secrets.add_url("redis://:hunter2hunter2@h");
    settings.warn = Arc::new(move |line| kept.lock().unwrap().push(line.to_owned()));
    fetch(&Client::new(settings).unwrap(), users(1)).unwrap();
    let warnings = warnings.lock().unwrap();
    assert_eq!(*warnings, ["cache redis: no redis://:[redacted]@h; going on without it"]);
}
