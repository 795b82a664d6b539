//! Tickets: sharing, waiting, abandoning, cancelling, dropping.

use std::time::{Duration, Instant};

use itch_api::{Fact, Transport};
use itch_client::Client;

use crate::server::{Reply, Server};
use crate::stores::Memory;
use crate::{client, fetch, settings, text, users};

fn slow(delay: u64) -> Server {
    Server::start(move |asked| {
        std::thread::sleep(Duration::from_millis(delay));
        Reply::ok(format!("{{\"n\":{}}}", asked.nth))
    })
}

#[test]
fn equal_requests_share_one_answer() {
    let server = slow(50);
    let client = client(&server);
    let tickets: Vec<_> = (0..10).map(|_| client.start(users(1)).unwrap()).collect();
    let other = client.start(users(1).fresh()).unwrap();
    for ticket in tickets {
        client.wait(ticket).unwrap();
    }
    client.wait(other).unwrap();
    // A request that accepts no stored answer shares only with requests that accept none either.
    assert_eq!(server.data_requests().len(), 2);
    fetch(&client, users(1)).unwrap();
    assert_eq!(server.data_requests().len(), 3);
}

#[test]
fn the_first_to_end_is_named() {
    let server = Server::start(|asked| {
        let slow = asked.target.ends_with("id=1");
        std::thread::sleep(Duration::from_millis(if slow { 400 } else { 20 }));
        Reply::ok(format!("{{\"slow\":{slow}}}"))
    });
    let client = client(&server);
    let tickets = [users(1), users(2)].map(|request| client.start(request).unwrap());
    assert_eq!(client.wait_any(&tickets).unwrap(), 1);
    assert_eq!(text(&client.wait(tickets[1]).unwrap()), "{\"slow\":false}");
    assert_eq!(text(&client.wait(tickets[0]).unwrap()), "{\"slow\":true}");
    assert!(client.wait(tickets[0]).is_err());
}

#[test]
fn cancelling_wakes_every_waiter_at_once() {
    let server = slow(3000);
    let client = client(&server);
    let tickets: Vec<_> = (0..5).map(|id| client.start(users(id)).unwrap()).collect();
    let started = Instant::now();
    std::thread::scope(|scope| {
        let waiters: Vec<_> = tickets
            .iter()
            .map(|ticket| scope.spawn(|| client.wait(*ticket)))
            .collect();
        std::thread::sleep(Duration::from_millis(100));
        assert!(!client.cancelled());
        client.cancel();
        for waiter in waiters {
            assert!(waiter.join().unwrap().unwrap_err().is_cancelled());
        }
    });
    assert!(started.elapsed() < Duration::from_secs(1));
    assert!(client.cancelled());
    assert!(client.start(users(9)).unwrap_err().is_cancelled());
}

#[test]
fn what_has_arrived_can_be_taken_after_cancelling() {
    let server = slow(0);
    let client = client(&server);
    let ticket = client.start(users(1)).unwrap();
    client.wait_any(&[ticket]).unwrap();
    client.cancel();
    assert!(client.wait(ticket).is_ok());
}

#[test]
fn a_request_that_nobody_wants_is_given_up_and_blocks_nobody() {
    let server = Server::start(|asked| match asked.target.ends_with("id=1") {
        true => Reply::Stall,
        false => Reply::ok("{}"),
    });
    let mut settings = settings(&server);
    settings.connections = 1;
    let client = Client::new(settings).unwrap();
    let stalled = client.start(users(1)).unwrap();
    while server.data_requests().is_empty() {
        std::thread::sleep(Duration::from_millis(1));
    }
    client.abandon(stalled);
    let started = Instant::now();
    fetch(&client, users(2)).unwrap();
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[test]
fn dropping_hangs_on_nothing_and_keeps_what_is_being_stored() {
    let server = slow(10);
    let store = Memory {
        delay: Duration::from_millis(150),
        ..Memory::default()
    };
    let mut settings = settings(&server);
    settings.caches = store.named("memory");
    let client = Client::new(settings).unwrap();
    let answered = client.start(users(1)).unwrap();
    while server.data_requests().is_empty() {
        std::thread::sleep(Duration::from_millis(1));
    }
    // The answer arrives, and is being stored when the client is dropped.
    std::thread::sleep(Duration::from_millis(100));
    client.abandon(answered);
    let never = client.start(users(2)).unwrap();
    let _ = never;
    let started = Instant::now();
    drop(client);
    assert!(started.elapsed() < Duration::from_millis(1200));
    assert_eq!(store.len(), 1);
}

#[test]
fn facts_are_kept() {
    let server = slow(0);
    let client = client(&server);
    client.api().note(Fact::Repeated { n: 3 });
    assert_eq!(client.facts(), [Fact::Repeated { n: 3 }]);
}
