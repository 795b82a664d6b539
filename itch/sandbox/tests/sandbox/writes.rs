//! The endpoints that write, and what is read afterwards.

use itch_sandbox::{CLIENT_ID, TOKEN, TOKEN_VIEWER, TOKEN_WITHOUT_SCOPES};

use crate::client::{Answer, BURKEBLACK, Client, assert_refused};

fn write(client: &Client, token: &str, method: &str, path: &str, body: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [("Authorization", bearer.as_str()), ("Client-Id", CLIENT_ID)];
    client.send(method, &format!("/helix/{path}"), &headers, body).unwrap()
}

#[test]
fn an_account_is_blocked_and_unblocked() {
    let client = Client::new();
    let list = format!("users/blocks?broadcaster_id={BURKEBLACK}");
    let block = |token: &str, method: &str, id: &str| {
        write(&client, token, method, &format!("users/blocks?target_user_id={id}"), "")
    };
    assert!(client.rows(&list).is_empty());
    for _ in 0..2 {
        let answer = block(TOKEN, "PUT", "100000003");
        assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    }
    let rows = client.rows(&list);
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0]["user_id"], &rows[0]["user_login"]), (&"100000003".into(), &"followers_3".into()));
    assert_refused(&block(TOKEN_WITHOUT_SCOPES, "PUT", "100000100"), 401, "Missing scope: user:manage:blocked_users");
    assert_refused(
        &block(TOKEN, "PUT", "x"),
        400,
        "The parameter \"target_user_id\" was malformed: value must be a numeric",
    );
    assert_refused(&block(TOKEN, "PUT", BURKEBLACK), 400, "You cannot block yourself.");
    assert_refused(&block(TOKEN, "PATCH", "100000003"), 404, "");
    let message = "The ID in broadcaster_id must match the user ID found in the request's OAuth token.";
    client.refuses(TOKEN_VIEWER, &list, 401, message);
    assert_eq!(block(TOKEN, "DELETE", "100000003").status, 204);
    assert!(client.rows(&list).is_empty());
}

#[test]
fn an_account_is_banned_once() {
    let client = Client::new();
    let place = format!("broadcaster_id={BURKEBLACK}&moderator_id={BURKEBLACK}");
    let ban = |token: &str, body: &str| write(&client, token, "POST", &format!("moderation/bans?{place}"), body);
    let body = r#"{"data":{"user_id":"100000003","duration":60,"reason":"test"}}"#;
    let made = ban(TOKEN, body).rows();
    assert_eq!(made[0]["end_time"], "2026-11-01T00:01:00Z");
    assert_refused(&ban(TOKEN, body), 400, "The user specified in the user_id field is already banned.");
    assert_refused(&ban(TOKEN, "{}"), 400, "Invalid request body.");
    assert_refused(&ban(TOKEN, r#"{"data":{"user_id":100000100}}"#), 400, "Invalid request body.");
    assert_refused(&ban(TOKEN_WITHOUT_SCOPES, body), 401, "Missing scope: moderator:manage:banned_users");
    let message = "The ID in moderator_id must match the user ID found in the request's OAuth token.";
    assert_refused(&ban(TOKEN_VIEWER, body), 401, message);
    let elsewhere = format!("moderation/bans?broadcaster_id=110000000&moderator_id={BURKEBLACK}");
    assert_eq!(write(&client, TOKEN, "POST", &elsewhere, body).status, 403);
    let rows = client.rows(&format!("moderation/banned?broadcaster_id={BURKEBLACK}"));
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0]["user_login"], &rows[0]["reason"]), (&"followers_3".into(), &"test".into()));
    let unban = format!("moderation/bans?{place}&user_id=100000003");
    assert_eq!(write(&client, TOKEN, "DELETE", &unban, "").status, 204);
    assert_eq!(write(&client, TOKEN, "DELETE", &unban, "").status, 400);
    assert_eq!(write(&client, TOKEN, "GET", &unban, "").status, 404);
}
