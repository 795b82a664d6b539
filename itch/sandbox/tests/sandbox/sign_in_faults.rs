//! Faults of signing in: what a device and a renewal have to bear.

use std::collections::HashSet;

use itch_sandbox::{CLIENT_ID, CLIENT_SECRET, PUBLIC_CLIENT_ID};
use serde_json::{Value, json};

use crate::client::Client;
use crate::sign_in::{device, events, names, poll, post, quick_with_faults, refresh, refused, sign_in, text};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

fn approve(client: &Client, device: &Value) {
    let page = client.open(&format!("/activate?device-code={}&login=burkeblack", text(device, "user_code")));
    assert_eq!(page.status, 200);
}

#[test]
fn the_answer_of_a_refresh_may_be_lost() {
    let client = quick_with_faults("oauth-lost=1");
    let tokens = sign_in(&client, PUBLIC_CLIENT_ID, "burkeblack", "");
    let token = text(&tokens, "refresh_token");
    let form = format!("client_id={PUBLIC_CLIENT_ID}&grant_type=refresh_token&refresh_token={token}");
    let lost = client.send("POST", "/oauth2/token", &[FORM], &form);
    assert!(matches!(lost, Err(ureq::Error::Io(_))), "{lost:?}");
    // The service has accepted it, so it is void.
    refused(&refresh(&client, PUBLIC_CLIENT_ID, "", token), 400, "Invalid refresh token");
    let events = events(&client);
    let expected = [
        "device",
        "approved",
        "issued",
        "answer_sent",
        "refreshed",
        "answer_broken",
        "invalid_refresh",
    ];
    assert_eq!(names(&events), expected);
    assert_eq!(events[5]["new_refresh"], events[4]["new_refresh"]);
}

#[test]
fn a_poll_may_fail_and_the_code_stays_valid() {
    let client = quick_with_faults("oauth-poll=0.8");
    let device = device(&client, PUBLIC_CLIENT_ID, "");
    approve(&client, &device);
    let form = format!("client_id={PUBLIC_CLIENT_ID}&device_code={}", text(&device, "device_code"));
    let form = form + "&grant_type=urn:ietf:params:oauth:grant-type:device_code";
    let mut seen = HashSet::new();
    for _ in 0..200 {
        match client.send("POST", "/oauth2/token", &[FORM], &form) {
            Ok(answer) if answer.text.starts_with("{\"access_token\"") => {
                seen.insert("token");
            }
            // These are final only with the service's own JSON.
            Ok(answer) if [400, 401, 403].contains(&answer.status) => {
                if answer.text == r#"{"status":400,"message":"invalid device code"}"# {
                    assert!(seen.contains("token"));
                } else {
                    assert!(!answer.text.starts_with('{'), "{}", answer.text);
                    seen.insert(if answer.text.is_empty() {
                        "nothing"
                    } else {
                        "refusal of a proxy"
                    });
                }
            }
            Ok(answer) if answer.status == 200 => {
                assert!(answer.text.starts_with("<html>"), "{}", answer.text);
                seen.insert("page");
            }
            Ok(answer) => {
                assert!([404, 408, 425, 429].contains(&answer.status) || answer.status >= 500, "{answer:?}");
                seen.insert("status");
            }
            Err(ureq::Error::Io(_)) => {
                seen.insert("reset");
            }
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(seen, ["token", "nothing", "refusal of a proxy", "page", "status", "reset"].into());
}

#[test]
fn a_valid_code_may_be_refused_three_times_at_first() {
    let client = quick_with_faults("oauth-device=1");
    let waiting = device(&client, PUBLIC_CLIENT_ID, "");
    for _ in 0..3 {
        refused(&poll(&client, PUBLIC_CLIENT_ID, &waiting), 400, "invalid device code");
    }
    for _ in 0..2 {
        refused(&poll(&client, PUBLIC_CLIENT_ID, &waiting), 400, "authorization_pending");
    }
    approve(&client, &waiting);
    assert_eq!(poll(&client, PUBLIC_CLIENT_ID, &waiting).status, 200);
}

#[test]
fn the_list_of_scopes_may_be_missing_or_empty() {
    let client = quick_with_faults("oauth-scope=1");
    let scoped = sign_in(&client, PUBLIC_CLIENT_ID, "burkeblack", "user:read:follows");
    assert_eq!(scoped.get("scope"), None);
    let mut token = text(&sign_in(&client, PUBLIC_CLIENT_ID, "burkeblack", ""), "refresh_token").to_owned();
    let mut seen = HashSet::new();
    for _ in 0..30 {
        let renewed = refresh(&client, PUBLIC_CLIENT_ID, "", &token).json();
        seen.insert(renewed.get("scope").map(Value::to_string));
        token = text(&renewed, "refresh_token").to_owned();
    }
    let expected = [None, Some(json!([])), Some(json!([""]))];
    assert_eq!(seen, expected.map(|scope| scope.map(|scope| scope.to_string())).into());
}

#[test]
fn a_refusal_may_have_a_reason_as_well() {
    let client = quick_with_faults("oauth-odd=1");
    let refusals: HashSet<String> = (0..30)
        .map(|_| refresh(&client, PUBLIC_CLIENT_ID, "", "unknown"))
        .inspect(|answer| assert_eq!(answer.status, 400))
        .map(|answer| answer.text)
        .collect();
    let plain = r#"{"status":400,"message":"Invalid refresh token"}"#;
    let reasoned = r#"{"status":400,"message":"Invalid refresh token","error":"Bad Request"}"#;
    assert_eq!(refusals, [plain, reasoned].map(str::to_owned).into());
}

#[test]
fn a_server_error_may_repeat_what_was_sent() {
    let client = quick_with_faults("echo=1");
    let secret = "0123456789abcdefghij0123456789abcdefghij0123456789";
    let form = format!("client_id={PUBLIC_CLIENT_ID}&grant_type=refresh_token&refresh_token={secret}");
    let told = |form: &str| post(&client, "/oauth2/token", form).text.contains(secret);
    assert!((0..20).any(|_| told(&form)));
    // An app token is issued as ever.
    let form = format!("client_id={CLIENT_ID}&client_secret={CLIENT_SECRET}&grant_type=client_credentials");
    assert_eq!(post(&client, "/oauth2/token", &form).status, 200);
}
