//! What is sent over the network, and how often: headers, failures, limits.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use itch_api::{ErrorKind, Request, Service, Transport};
use itch_client::Client;

use crate::server::{Reply, Server};
use crate::{assert_kind, client, failure, fetch, settings, text, users};

#[test]
fn a_request_is_sent_as_asked() {
    let server = Server::start(|_| Reply::ok(r#"{"data":[]}"#));
    let client = client(&server);
    let request = Request::helix("users")
        .query("login", "a b")
        .query("id", 2)
        .query("id", 1);
    let response = fetch(&client, request).unwrap();
    assert_eq!((response.status, response.age), (200, None));
    let asked = server.asked().pop().unwrap();
    assert_eq!(asked.method, "GET");
    assert_eq!(asked.target, "/helix/users?login=a%20b&id=2&id=1");
    assert_eq!(asked.header("authorization"), "Bearer usertoken");
    assert_eq!(asked.header("client-id"), "clientid");
    let agent = asked.header("user-agent");
    assert!(agent.starts_with("itch/0."), "{agent}");
    assert!(asked.header("accept-encoding").contains("zstd"));
}

#[test]
fn the_private_service_gets_a_post_and_no_token() {
    let server = Server::start(|_| Reply::ok(r#"{"data":{"a":1}}"#));
    let mut request = Request::get(Service::Gql, "");
    request.body = Some(serde_json::json!({"query": "{ a }"}));
    fetch(&client(&server), request).unwrap();
    let asked = server.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!((asked[0].method.as_str(), asked[0].target.as_str()), ("POST", "/gql"));
    assert_eq!(asked[0].body, r#"{"query":"{ a }"}"#);
    assert_eq!(asked[0].header("authorization"), "");
}

#[test]
fn a_passing_error_in_a_success_is_sent_again() {
    let server = Server::start(|asked| {
        Reply::ok(match asked.nth {
            1 => r#"{"errors":[{"message":"service timeout"}],"data":{}}"#,
            2 => r#"{"errors":[{"message":"Cannot query field"}]}"#,
            _ => "{}",
        })
    });
    let client = client(&server);
    let mut request = Request::get(Service::Gql, "");
    request.body = Some(serde_json::json!({"query": "{ a }"}));
    let response = fetch(&client, request).unwrap();
    assert!(text(&response).contains("Cannot query field"));
    assert_eq!(client.counters().retries, 1);
}

#[test]
fn https_to_a_server_without_tls_is_a_fault() {
    let server = Server::start(|_| Reply::ok("{}"));
    let mut settings = settings(&server);
    settings.tries = 1;
    let base = server.base().replace("http:", "https:");
    settings.base_urls.insert(Service::Kraken, base);
    let client = Client::new(settings).unwrap();
    // A machine without certificates cannot even try; neither may use plain http instead.
    let error = failure(&client, Request::get(Service::Kraken, "channels/a"));
    assert!(matches!(error.kind, ErrorKind::Service | ErrorKind::Failed), "{error:#}");
    assert_eq!(server.asked().len(), 0);
}

#[test]
fn the_old_services_get_their_media_type_and_client_id() {
    let server = Server::start(|_| Reply::ok("{}"));
    let mut settings = settings(&server);
    settings.identity.client_id = Some("old".to_owned());
    let client = Client::new(settings).unwrap();
    fetch(&client, Request::get(Service::Kraken, "channels/a")).unwrap();
    let asked = server.asked().pop().unwrap();
    assert_eq!(asked.header("accept"), "application/vnd.twitchtv.v3+json");
    assert_eq!(asked.header("client-id"), "old");
}

/// Statuses of gateways and of servers that give up a slow request: none says anything about the question.
#[test]
fn statuses_that_ask_for_another_try_get_one() {
    for status in [
        408, 425, 500, 501, 502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 527,
    ] {
        let server = Server::start(move |asked| match asked.nth {
            1 => Reply::status(status, "<html>try again</html>"),
            _ => Reply::ok(r#"{"data":[1]}"#),
        });
        let client = client(&server);
        assert_eq!(text(&fetch(&client, users(1)).unwrap()), r#"{"data":[1]}"#, "{status}");
        assert_eq!(client.counters().retries, 1, "{status}");
    }
}

#[test]
fn a_byte_order_mark_is_not_part_of_an_answer() {
    let server = Server::start(|_| Reply::ok("\u{feff}{\"data\":[1]}").header("content-type", "text/plain"));
    let client = client(&server);
    assert_eq!(text(&fetch(&client, users(1)).unwrap()), r#"{"data":[1]}"#);
    assert_eq!(client.counters().retries, 0);
}

#[test]
fn what_fails_in_passing_is_sent_again() {
    let server = Server::start(|asked| match asked.nth {
        1 => Reply::status(503, r#"{"error":"Service Unavailable","status":503,"message":""}"#),
        2 => Reply::Cut("{\"data\":["),
        3 => Reply::Reset,
        _ => Reply::ok(r#"{"data":[4]}"#),
    });
    let client = client(&server);
    let response = fetch(&client, users(1)).unwrap();
    assert_eq!(text(&response), r#"{"data":[4]}"#);
    let counters = client.counters();
    assert_eq!((counters.requests, counters.retries), (5, 3));
}

#[test]
fn a_fault_that_stays_is_told_with_the_number_of_tries() {
    let server = Server::start(|_| Reply::status(500, r#"{"message":"database is down"}"#));
    let mut settings = settings(&server);
    settings.tries = 2;
    let error = failure(&Client::new(settings).unwrap(), users(1));
    assert_kind(&error, ErrorKind::Service);
    assert_eq!(error.http, Some(500));
    assert_eq!(
        format!("{error:#}"),
        "the helix service answered 500 Internal Server Error (2 tries): database is down"
    );
    assert_eq!(server.data_requests().len(), 2);
}

#[test]
fn a_stall_is_a_fault() {
    let server = Server::start(|asked| match asked.nth {
        1 => Reply::Stall,
        _ => Reply::ok("{}"),
    });
    let mut settings = settings(&server);
    settings.timeout = Duration::from_millis(300);
    let client = Client::new(settings).unwrap();
    let started = Instant::now();
    fetch(&client, users(1)).unwrap();
    assert!(started.elapsed() >= Duration::from_millis(300));
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(client.counters().retries, 1);
}

#[test]
fn html_is_no_answer() {
    let server = Server::start(|_| Reply::ok("<html>Log in to the hotel network</html>"));
    let mut settings = settings(&server);
    settings.tries = 2;
    let error = failure(&Client::new(settings).unwrap(), users(1));
    assert_kind(&error, ErrorKind::BadData);
    assert_eq!(error.message, "the helix service answered HTML, not JSON (2 tries)");
}

#[test]
fn nobody_there() {
    let server = Server::start(|_| Reply::ok("{}"));
    let mut settings = settings(&server);
    settings.tries = 1;
    let nowhere = "http://127.0.0.1:1".to_owned();
    settings.base_urls.insert(Service::Helix, nowhere);
    let error = failure(&Client::new(settings).unwrap(), users(1));
    assert_kind(&error, ErrorKind::Service);
    assert_eq!(error.message, "the helix service could not be reached (1 try)");
    assert_eq!(error.causes.len(), 2, "{error:#}");
    assert!(error.causes[1].contains("refused"), "{error:#}");
    assert!(error.hint.unwrap().contains("-c file"));
}

#[test]
fn a_redirect_is_not_followed() {
    let server = Server::start(|_| Reply::status(302, "").header("location", "/elsewhere"));
    let error = failure(&client(&server), users(1));
    assert_kind(&error, ErrorKind::Service);
    assert_eq!(error.http, Some(302));
    assert_eq!(server.data_requests(), ["/helix/users?id=1"]);
}

#[test]
fn a_refusal_is_an_answer() {
    let server = Server::start(|_| Reply::status(404, r#"{"message":"no such user"}"#));
    let client = client(&server);
    let response = fetch(&client, users(1)).unwrap();
    assert_eq!(response.status, 404);
    assert_eq!(client.counters().retries, 0);
}

#[test]
fn the_limit_is_waited_for_and_costs_no_try() {
    let server = Server::start(|asked| {
        let reset = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 1;
        let limit = |reply: Reply, remaining: u32| {
            reply
                .header("ratelimit-limit", 800)
                .header("ratelimit-remaining", remaining)
                .header("ratelimit-reset", reset)
        };
        match asked.nth {
            1..=2 => limit(Reply::status(429, r#"{"error":"Too Many Requests"}"#), 0),
            _ => limit(Reply::ok("{}"), 799),
        }
    });
    let mut settings = settings(&server);
    settings.tries = 1;
    let client = Client::new(settings).unwrap();
    let ticket = client.start(users(1)).unwrap();
    let started = Instant::now();
    while client.waiting_until().is_none() {
        assert!(started.elapsed() < Duration::from_secs(2));
        std::thread::sleep(Duration::from_millis(1));
    }
    let until = client.waiting_until().unwrap();
    assert!(until <= SystemTime::now() + Duration::from_millis(1200));
    assert_eq!(client.wait(ticket).unwrap().status, 200);
    assert_eq!(client.counters().retries, 0);
    assert!(client.counters().limit_waits >= 2);
    assert_eq!(client.waiting_until(), None);
}

#[test]
fn a_burst_does_not_overshoot_the_limit() {
    // Two points, and no more for a minute: further requests must wait.
    let server = Server::start(|asked| {
        let reset = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 60;
        std::thread::sleep(Duration::from_millis(30));
        Reply::ok("{}")
            .header("ratelimit-limit", 3)
            .header("ratelimit-remaining", 3usize.saturating_sub(asked.nth))
            .header("ratelimit-reset", reset)
    });
    let client = client(&server);
    fetch(&client, users(0)).unwrap();
    let tickets: Vec<_> = (1..20).map(|id| client.start(users(id)).unwrap()).collect();
    client.wait_any(&tickets).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(server.data_requests().len(), 3);
}

#[test]
fn requests_run_side_by_side_but_not_more_than_allowed() {
    let now = Arc::new(AtomicUsize::new(0));
    let most = Arc::new(Mutex::new(0));
    let (counted, highest) = (Arc::clone(&now), Arc::clone(&most));
    let server = Server::start(move |_| {
        let at_once = counted.fetch_add(1, Ordering::SeqCst) + 1;
        let mut most = highest.lock().unwrap();
        *most = at_once.max(*most);
        drop(most);
        std::thread::sleep(Duration::from_millis(50));
        counted.fetch_sub(1, Ordering::SeqCst);
        Reply::ok("{}")
    });
    let mut settings = settings(&server);
    settings.connections = 5;
    let client = Client::new(settings).unwrap();
    let tickets: Vec<_> = (0..20).map(|id| client.start(users(id)).unwrap()).collect();
    for ticket in tickets {
        client.wait(ticket).unwrap();
    }
    assert_eq!(*most.lock().unwrap(), 5);
}
