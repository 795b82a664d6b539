//! The identity: validation, app tokens, refusals, and secrets that must not be printed.

use std::time::Duration;

use itch_api::{ErrorKind, Request, Transport};
use itch_client::{Client, Secret};

use crate::server::{Asked, Reply, Server};
use crate::stores::Memory;
use crate::{assert_kind, client, failure, fetch, settings, users};

/// Grants app tokens `app1`, `app2`, … and accepts only the last one.
fn app_server(refuse_all: bool) -> Server {
    let latest = std::sync::atomic::AtomicUsize::new(0);
    Server::raw(move |asked: &Asked| {
        use std::sync::atomic::Ordering::SeqCst;
        if asked.is("/oauth/token") {
            let n = latest.fetch_add(1, SeqCst) + 1;
            return Reply::ok(format!(r#"{{"access_token":"app{n}","expires_in":5011271,"token_type":"bearer"}}"#));
        }
        // The first token is refused after its first use, as if it had been revoked.
        let good = format!("Bearer app{}", latest.load(SeqCst));
        let revoked = asked.header("authorization") == "Bearer app1" && asked.nth > 1;
        match asked.header("authorization") == good && !revoked && !refuse_all {
            true => Reply::ok("{}"),
            false => Reply::status(401, r#"{"status":401,"message":"Invalid OAuth token"}"#),
        }
    })
}

fn app_client(server: &Server) -> Client {
    let mut settings = settings(server);
    settings.identity.token = None;
    settings.identity.client_id = Some("myclient".to_owned());
    settings.identity.client_secret = Some(Secret::new("my&secret"));
    Client::new(settings).unwrap()
}

#[test]
fn an_app_token_is_asked_for_once_and_renewed_after_a_401() {
    let server = app_server(false);
    let client = app_client(&server);
    assert_eq!(server.asked().len(), 0);
    assert_eq!(fetch(&client, users(1)).unwrap().status, 200);
    let asked = &server.asked()[0];
    assert_eq!((asked.method.as_str(), asked.target.as_str()), ("POST", "/oauth/token"));
    assert_eq!(asked.body, "client_id=myclient&client_secret=my%26secret&grant_type=client_credentials");
    assert_eq!(server.asked()[1].header("client-id"), "myclient");
    // Ten requests at once find the token revoked; one of them gets a new one for all.
    let tickets: Vec<_> = (2..12).map(|id| client.start(users(id)).unwrap()).collect();
    for ticket in tickets {
        assert_eq!(client.wait(ticket).unwrap().status, 200);
    }
    assert_eq!(server.count("/oauth/token"), 2);
}

#[test]
fn a_401_that_stays_is_the_answer() {
    let server = app_server(true);
    let response = fetch(&app_client(&server), users(1)).unwrap();
    assert_eq!(response.status, 401);
    // With two more tokens, since the first refusal may be a fault.
    assert_eq!(server.data_requests().len(), 3);
    assert_eq!(server.count("/oauth/token"), 3);
}

#[test]
fn a_wrong_secret_is_told() {
    let server = Server::raw(|_| Reply::status(403, r#"{"status":403,"message":"invalid client secret"}"#));
    let error = failure(&app_client(&server), users(1));
    assert_kind(&error, ErrorKind::SignIn);
    assert_eq!(format!("{error:#}"), "Twitch refused the client id or its secret: invalid client secret");
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn no_identity_is_an_error_at_the_first_request_only() {
    let server = Server::start(|_| Reply::ok("{}"));
    let mut settings = settings(&server);
    settings.identity.token = None;
    settings.identity.client_id = Some("alone".to_owned());
    let client = Client::new(settings).unwrap();
    let error = failure(&client, users(1));
    assert_kind(&error, ErrorKind::SignIn);
    assert_eq!(error.message, "nobody is signed in");
    let hint = error.hint.unwrap();
    for word in [
        "itch login",
        "TWITCH_TOKEN",
        "TWITCH_CLIENT_ID",
        "TWITCH_CLIENT_SECRET",
        "--sandbox",
    ] {
        assert!(hint.contains(word), "{hint}");
    }
    assert_eq!(server.asked().len(), 0);
}

#[test]
fn a_token_is_validated_once_for_all_requests_and_for_the_next_run() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("identity.json");
    let server = Server::start(|_| Reply::ok("{}"));
    let run = || {
        let mut settings = settings(&server);
        settings.identity.file = Some(file.clone());
        let client = Client::new(settings).unwrap();
        let tickets: Vec<_> = (0..20).map(|id| client.start(users(id)).unwrap()).collect();
        for ticket in tickets {
            client.wait(ticket).unwrap();
        }
    };
    run();
    assert_eq!(server.count("/oauth/validate"), 1);
    let asked = server.asked();
    assert_eq!(asked[0].header("authorization"), "OAuth usertoken");
    run();
    assert_eq!(server.count("/oauth/validate"), 1);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("\"seven\"") && !text.contains("usertoken"), "{text}");
}

#[test]
fn a_refused_token_is_told_and_asked_about_once() {
    let server = Server::raw(|_| Reply::status(401, r#"{"status":401,"message":"invalid access token"}"#));
    let client = client(&server);
    for id in 0..3 {
        let error = failure(&client, users(id));
        assert_kind(&error, ErrorKind::SignIn);
        assert_eq!(
            error.message,
            "Twitch refused the token in `TWITCH_TOKEN`: it is unknown, has expired or was revoked"
        );
        assert!(error.hint.unwrap().starts_with("`itch login`"));
    }
    assert_eq!(server.asked().len(), 1);
}

/// Answers of the sign-in service that say nothing about a token.
fn bad_weather(nth: usize) -> Reply {
    let page = "<html><body>Bad gateway</body></html>";
    match nth {
        1 => Reply::status(404, r#"{"status":404,"message":"not found"}"#),
        2 => Reply::status(429, r#"{"status":429,"message":"too many requests"}"#),
        3 => Reply::status(403, page),
        _ => Reply::status(401, "{}"),
    }
}

#[test]
fn only_the_services_own_refusal_says_something_about_a_token() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("identity.json");
    let valid = r#"{"client_id":"clientid","login":"seven","user_id":7,"scopes":null,"expires_in":"13980.5"}"#;
    let server = Server::raw(move |asked| match (asked.is("/oauth/validate"), asked.nth) {
        (true, nth @ 1..=4) => bad_weather(nth),
        (true, _) => Reply::ok(valid),
        (false, _) => Reply::ok("{}"),
    });
    let run = || {
        let mut settings = settings(&server);
        settings.identity.file = Some(file.clone());
        fetch(&Client::new(settings).unwrap(), users(1))
    };
    assert_eq!(run().unwrap().status, 200);
    assert_eq!(server.count("/oauth/validate"), 5);
    // A user id that is a number and a life that is a text are read, and kept.
    let known = std::fs::read_to_string(&file).unwrap();
    assert!(known.contains("\"seven\"") && known.contains("\"7\""), "{known}");
    run().unwrap();
    assert_eq!(server.count("/oauth/validate"), 5);
}

#[test]
fn a_service_in_trouble_takes_no_identity_away() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("identity.json");
    let valid = r#"{"client_id":"c","login":"seven","user_id":"7","expires_in":13980}"#;
    let server = Server::raw(move |asked| match (asked.is("/oauth/validate"), asked.nth) {
        (true, 1) => Reply::ok(valid),
        // The data service refuses the token, and the sign-in service cannot say whether it is good.
        (true, _) => Reply::status(429, r#"{"status":429,"message":"too many requests"}"#),
        (false, _) => Reply::status(401, r#"{"status":401,"message":"Invalid OAuth token"}"#),
    });
    let mut settings = settings(&server);
    settings.identity.file = Some(file.clone());
    let error = failure(&Client::new(settings).unwrap(), users(1));
    assert_kind(&error, ErrorKind::Service);
    assert_eq!(error.message, "the oauth service answered 429 (5 tries)");
    assert!(std::fs::read_to_string(&file).unwrap().contains("\"seven\""));
}

#[test]
fn an_app_token_is_asked_for_until_the_service_answers() {
    let server = Server::raw(|asked| match (asked.is("/oauth/token"), asked.nth) {
        (true, nth @ 1..=4) => bad_weather(nth),
        (true, _) => Reply::ok(r#"{"access_token":"app","expires_in":"5011271","token_type":"bearer"}"#),
        (false, _) => Reply::ok("{}"),
    });
    assert_eq!(fetch(&app_client(&server), users(1)).unwrap().status, 200);
    assert_eq!(server.count("/oauth/token"), 5);
}

#[test]
fn a_token_revoked_on_the_way_is_told() {
    let server = Server::raw(|asked| match (asked.is("/oauth/validate"), asked.nth) {
        (true, 1) => Reply::ok(r#"{"client_id":"c","login":"s","user_id":"7","expires_in":9}"#),
        _ => Reply::status(401, r#"{"status":401,"message":"Invalid OAuth token"}"#),
    });
    let error = failure(&client(&server), users(1));
    assert_kind(&error, ErrorKind::SignIn);
    assert_eq!(error.message, "Twitch refused the token of `s` in `TWITCH_TOKEN`: it was revoked");
    assert_eq!(server.count("/oauth/validate"), 2);
}

#[test]
fn a_missing_scope_is_twitchs_own_answer() {
    let server = Server::start(|_| Reply::status(401, r#"{"status":401,"message":"Missing scope: x"}"#));
    let request = Request::helix("channels/followed").query("user_id", 7);
    let response = fetch(&client(&server), request.clone()).unwrap();
    assert_eq!(response.status, 401);
    let error = response.refusal(request.service);
    assert!(format!("{error:#}").contains("Missing scope: x"));
}

#[test]
fn a_failing_sign_in_fails_for_all_who_wait_at_once() {
    let server = Server::raw(|_| Reply::status(500, "{}"));
    let mut settings = settings(&server);
    settings.tries = 2;
    let client = Client::new(settings).unwrap();
    let tickets: Vec<_> = (0..10).map(|id| client.start(users(id)).unwrap()).collect();
    let started = std::time::Instant::now();
    for ticket in tickets {
        assert_kind(&client.wait(ticket).unwrap_err(), ErrorKind::Service);
    }
    assert_eq!(server.asked().len(), 2);
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[test]
fn the_sign_in_service_cannot_be_asked() {
    let server = Server::start(|_| Reply::ok("{}"));
    let request = Request::get(itch_api::Service::OAuth, "validate");
    assert_kind(&failure(&client(&server), request), ErrorKind::Unsupported);
}

#[test]
fn a_users_view_is_stored_for_that_user_alone() {
    let server = Server::raw(|asked| match asked.is("/oauth/validate") {
        true if asked.header("authorization").ends_with("three") => {
            Reply::ok(r#"{"client_id":"c","login":"e","user_id":"8","expires_in":999}"#)
        }
        true => Reply::ok(r#"{"client_id":"c","login":"s","user_id":"7","expires_in":999}"#),
        false => Reply::ok(r#"{"total":1,"data":[1]}"#),
    });
    let store = Memory::default();
    let run = |token: &str| {
        let mut settings = settings(&server);
        settings.caches = store.named("memory");
        settings.identity.token = Some(token.into());
        let client = Client::new(settings).unwrap();
        let request = Request::helix("channels/followers").query("broadcaster_id", 1);
        fetch(&client, request).unwrap().from_cache()
    };
    assert!(!run("one"));
    // Another token of the same user gets the same answer.
    assert!(run("two"));
    assert!(!run("three"));
    assert_eq!(store.len(), 2);
}

/// Only a token with the scope for the user's email address gets it, and only that user.
#[test]
fn an_email_is_stored_for_its_owner_alone() {
    let server = Server::raw(|asked| {
        let owner = asked.header("authorization").ends_with("owner");
        match (asked.is("/oauth/validate"), owner) {
            (true, true) => {
                Reply::ok(r#"{"client_id":"c","user_id":"7","scopes":["user:read:email"],"expires_in":999}"#)
            }
            (true, false) => Reply::ok(r#"{"client_id":"c","user_id":"8","scopes":[],"expires_in":999}"#),
            (false, true) => Reply::ok(r#"{"data":[{"id":"7","email":"seven@example"}]}"#),
            (false, false) => Reply::ok(r#"{"data":[{"id":"7"}]}"#),
        }
    });
    let store = Memory::default();
    let directory = tempfile::tempdir().unwrap();
    let run = |token: &str| {
        let mut settings = settings(&server);
        settings.caches = store.named("memory");
        settings.identity.token = Some(token.into());
        settings.identity.file = Some(directory.path().join("identities.json"));
        let response = fetch(&Client::new(settings).unwrap(), users(7)).unwrap();
        let email = String::from_utf8(response.body.clone()).unwrap();
        (response.from_cache(), email.contains("seven@example"))
    };
    assert_eq!(run("owner"), (false, true));
    assert_eq!(run("owner"), (true, true));
    assert_eq!(run("another"), (false, false));
    // An answer without it is shared.
    assert_eq!(run("a third"), (true, false));
    assert_eq!(run("owner"), (true, true));
    assert_eq!(store.len(), 2);
}

#[test]
fn nothing_that_prints_shows_a_secret() {
    let server = Server::start(|_| Reply::ok("{}"));
    let mut settings = settings(&server);
    settings.identity.client_secret = Some(Secret::new("clientsecret"));
    let shown = format!("{settings:?}");
    assert!(!shown.contains("usertoken") && !shown.contains("clientsecret"), "{shown}");
    let client = Client::new(settings).unwrap();
    fetch(&client, users(1)).unwrap();
    assert!(!format!("{client:?}").contains("usertoken"));
}
