//! `/oauth2/token` and `/oauth2/validate`.

use itch_sandbox::{CLIENT_ID, CLIENT_SECRET, TOKEN, TOKEN_EXPIRED, TOKEN_VIEWER, TOKEN_WITHOUT_SCOPES};
use serde_json::json;

use crate::client::{Answer, BURKEBLACK, Client};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

fn form(client_id: &str, secret: &str, grant_type: &str) -> String {
    format!("client_id={client_id}&client_secret={secret}&grant_type={grant_type}")
}

#[track_caller]
fn assert_oauth_refused(answer: &Answer, status: u16, message: &str) {
    assert_eq!(answer.json(), json!({ "status": status, "message": message }));
    assert_eq!(answer.status, status);
    assert_eq!(answer.headers["content-type"], "application/json");
}

#[test]
fn an_app_token_is_issued_and_works() {
    let client = Client::new();
    let good = form(CLIENT_ID, CLIENT_SECRET, "client_credentials");
    let in_body = client.send("POST", "/oauth2/token", &[FORM], &good).unwrap();
    let in_query = client.send("POST", &format!("/oauth2/token?{good}"), &[], "").unwrap();
    for answer in [&in_body, &in_query] {
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["content-type"], "application/json");
        let body = answer.json();
        assert_eq!(body.as_object().unwrap().len(), 3);
        assert_eq!((&body["expires_in"], &body["token_type"]), (&json!(5_011_271), &json!("bearer")));
    }
    let token = in_body.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(token.len(), 30);
    assert_ne!(in_query.json()["access_token"], token.as_str());

    let bearer = format!("OAuth {token}");
    let validation = client.send("GET", "/oauth2/validate", &[("Authorization", &bearer)], "");
    let validation = validation.unwrap().json();
    assert_eq!(validation["client_id"], CLIENT_ID);
    assert_eq!(validation["scopes"], json!([]));
    assert_eq!(validation.get("login").or(validation.get("user_id")), None);
    assert!((5_011_260..=5_011_271).contains(&validation["expires_in"].as_u64().unwrap()));

    assert_eq!(client.get_as(&token, "users?login=burkeblack").rows().len(), 1);
    client.refuses(&token, "users", 400, "Must provide an ID, Login or OAuth Token");
    let counted = client.get_as(&token, &format!("channels/followers?broadcaster_id={BURKEBLACK}"));
    assert_eq!(counted.text, r#"{"total":250000,"data":[],"pagination":{}}"#);
}

#[test]
fn a_bad_token_request_is_refused() {
    let client = Client::new();
    let post = |body: &str| client.send("POST", "/oauth2/token", &[FORM], body).unwrap();
    let grant = "client_credentials";
    assert_oauth_refused(&post(""), 400, "missing client id");
    assert_oauth_refused(&post(&form("unknown", CLIENT_SECRET, grant)), 400, "invalid client");
    assert_oauth_refused(&post(&form(CLIENT_ID, "", grant)), 400, "missing client secret");
    assert_oauth_refused(&post(&form(CLIENT_ID, "wrong", grant)), 403, "invalid client secret");
    assert_oauth_refused(&post(&form(CLIENT_ID, CLIENT_SECRET, "")), 400, "missing grant type");
    let other = form(CLIENT_ID, CLIENT_SECRET, "password");
    assert_oauth_refused(&post(&other), 400, "invalid grant type");
    let scoped = form(CLIENT_ID, CLIENT_SECRET, grant) + "&scope=user:read:email+x";
    assert_oauth_refused(&post(&scoped), 400, "invalid scope requested: 'x'");
    let huge = "x".repeat(100_000);
    assert_oauth_refused(&post(&huge), 400, "invalid body");
    let get = client.send("GET", "/oauth2/token", &[], "").unwrap();
    assert_oauth_refused(&get, 404, "not found");
    let unknown = client.send("GET", "/oauth2/nothing", &[], "").unwrap();
    assert_oauth_refused(&unknown, 404, "not found");
}

#[test]
fn a_token_tells_whose_it_is() {
    let client = Client::new();
    let validate = |authorization: &str| {
        client
            .send("GET", "/oauth2/validate", &[("Authorization", authorization)], "")
            .unwrap()
    };
    for (token, login, user_id) in [
        (TOKEN, "burkeblack", BURKEBLACK),
        (TOKEN_WITHOUT_SCOPES, "burkeblack", BURKEBLACK),
        (TOKEN_VIEWER, "just_a_viewer", "130000000"),
    ] {
        for scheme in ["OAuth", "Bearer"] {
            let answer = validate(&format!("{scheme} {token}"));
            assert_eq!(answer.headers["content-type"], "application/json");
            let body = answer.json();
            assert_eq!(body["client_id"], CLIENT_ID);
            assert_eq!((&body["login"], &body["user_id"]), (&json!(login), &json!(user_id)));
            let scopes = body["scopes"].as_array().unwrap();
            assert_eq!(scopes.is_empty(), token == TOKEN_WITHOUT_SCOPES);
            assert_eq!(scopes.contains(&json!("moderator:read:followers")), token != TOKEN_WITHOUT_SCOPES);
            assert!(body["expires_in"].as_u64().unwrap() > 0);
        }
    }
    let missing = client.send("GET", "/oauth2/validate", &[], "").unwrap();
    assert_oauth_refused(&missing, 401, "missing authorization token");
    for bad in [format!("OAuth {TOKEN_EXPIRED}"), "OAuth nonsense".to_owned()] {
        assert_oauth_refused(&validate(&bad), 401, "invalid access token");
    }
}
