//! Signing in to `itch sandbox` as any client does: the device code grant over plain sockets.

use itch_tests::{Sandbox, eventually, http};
use serde_json::{Value, json};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body[name].as_str().unwrap_or_else(|| panic!("{name}: {body}"))
}

#[test]
fn a_device_signs_in_and_its_token_expires_and_is_renewed() {
    let sandbox = Sandbox::start(&["--device-interval", "0", "--token-life", "300ms"]);
    let (address, app) = (sandbox.address(), Sandbox::PUBLIC_CLIENT_ID);
    let form = format!("client_id={app}&scopes=moderator%3Aread%3Afollowers");
    let device = http::post(address, "/oauth2/device", &form).json();
    assert_eq!((&device["expires_in"], &device["interval"]), (&json!(1_800), &json!(0)));
    let poll = format!("client_id={app}&device_code={}&grant_type={GRANT}", text(&device, "device_code"));
    let pending = http::post(address, "/oauth2/token", &poll);
    assert_eq!((pending.status, text(&pending.json(), "message")), (400, "authorization_pending"));

    // The page as a browser would use it.
    let page = text(&device, "verification_uri").strip_prefix(&format!("http://{address}"));
    let page = http::get(address, page.unwrap(), &[]);
    assert!(
        page.body
            .contains("<button name=\"login\" value=\"burkeblack\">BurkeBlack</button>"),
        "{}",
        page.body
    );
    let form = format!("device-code={}&login=burkeblack", text(&device, "user_code"));
    assert_eq!(http::post(address, "/activate", &form).status, 200);

    let granted = http::post(address, "/oauth2/token", &poll);
    assert!(granted.headers.contains(&"content-type: application/json".to_owned()), "{:?}", granted.headers);
    let tokens = granted.json();
    assert_eq!((&tokens["scope"], &tokens["expires_in"]), (&json!(["moderator:read:followers"]), &json!(1)));
    let followers = |tokens: &Value| {
        let bearer = format!("Authorization: Bearer {}", text(tokens, "access_token"));
        let client = format!("Client-Id: {app}");
        let path = "/helix/channels/followers?broadcaster_id=76725499";
        http::get(address, path, &[&bearer, &client]).status
    };
    assert_eq!(followers(&tokens), 200);
    eventually("the end of the token", || followers(&tokens) == 401);

    let renew = format!("client_id={app}&grant_type=refresh_token&refresh_token={}", text(&tokens, "refresh_token"));
    let renewed = http::post(address, "/oauth2/token", &renew).json();
    assert_eq!(followers(&renewed), 200);
    let again = http::post(address, "/oauth2/token", &renew);
    assert_eq!(again.json(), json!({ "status": 400, "message": "Invalid refresh token" }));

    let events = sandbox.token_events();
    let names: Vec<&str> = events.iter().map(|event| text(event, "event")).collect();
    let expected = [
        "device",
        "approved",
        "issued",
        "answer_sent",
        "refreshed",
        "answer_sent",
        "invalid_refresh",
    ];
    assert_eq!(names, expected);
    assert_eq!(events[4]["refresh"], events[2]["new_refresh"]);
    let refreshed = sandbox.requests().of("/oauth2/token");
    assert_eq!(refreshed, 4);
}
