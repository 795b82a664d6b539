//! Rate limits: refusals with and without a reason, how long they are waited for, and who is told.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use itch_api::{ErrorKind, Request, Service, Transport};
use itch_client::{Client, Settings, WaitReason};

use crate::server::{Reply, Server};
use crate::{assert_kind, failure, fetch, settings, users};

fn refusal() -> Reply {
    Reply::status(429, r#"{"error":"Too Many Requests","status":429,"message":"Request limit exceeded"}"#)
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn with(server: &Server, change: impl FnOnce(&mut Settings)) -> Client {
    let mut settings = settings(server);
    change(&mut settings);
    Client::new(settings).unwrap()
}

fn gql(n: usize) -> Request {
    let mut request = Request::get(Service::Gql, "");
    request.body = Some(serde_json::json!({"query": "{ a }", "variables": {"n": n}}));
    request
}

#[test]
fn a_refusal_with_points_left_is_tried_again_soon_and_costs_no_try() {
    let server = Server::start(|asked| {
        let reply = if asked.nth <= 3 { refusal() } else { Reply::ok("{}") };
        reply
            .header("ratelimit-limit", 800)
            .header("ratelimit-remaining", 799)
            .header("ratelimit-reset", now() + 60)
    });
    let client = with(&server, |settings| settings.tries = 1);
    let started = Instant::now();
    assert_eq!(fetch(&client, users(1)).unwrap().status, 200);
    // 125 to 250 ms, twice as much, and twice as much again.
    let took = started.elapsed();
    assert!(took >= Duration::from_millis(875) && took < Duration::from_secs(4), "{took:?}");
}

#[test]
fn a_reset_in_milliseconds_is_understood() {
    let server = Server::start(|asked| match asked.nth {
        1 => refusal()
            .header("ratelimit-remaining", 0)
            .header("ratelimit-reset", (now() + 1) * 1000),
        _ => Reply::ok("{}"),
    });
    let started = Instant::now();
    fetch(&with(&server, |_| {}), users(1)).unwrap();
    assert!(started.elapsed() < Duration::from_secs(3));
}

#[test]
fn garbage_in_the_headers_is_ignored() {
    let server = Server::start(|asked| {
        let reply = if asked.nth == 1 { refusal() } else { Reply::ok("{}") };
        reply
            .header("ratelimit-limit", "many")
            .header("ratelimit-remaining", "-7")
            .header("ratelimit-reset", "tomorrow")
            .header("retry-after", "NaN")
    });
    let started = Instant::now();
    fetch(&with(&server, |_| {}), users(1)).unwrap();
    fetch(&with(&server, |_| {}), users(2)).unwrap();
    assert!(started.elapsed() < Duration::from_secs(3));
}

/// A service that answers four requests at once and refuses more, without a word.
#[test]
fn a_service_that_refuses_connections_gets_fewer() {
    let in_flight = Arc::new(AtomicUsize::new(0));
    let refused = Arc::new(AtomicUsize::new(0));
    let (counted, refusals) = (Arc::clone(&in_flight), Arc::clone(&refused));
    let server = Server::start(move |_| {
        let at_once = counted.fetch_add(1, Ordering::SeqCst) + 1;
        std::thread::sleep(Duration::from_millis(5));
        counted.fetch_sub(1, Ordering::SeqCst);
        match at_once > 4 {
            true => {
                refusals.fetch_add(1, Ordering::SeqCst);
                refusal()
            }
            false => Reply::ok(r#"{"data":{"a":1}}"#),
        }
    });
    let client = with(&server, |_| {});
    let started = Instant::now();
    let tickets: Vec<_> = (0..200).map(|n| client.start(gql(n)).unwrap()).collect();
    for ticket in tickets {
        assert_eq!(client.wait(ticket).unwrap().status, 200);
    }
    let (took, refused) = (started.elapsed(), refused.load(Ordering::SeqCst));
    assert!(took < Duration::from_secs(8), "{took:?}, {refused} refused");
    assert!(refused < 60, "{refused} refused");
}

#[test]
fn a_service_that_only_refuses_ends_the_request_in_time() {
    for headers in [false, true] {
        let server = Server::start(move |_| match headers {
            false => refusal(),
            true => refusal()
                .header("ratelimit-remaining", 5)
                .header("ratelimit-reset", now() + 5),
        });
        let client = with(&server, |settings| settings.max_wait = Duration::from_secs(1));
        let started = Instant::now();
        let error = failure(&client, users(1));
        assert!(started.elapsed() < Duration::from_secs(2));
        assert_kind(&error, ErrorKind::RateLimited);
        assert_eq!(error.http, Some(429));
        assert_eq!(error.message, "the helix service did not answer `helix users?id=1`: its rate limit is reached");
        assert!(error.causes[0].ends_with("and `--max-wait` is 1 s"), "{error:#}");
        assert!(error.hint.unwrap().contains("--max-wait"));
    }
}

#[test]
fn answers_to_others_do_not_keep_a_refused_request_waiting_for_ever() {
    let server = Server::start(|asked| match asked.target.ends_with("id=1") {
        true => refusal(),
        false => Reply::ok("{}"),
    });
    let client = with(&server, |settings| settings.max_wait = Duration::from_secs(1));
    let ticket = client.start(users(1)).unwrap();
    let started = Instant::now();
    let mut n = 2;
    let done = std::thread::scope(|scope| {
        let waiter = scope.spawn(|| client.wait(ticket));
        while !waiter.is_finished() && started.elapsed() < Duration::from_secs(5) {
            let _ = fetch(&client, users(n));
            n += 1;
        }
        client.cancel();
        waiter.join().unwrap()
    });
    assert_kind(&done.unwrap_err(), ErrorKind::RateLimited);
    assert!(started.elapsed() < Duration::from_secs(4));
    assert!(n > 2);
}

#[test]
fn a_wait_that_is_longer_than_allowed_is_not_begun() {
    for (status, header, kind) in [
        (429, "retry-after", ErrorKind::RateLimited),
        (503, "retry-after", ErrorKind::Service),
    ] {
        let server = Server::start(move |_| Reply::status(status, "{}").header(header, 3600));
        let client = with(&server, |_| {});
        let started = Instant::now();
        let error = failure(&client, users(1));
        assert_kind(&error, kind);
        assert_eq!(error.causes.last().unwrap(), "the next wait would be 60 min, and `--max-wait` is 15 min");
        assert!(started.elapsed() < Duration::from_secs(1));
        assert_eq!(server.data_requests().len(), 1);
    }
}

/// Each answer begins a new account: waits between pages are not added up.
#[test]
fn waits_between_answers_are_not_added_up() {
    let server = Server::start(|asked| match asked.nth % 2 {
        1 => refusal().header("retry-after", "0.4"),
        _ => Reply::ok("{}"),
    });
    let client = with(&server, |settings| settings.max_wait = Duration::from_millis(700));
    let started = Instant::now();
    for id in 0..4 {
        fetch(&client, users(id)).unwrap();
    }
    assert!(started.elapsed() > Duration::from_millis(1500));
}

#[test]
fn a_long_wait_is_told_once_however_many_wait() {
    let told = Arc::<Mutex<Vec<String>>>::default();
    let kept = Arc::clone(&told);
    let server = Server::start(|asked| match asked.nth {
        1 => Reply::ok("{}"),
        _ => Reply::status(503, "{}").header("retry-after", 20),
    });
    let client = with(&server, |settings| {
        settings.notice = Arc::new(move |line| kept.lock().unwrap().push(line.to_owned()));
    });
    fetch(&client, users(0)).unwrap();
    for id in 1..6 {
        client.start(users(id)).unwrap();
    }
    let started = Instant::now();
    while server.data_requests().len() < 6 || client.waiting().is_none() {
        assert!(started.elapsed() < Duration::from_secs(5));
        std::thread::sleep(Duration::from_millis(5));
    }
    let wait = client.waiting().unwrap();
    assert_eq!((wait.service, wait.reason), (Service::Helix, WaitReason::Retry));
    std::thread::sleep(Duration::from_millis(50));
    client.cancel();
    assert_eq!(*told.lock().unwrap(), ["waiting 20 s before the helix service is tried again"]);
}
