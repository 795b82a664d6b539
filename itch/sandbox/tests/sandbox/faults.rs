//! Injected faults.

use std::{
    collections::HashSet,
    io::ErrorKind,
    time::{Duration, Instant},
};

use itch_sandbox::{Options, TOKEN};
use serde_json::Value;

use crate::client::{BURKEBLACK, Client, assert_refused};

fn followers() -> String {
    format!("channels/followers?broadcaster_id={BURKEBLACK}&first=100")
}

fn ids(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["user_id"].as_str().unwrap()).collect()
}

/// At most so many pages, as long as there is a cursor.
fn walk(client: &Client, path: &str, pages: usize) -> Vec<Vec<Value>> {
    let mut after = String::new();
    let mut walked = Vec::new();
    while walked.len() < pages {
        let answer = client.get(&format!("{path}{after}"));
        walked.push(answer.rows());
        let Some(cursor) = answer.cursor() else { break };
        after = format!("&after={cursor}");
    }
    walked
}

#[test]
fn errors_of_the_service_look_like_twitchs() {
    assert_refused(&Client::with_faults("500=1").get("users"), 500, "");
    assert_refused(&Client::with_faults("503=1").get("users"), 503, "");
    assert_refused(&Client::with_faults("expired=1").get("users"), 401, "Invalid OAuth token");
    let answer = Client::with_faults("429=1").get("users");
    assert_refused(&answer, 429, "Request limit exceeded");
    assert_eq!(answer.header("ratelimit-remaining"), Some(0));
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
    let wait = answer.header("ratelimit-reset").unwrap() - now;
    assert!((0..=3).contains(&wait), "{wait}");
    let page = Client::with_faults("html=1").get("users");
    assert_eq!((page.status, &page.text[..15]), (200, "<!DOCTYPE html>"));
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
}

#[test]
fn a_connection_is_reset() {
    let client = Client::with_faults("reset=1");
    let error = client.try_get_as(TOKEN, "users").unwrap_err();
    match error {
        ureq::Error::Io(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        error => panic!("{error:?}"),
    }
}

#[test]
fn a_body_is_cut_stalled_or_slow() {
    let whole = Client::new().get(&followers()).text;
    let error = Client::with_faults("cut=1")
        .try_get_as(TOKEN, &followers())
        .unwrap_err();
    assert!(matches!(&error, ureq::Error::Io(error) if error.kind() == ErrorKind::UnexpectedEof), "{error:?}");

    let mut client = Client::with_faults("stall=1");
    let config = ureq::Agent::config_builder().timeout_recv_body(Some(Duration::from_millis(300)));
    client.agent = config.build().new_agent();
    let error = client.try_get_as(TOKEN, &followers()).unwrap_err();
    assert!(matches!(error, ureq::Error::Timeout(ureq::Timeout::RecvBody)), "{error:?}");

    let start = Instant::now();
    assert_eq!(Client::with_faults("slow=1").get(&followers()).text, whole);
    assert!(start.elapsed() > Duration::from_millis(1_500));
}

#[test]
fn a_second_try_is_drawn_anew() {
    let client = Client::with_faults("500=0.5");
    let statuses: HashSet<u16> = (0..40).map(|_| client.get("users").status).collect();
    assert_eq!(statuses, HashSet::from([200, 500]));
}

#[test]
fn oauth_is_spared_unless_it_is_named() {
    let client = Client::with_faults("500=1,reset=1,cut=1,expired=1");
    assert_eq!(client.send("GET", "/oauth2/validate", &[], "").unwrap().status, 401);
    let client = Client::with_faults("oauth-500=1");
    let answer = client.send("GET", "/oauth2/validate", &[], "").unwrap();
    assert_eq!((answer.status, answer.text.as_str()), (500, r#"{"status":500,"message":""}"#));
    assert_eq!(client.get("users").status, 200);
}

#[test]
fn repeated_and_shifted_rows_lose_none() {
    let clean = walk(&Client::new(), &followers(), 40).concat();
    for fault in ["duplicate", "shift"] {
        let pages = walk(&Client::with_faults(&format!("{fault}=0.3")), &followers(), 40);
        let rows = pages.concat();
        let mut seen = HashSet::new();
        let once: Vec<&str> = ids(&rows).into_iter().filter(|id| seen.insert(*id)).collect();
        assert!(once.len() < rows.len(), "{fault}");
        assert_eq!(once, ids(&clean)[..once.len()], "{fault}");
        let is_short = pages.iter().any(|page| page.len() == 99);
        assert_eq!(is_short, fault == "shift");
        // Even pages of a single row make progress.
        let path = "channels/followers?broadcaster_id=100000003&first=1";
        let rows = walk(&Client::with_faults(&format!("{fault}=1")), path, 50).concat();
        assert_eq!(ids(&rows).into_iter().collect::<HashSet<_>>().len(), 3);
    }
}

#[test]
fn the_last_page_may_have_a_cursor() {
    let client = Client::with_faults("empty-last=1");
    let path = "channels/followers?broadcaster_id=100000200&first=100";
    let sizes: Vec<usize> = walk(&client, path, 9).iter().map(Vec::len).collect();
    assert_eq!(sizes, [100, 100, 0]);
}

#[test]
fn a_cursor_may_lead_to_itself() {
    let client = Client::with_faults("loop=1");
    let cursor = client.get(&followers()).cursor().unwrap();
    let next = client.get(&format!("{}&after={cursor}", followers()));
    assert_eq!(next.rows().len(), 100);
    assert_eq!(next.cursor(), Some(cursor));
}

#[test]
fn an_empty_page_may_stand_midway() {
    let client = Client::with_faults("no-rows=1");
    let pages = walk(&client, &followers(), 5);
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [100, 0, 100, 0, 100]);
    assert_eq!(pages.concat(), walk(&Client::new(), &followers(), 3).concat());
}

#[test]
fn more_users_may_be_gone_and_stay_so() {
    let client = Client::with_faults("gone=0.5");
    let rows = client.get(&followers()).rows();
    let query: Vec<String> = ids(&rows).iter().map(|id| format!("id={id}")).collect();
    let path = format!("users?{}", query.join("&"));
    let found = client.get(&path).rows();
    assert!((25..75).contains(&found.len()), "{}", found.len());
    assert_eq!(client.get(&path).rows(), found);
}

#[test]
fn latency_is_waited_for_but_not_by_the_counter() {
    let latency = Duration::from_millis(120);
    let client = Client::with(Options {
        latency,
        jitter: latency,
        ..Options::default()
    });
    let start = Instant::now();
    client.get("users");
    assert!((latency..latency * 5).contains(&start.elapsed()), "{:?}", start.elapsed());
    let start = Instant::now();
    client.send("GET", "/sandbox/requests", &[], "").unwrap();
    assert!(start.elapsed() < latency);
}

#[test]
fn many_connections_are_served_side_by_side_and_a_drop_ends_them() {
    let latency = Duration::from_millis(200);
    let client = Client::with(Options {
        latency,
        rate_limit: None,
        ..Options::default()
    });
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| assert_eq!(client.get("users").status, 200));
        }
    });
    assert!(start.elapsed() < latency * 10, "{:?}", start.elapsed());
    let address = client.sandbox.address();
    drop(client);
    assert!(std::net::TcpStream::connect(address).is_err());
}

#[test]
fn a_port_can_be_chosen_and_is_refused_when_taken() {
    let client = Client::new();
    let port = client.sandbox.address().port();
    assert!(
        itch_sandbox::Sandbox::start(Options {
            port,
            ..Options::default()
        })
        .is_err()
    );
    drop(client);
    let again = Client::with(Options {
        port,
        ..Options::default()
    });
    assert_eq!(again.sandbox.address().port(), port);
    assert_eq!(again.sandbox.base_url(), format!("http://127.0.0.1:{port}"));
    assert_eq!(again.get("users").status, 200);
    let environment: Vec<String> = again
        .sandbox
        .environment()
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let base = format!("http://127.0.0.1:{port}");
    assert_eq!(
        environment,
        [
            format!("TWITCH_HELIX_URL={base}/helix/"),
            format!("TWITCH_OAUTH2_URL={base}/oauth2/"),
            format!("TWITCH_GQL_URL={base}/gql"),
            format!("TWITCH_KRAKEN_URL={base}/kraken"),
            format!("TWITCH_TMI_URL={base}/tmi"),
            format!("TWITCH_RECHAT_URL={base}/rechat/rechat-messages"),
            format!("TWITCH_LOOTS_URL={base}/loots/api/v1/"),
            format!("TWITCH_CLIENT_ID={}", itch_sandbox::CLIENT_ID),
            format!("TWITCH_TOKEN={TOKEN}"),
        ]
    );
}
