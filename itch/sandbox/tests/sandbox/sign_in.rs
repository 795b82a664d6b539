//! `/oauth2/device`, `/activate`, refresh and revoke; roles; and the log of tokens.

use std::time::Duration;

use itch_sandbox::{CLIENT_ID, CLIENT_SECRET, CONFIDENTIAL_CLIENT_ID, Options, PUBLIC_CLIENT_ID, TOKEN};
use serde_json::{Value, json};

use crate::client::{Answer, BURKEBLACK, Client};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A sandbox whose devices may poll at once.
fn quick() -> Client {
    quick_with_faults("")
}

pub(crate) fn quick_with_faults(faults: &str) -> Client {
    Client::with(Options {
        rate_limit: None,
        device_interval: Duration::ZERO,
        faults: faults.parse().unwrap(),
        ..Options::default()
    })
}

pub(crate) fn post(client: &Client, path: &str, form: &str) -> Answer {
    client.send("POST", path, &[FORM], form).unwrap()
}

pub(crate) fn device(client: &Client, app: &str, scopes: &str) -> Value {
    let answer = post(client, "/oauth2/device", &format!("client_id={app}&scopes={scopes}"));
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.headers["content-type"], "application/json");
    answer.json()
}

pub(crate) fn poll(client: &Client, app: &str, device: &Value) -> Answer {
    let code = text(device, "device_code");
    let form = format!("client_id={app}&scopes=&device_code={code}&grant_type={GRANT}");
    post(client, "/oauth2/token", &form)
}

pub(crate) fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body[name].as_str().unwrap_or_else(|| panic!("{name}: {body}"))
}

/// The tokens of a user who signs in with a device.
pub(crate) fn sign_in(client: &Client, app: &str, login: &str, scopes: &str) -> Value {
    let device = device(client, app, scopes);
    let page = post(client, "/activate", &format!("device-code={}&login={login}", text(&device, "user_code")));
    assert_eq!(page.status, 200, "{}", page.text);
    let answer = poll(client, app, &device);
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

pub(crate) fn refresh(client: &Client, app: &str, more: &str, token: &str) -> Answer {
    let form = format!("client_id={app}{more}&grant_type=refresh_token&refresh_token={token}");
    post(client, "/oauth2/token", &form)
}

pub(crate) fn validate(client: &Client, token: &str) -> Answer {
    let authorization = format!("OAuth {token}");
    let headers = [("Authorization", authorization.as_str())];
    client.send("GET", "/oauth2/validate", &headers, "").unwrap()
}

/// From Helix, with the token of an app.
fn helix(client: &Client, app: &str, token: &str, path: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [("Authorization", bearer.as_str()), ("Client-Id", app)];
    client.send("GET", &format!("/helix/{path}"), &headers, "").unwrap()
}

#[track_caller]
pub(crate) fn refused(answer: &Answer, status: u16, message: &str) {
    assert_eq!(answer.json(), json!({ "status": status, "message": message }));
    assert_eq!(answer.status, status);
}

pub(crate) fn events(client: &Client) -> Vec<Value> {
    let log = client.open("/sandbox/tokens").json();
    log.as_array().unwrap().clone()
}

pub(crate) fn names(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| text(event, "event")).collect()
}

#[test]
fn a_device_gets_its_token_once_the_user_has_signed_in() {
    let client = quick();
    let device = device(&client, PUBLIC_CLIENT_ID, "user:read:follows+moderator:read:followers");
    assert_eq!((&device["expires_in"], &device["interval"]), (&json!(1_800), &json!(0)));
    assert_eq!((text(&device, "device_code").len(), text(&device, "user_code").len()), (40, 8));
    let uri = text(&device, "verification_uri");
    let code = text(&device, "user_code");
    assert_eq!(uri, format!("{}/activate?public=true&device-code={code}", client.sandbox.base_url()));
    refused(&poll(&client, PUBLIC_CLIENT_ID, &device), 400, "authorization_pending");
    refused(&poll(&client, CLIENT_ID, &device), 400, "invalid client");

    let page = client.open(uri.strip_prefix(&client.sandbox.base_url()).unwrap());
    assert_eq!((page.status, &page.headers["content-type"]), (200, &"text/html; charset=utf-8".parse().unwrap()));
    for login in ["burkeblack", "just_a_viewer", "not_moderated"] {
        assert!(page.text.contains(&format!("name=\"login\" value=\"{login}\"")), "{}", page.text);
    }
    assert_eq!(page.text.matches("<button").count(), 6);
    refused(&poll(&client, PUBLIC_CLIENT_ID, &device), 400, "authorization_pending");

    let page = client.open(&format!("/activate?device-code={code}&login=burkeblack"));
    assert!(page.status == 200 && page.text.contains("Signed in as burkeblack"), "{}", page.text);
    let answer = poll(&client, PUBLIC_CLIENT_ID, &device);
    assert_eq!((answer.status, &answer.headers["content-type"]), (200, &"application/json".parse().unwrap()));
    let tokens = answer.json();
    let fields: Vec<&String> = tokens.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["access_token", "expires_in", "refresh_token", "scope", "token_type"]);
    assert_eq!((&tokens["expires_in"], &tokens["token_type"]), (&json!(14_124), &json!("bearer")));
    assert_eq!(tokens["scope"], json!(["user:read:follows", "moderator:read:followers"]));
    let access = text(&tokens, "access_token");
    assert_eq!((access.len(), text(&tokens, "refresh_token").len()), (30, 50));
    refused(&poll(&client, PUBLIC_CLIENT_ID, &device), 400, "invalid device code");

    let whose = validate(&client, access).json();
    assert_eq!((&whose["client_id"], &whose["login"]), (&json!(PUBLIC_CLIENT_ID), &json!("burkeblack")));
    assert_eq!((&whose["user_id"], &whose["scopes"]), (&json!(BURKEBLACK), &tokens["scope"]));
    assert!((14_100..=14_124).contains(&whose["expires_in"].as_u64().unwrap()));
    let path = format!("channels/followers?broadcaster_id={BURKEBLACK}");
    assert_eq!(helix(&client, PUBLIC_CLIENT_ID, access, &path).rows().len(), 20);
    let mixed = helix(&client, CLIENT_ID, access, &path);
    assert_eq!((mixed.status, &mixed.json()["message"]), (401, &json!("Client ID and OAuth token do not match")));
    assert_eq!(names(&events(&client)), ["device", "approved", "issued", "answer_sent"]);
}

#[test]
fn parameters_may_stand_in_the_query() {
    let client = quick();
    let send = |path: String| client.send("POST", &path, &[], "").unwrap();
    let device = send(format!("/oauth2/device?client_id={CLIENT_ID}&scopes=")).json();
    client.open(&format!("/activate?device-code={}&login=just_a_viewer", text(&device, "user_code")));
    let code = text(&device, "device_code");
    let answer = send(format!("/oauth2/token?client_id={CLIENT_ID}&device_code={code}&grant_type={GRANT}"));
    // Without a scope there is no list of them.
    let tokens = answer.json();
    assert_eq!(tokens.get("scope"), None);
    assert_eq!(validate(&client, text(&tokens, "access_token")).json()["scopes"], json!([]));
    let token = text(&tokens, "access_token");
    let revoked = send(format!("/oauth2/revoke?client_id={CLIENT_ID}&token={token}"));
    assert_eq!((revoked.status, revoked.text.as_str()), (200, ""));
}

#[test]
fn a_bad_device_request_is_refused() {
    let client = quick();
    let at = |path: &str, form: &str| post(&client, path, form);
    refused(&at("/oauth2/device", "scopes="), 400, "missing client id");
    refused(&at("/oauth2/device", "client_id=unknown"), 400, "invalid client");
    let scoped = format!("client_id={CLIENT_ID}&scopes=user:read:email+x");
    refused(&at("/oauth2/device", &scoped), 400, "invalid scope requested: 'x'");
    let grant = format!("client_id={CLIENT_ID}&grant_type={GRANT}");
    refused(&at("/oauth2/token", &grant), 400, "missing device_code");
    refused(&at("/oauth2/token", &format!("{grant}&device_code=x")), 400, "invalid device code");
    refused(&client.open("/oauth2/device"), 404, "not found");
    for (query, status) in [("", 400), ("?device-code=UNKNOWN1", 404)] {
        let page = client.open(&format!("/activate{query}"));
        assert!(page.status == status && page.text.starts_with("<!DOCTYPE html>"), "{}", page.text);
    }
    let device = device(&client, CLIENT_ID, "");
    let page = client.open(&format!("/activate?device-code={}&login=nobody_at_all", text(&device, "user_code")));
    assert_eq!(page.status, 400);
    refused(&poll(&client, CLIENT_ID, &device), 400, "authorization_pending");
}

#[test]
fn a_user_may_refuse_and_a_code_may_expire() {
    let client = quick();
    let denied = device(&client, PUBLIC_CLIENT_ID, "");
    let answer = format!("device-code={}&deny=1", text(&denied, "user_code"));
    assert_eq!(post(&client, "/activate", &answer).status, 200);
    refused(&poll(&client, PUBLIC_CLIENT_ID, &denied), 400, "invalid device code");
    assert_eq!(post(&client, "/activate", &answer).status, 400);
    assert_eq!(names(&events(&client)), ["device", "denied"]);

    let client = Client::with(Options {
        device_life: Duration::ZERO,
        ..Options::default()
    });
    let expired = device(&client, PUBLIC_CLIENT_ID, "");
    refused(&poll(&client, PUBLIC_CLIENT_ID, &expired), 400, "invalid device code");
    let page = client.open(&format!("/activate?device-code={}", text(&expired, "user_code")));
    assert_eq!(page.status, 404);
}

#[test]
fn a_device_that_polls_too_fast_gets_nothing() {
    let client = Client::new();
    let device = device(&client, PUBLIC_CLIENT_ID, "");
    assert_eq!(device["interval"], 5);
    for _ in 0..2 {
        refused(&poll(&client, PUBLIC_CLIENT_ID, &device), 400, "authorization_pending");
    }
    client.open(&format!("/activate?device-code={}&login=burkeblack", text(&device, "user_code")));
    refused(&poll(&client, PUBLIC_CLIENT_ID, &device), 400, "authorization_pending");
    assert_eq!(names(&events(&client)), ["device", "blocked", "approved"]);
}

#[test]
fn a_public_refresh_token_can_be_used_once() {
    let client = quick();
    let first = sign_in(&client, PUBLIC_CLIENT_ID, "burkeblack", "user:read:follows");
    let old = text(&first, "refresh_token");
    let second = refresh(&client, PUBLIC_CLIENT_ID, "", old);
    assert_eq!(second.status, 200, "{}", second.text);
    let second = second.json();
    let new = text(&second, "refresh_token");
    assert_ne!(new, old);
    assert_ne!(second["access_token"], first["access_token"]);
    assert_eq!(second["scope"], first["scope"]);
    refused(&refresh(&client, PUBLIC_CLIENT_ID, "", old), 400, "Invalid refresh token");
    for tokens in [&first, &second] {
        assert_eq!(validate(&client, text(tokens, "access_token")).status, 200);
    }
    assert_eq!(refresh(&client, PUBLIC_CLIENT_ID, "", new).status, 200);

    let events = events(&client);
    let expected = [
        "device",
        "approved",
        "issued",
        "answer_sent",
        "refreshed",
        "answer_sent",
        "invalid_refresh",
        "refreshed",
        "answer_sent",
    ];
    assert_eq!(names(&events), expected);
    assert!(events.is_sorted_by_key(|event| event["ms"].as_u64().unwrap()));
    assert_eq!(events[2]["new_refresh"], events[4]["refresh"]);
    assert_eq!(events[4]["refresh"], events[6]["refresh"]);
    assert_eq!(events[4]["new_refresh"], events[7]["refresh"]);
    assert_eq!(events[5]["new_refresh"], events[4]["new_refresh"]);
    assert_eq!((&events[4]["user"], &events[4]["client"]), (&json!("burkeblack"), &json!(PUBLIC_CLIENT_ID)));
    assert_eq!(text(&events[4], "refresh").len(), 16);
    let log = client.open("/sandbox/tokens").text;
    assert!(
        ![old, new, text(&first, "access_token")]
            .iter()
            .any(|secret| log.contains(secret))
    );
}

#[test]
fn a_confidential_app_needs_its_secret_and_keeps_its_refresh_token() {
    let client = quick();
    let tokens = sign_in(&client, CONFIDENTIAL_CLIENT_ID, "burkeblack", "");
    let token = text(&tokens, "refresh_token");
    refused(&refresh(&client, CONFIDENTIAL_CLIENT_ID, "", token), 400, "missing client secret");
    refused(&refresh(&client, CONFIDENTIAL_CLIENT_ID, "&client_secret=x", token), 403, "invalid client secret");
    let secret = format!("&client_secret={CLIENT_SECRET}");
    for _ in 0..2 {
        let renewed = refresh(&client, CONFIDENTIAL_CLIENT_ID, &secret, token).json();
        assert_eq!(text(&renewed, "refresh_token"), token);
        assert_eq!(validate(&client, text(&renewed, "access_token")).status, 200);
    }
    // A refresh token belongs to one app.
    refused(&refresh(&client, PUBLIC_CLIENT_ID, "", token), 400, "Invalid refresh token");
    refused(&refresh(&client, PUBLIC_CLIENT_ID, "", ""), 400, "missing refresh token");
    refused(&refresh(&client, "unknown", "", token), 400, "invalid client");
    for (secret, status) in [("", 400), (secret.as_str(), 403)] {
        let form = format!("client_id={PUBLIC_CLIENT_ID}{secret}&grant_type=client_credentials");
        assert_eq!(post(&client, "/oauth2/token", &form).status, status);
    }
}

#[test]
fn a_token_expires_and_is_revoked() {
    let client = Client::with(Options {
        device_interval: Duration::ZERO,
        token_life: Duration::ZERO,
        ..Options::default()
    });
    let expired = sign_in(&client, PUBLIC_CLIENT_ID, "burkeblack", "");
    let access = text(&expired, "access_token");
    refused(&validate(&client, access), 401, "invalid access token");
    assert_eq!(helix(&client, PUBLIC_CLIENT_ID, access, "users").status, 401);
    let revoke = |client: &Client, form: String| post(client, "/oauth2/revoke", &form);
    let of = |app: &str, token: &str| format!("client_id={app}&token={token}");
    refused(&revoke(&client, of(PUBLIC_CLIENT_ID, access)), 400, "Invalid token");
    assert_eq!(refresh(&client, PUBLIC_CLIENT_ID, "", text(&expired, "refresh_token")).status, 200);

    let client = quick();
    let tokens = sign_in(&client, PUBLIC_CLIENT_ID, "burkeblack", "");
    let access = text(&tokens, "access_token");
    refused(&revoke(&client, String::new()), 400, "missing client id");
    refused(&revoke(&client, of("unknown", access)), 400, "Invalid client_id: unknown");
    refused(&revoke(&client, of(PUBLIC_CLIENT_ID, "")), 400, "missing oauth token");
    refused(&revoke(&client, of(CLIENT_ID, access)), 400, "Invalid token");
    let revoked = revoke(&client, of(PUBLIC_CLIENT_ID, access));
    assert_eq!((revoked.status, revoked.text.as_str()), (200, ""));
    refused(&revoke(&client, of(PUBLIC_CLIENT_ID, access)), 400, "Invalid token");
    refused(&validate(&client, access), 401, "invalid access token");
    let token = text(&tokens, "refresh_token");
    refused(&refresh(&client, PUBLIC_CLIENT_ID, "", token), 400, "Invalid refresh token");

    // An app token can be revoked as well, and a fixed one cannot.
    let form = format!("client_id={CLIENT_ID}&client_secret={CLIENT_SECRET}&grant_type=client_credentials");
    let app_token = post(&client, "/oauth2/token", &form).json();
    for (token, after) in [(text(&app_token, "access_token"), 401), (TOKEN, 200)] {
        assert_eq!(revoke(&client, of(CLIENT_ID, token)).status, 200);
        assert_eq!(validate(&client, token).status, after);
    }
}

#[test]
fn each_account_has_the_rights_of_its_role() {
    let client = quick();
    let accounts = client.open("/sandbox/accounts").json();
    let accounts = accounts.as_array().unwrap();
    let roles: Vec<&str> = accounts.iter().map(|account| text(account, "role")).collect();
    let expected = [
        "broadcaster",
        "moderator of burkeblack",
        "VIP of burkeblack",
        "viewer",
        "broadcaster of another channel",
    ];
    assert_eq!(roles, expected);
    let scopes = "moderator:read:followers+moderator:read:chatters+user:read:follows+moderation:read+channel:read:vips";
    for account in accounts {
        let (login, id, role) = (text(account, "login"), text(account, "id"), text(account, "role"));
        let tokens = sign_in(&client, PUBLIC_CLIENT_ID, login, scopes);
        let get = |path: String| helix(&client, PUBLIC_CLIENT_ID, text(&tokens, "access_token"), &path);
        let moderates = ["broadcaster", "moderator of burkeblack"].contains(&role);

        let followers = get(format!("channels/followers?broadcaster_id={BURKEBLACK}"));
        assert_eq!((followers.rows().is_empty(), &followers.json()["total"]), (!moderates, &json!(250_000)), "{role}");
        let own = get(format!("channels/followers?broadcaster_id={id}")).json();
        assert_eq!(own["data"].as_array().unwrap().is_empty(), own["total"] == 0, "{role}");
        let one = get(format!("channels/followers?broadcaster_id={BURKEBLACK}&user_id=1"));
        assert_eq!(one.status, if moderates { 200 } else { 401 }, "{role}");
        let chatters = get(format!("chat/chatters?broadcaster_id={BURKEBLACK}&moderator_id={id}"));
        assert_eq!(chatters.status, if moderates { 200 } else { 403 }, "{role}");
        for list in ["moderation/moderators", "channels/vips"] {
            assert_eq!(get(format!("{list}?broadcaster_id={id}")).status, 200, "{role}");
            let others = get(format!("{list}?broadcaster_id={BURKEBLACK}")).status;
            assert_eq!(others, if role == "broadcaster" { 200 } else { 401 }, "{role}");
        }
        let followed = get(format!("channels/followed?user_id={id}")).rows();
        if role.ends_with("of burkeblack") || role == "viewer" {
            assert!(followed.iter().any(|row| row["broadcaster_id"] == BURKEBLACK), "{role}");
        }
        assert_eq!(get("users".to_owned()).rows()[0]["login"], login);

        // Without the scopes.
        let tokens = sign_in(&client, PUBLIC_CLIENT_ID, login, "");
        let get = |path: String| helix(&client, PUBLIC_CLIENT_ID, text(&tokens, "access_token"), &path);
        assert!(
            get(format!("channels/followers?broadcaster_id={BURKEBLACK}"))
                .rows()
                .is_empty()
        );
        let refused = get(format!("chat/chatters?broadcaster_id={BURKEBLACK}&moderator_id={id}"));
        assert_eq!(
            (refused.status, &refused.json()["message"]),
            (401, &json!("Missing scope: moderator:read:chatters"))
        );
    }
}

#[test]
fn the_limit_is_counted_by_app_and_user() {
    let client = Client::with(Options {
        rate_limit: Some(2),
        device_interval: Duration::ZERO,
        ..Options::default()
    });
    for app in [CLIENT_ID, PUBLIC_CLIENT_ID] {
        for login in ["burkeblack", "just_a_viewer"] {
            let tokens = [sign_in(&client, app, login, ""), sign_in(&client, app, login, "")];
            let statuses: Vec<u16> = [0, 1, 0]
                .map(|index: usize| helix(&client, app, text(&tokens[index], "access_token"), "users").status)
                .into();
            assert_eq!(statuses, [200, 200, 429], "{app} {login}");
        }
    }
}
