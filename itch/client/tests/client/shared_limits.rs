//! Rate limits that several clients share through files.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use itch_api::{ErrorKind, Request, Service, Transport};
use itch_client::Client;

use crate::server::{Reply, Server};
use crate::{assert_kind, failure, fetch, settings, users};

/// A server that counts a bucket of so many points, which are refilled in a minute.
fn counting(points: usize) -> (Server, Arc<Mutex<usize>>) {
    let counted = Arc::new(Mutex::new(0));
    let count = Arc::clone(&counted);
    let server = Server::start(move |_| {
        let mut count = count.lock().unwrap();
        *count += 1;
        let reset = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 60;
        Reply::ok(r#"{"data":[]}"#)
            .header("ratelimit-limit", points)
            .header("ratelimit-remaining", points.saturating_sub(*count))
            .header("ratelimit-reset", reset)
    });
    (server, counted)
}

#[test]
fn clients_share_the_points_and_give_them_back() {
    let (server, counted) = counting(10);
    let folder = tempfile::tempdir().unwrap();
    let client = || {
        let mut settings = settings(&server);
        settings.shared_limits = Some(folder.path().join("limits"));
        settings.max_wait = Duration::from_secs(1);
        Client::new(settings).unwrap()
    };
    let first = client();
    for n in 0..6 {
        fetch(&first, users(n)).unwrap();
    }
    // The other four belong to the first for some seconds: for longer than the second would wait.
    let second = client();
    let error = failure(&second, users(10));
    assert_kind(&error, ErrorKind::RateLimited);
    assert_eq!(*counted.lock().unwrap(), 6);
    // It does not wait for its turn any more, and the first gives its points back.
    drop(first);
    let third = client();
    for n in 20..24 {
        fetch(&third, users(n)).unwrap();
    }
    assert_kind(&failure(&third, users(24)), ErrorKind::RateLimited);
    assert_eq!(*counted.lock().unwrap(), 10);
    // Other services have no part in it.
    fetch(&third, Request::get(Service::Tmi, "group/user/a/chatters")).unwrap();
}

#[test]
fn a_directory_that_cannot_be_used_is_a_warning_once() {
    let (server, counted) = counting(800);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("limits"), "").unwrap();
    let warnings = Arc::<Mutex<Vec<String>>>::default();
    let mut settings = settings(&server);
    settings.shared_limits = Some(folder.path().join("limits"));
    let kept = Arc::clone(&warnings);
    settings.warn = Arc::new(move |text| kept.lock().unwrap().push(text.to_owned()));
    let client = Client::new(settings).unwrap();
    let tickets: Vec<_> = (0..50).map(|n| client.start(users(n)).unwrap()).collect();
    for ticket in tickets {
        client.wait(ticket).unwrap();
    }
    assert_eq!(*counted.lock().unwrap(), 50);
    let warnings = warnings.lock().unwrap();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].starts_with("the rate limit is not shared with other processes of itch"), "{warnings:?}");
}
