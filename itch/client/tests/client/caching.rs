//! Stored answers: hits, walks, offline, broken values, failing stores.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use itch_api::{Chain, ErrorKind, Freshness, PageShape, Policy, Request, Service, Transport};
use itch_client::{Client, Settings};
use itch_plugin::StoredValue;

use crate::server::{Reply, Server};
use crate::stores::{Failing, Memory};
use crate::{assert_kind, failure, fetch, settings, text, users};

/// Answers each request with its number.
fn counting() -> Server {
    Server::start(|asked| Reply::ok(format!("{{\"n\":{}}}", asked.nth)))
}

fn with(server: &Server, store: &Memory, change: impl FnOnce(&mut Settings)) -> Client {
    let mut settings = settings(server);
    settings.caches = store.named("memory");
    change(&mut settings);
    Client::new(settings).unwrap()
}

fn page(chain: Chain) -> Request {
    users(100 + u32::try_from(chain.page).unwrap()).chain(chain)
}

#[test]
fn a_hit_needs_no_request_at_all() {
    let (server, store) = (counting(), Memory::default());
    let first = with(&server, &store, |_| {});
    let fetched = fetch(&first, users(1)).unwrap();
    assert_eq!(first.counters().cache_stored, 1);
    assert_eq!(first.counters().cache_misses, 1);
    let before = server.asked().len();

    // Not even a validation: the user is not needed.
    let second = with(&server, &store, |_| {});
    let stored = fetch(&second, users(1)).unwrap();
    assert_eq!(stored.body, fetched.body);
    assert!(stored.age.unwrap() < Duration::from_secs(5));
    assert_eq!(server.asked().len(), before);
    let counters = second.counters();
    assert_eq!((counters.requests, counters.cache_hits), (0, 1));
}

#[test]
fn freshness_decides() {
    let (server, store) = (counting(), Memory::default());
    let n = |change: fn(&mut Settings), request: Request| {
        let client = with(&server, &store, change);
        text(&fetch(&client, request).unwrap()).to_owned()
    };
    assert_eq!(n(|_| {}, users(1)), "{\"n\":1}");
    assert_eq!(n(|_| {}, users(1)), "{\"n\":1}");
    assert_eq!(n(|_| {}, users(1).fresh()), "{\"n\":2}");
    assert_eq!(n(|_| {}, users(1)), "{\"n\":2}");
    assert_eq!(n(|settings| settings.refresh = true, users(1)), "{\"n\":3}");
    let asked = users(1).max_age(Duration::ZERO);
    std::thread::sleep(Duration::from_millis(5));
    assert_eq!(n(|_| {}, asked.clone()), "{\"n\":4}");
    let lenient = |settings: &mut Settings| settings.max_age = Some(Duration::from_secs(86_400));
    assert_eq!(n(lenient, asked), "{\"n\":4}");
    let strict = with(&server, &store, |settings| {
        settings.max_age = Some(Duration::ZERO);
    });
    std::thread::sleep(Duration::from_millis(5));
    fetch(&strict, users(1)).unwrap();
    assert_eq!(strict.counters().cache_expired, 1);
}

#[test]
fn a_walk_is_all_stored_or_all_fresh() {
    let (server, store) = (counting(), Memory::default());
    let walk = |client: &Client, pages: u64, first_fresh: bool| -> Vec<bool> {
        let mut chain = Chain::start();
        (0..pages)
            .map(|place| {
                let mut request = page(chain);
                if place == 0 && first_fresh {
                    request = request.fresh();
                }
                chain = chain.next();
                fetch(client, request).unwrap().from_cache()
            })
            .collect()
    };
    let client = with(&server, &store, |_| {});
    assert_eq!(walk(&client, 3, false), [false, false, false]);
    assert_eq!(walk(&client, 3, false), [true, true, true]);
    // The first page is fetched, so all pages are, although the others are stored and fresh.
    assert_eq!(walk(&client, 3, true), [false, false, false]);
    // An interrupted walk continues where it ended.
    assert_eq!(walk(&client, 5, false), [true, true, true, false, false]);
    // Later pages follow a stored first page at any age.
    std::thread::sleep(Duration::from_millis(5));
    let mut chain = Chain::start();
    assert!(fetch(&client, page(chain)).unwrap().from_cache());
    chain = chain.next();
    let old = page(chain).max_age(Duration::ZERO);
    assert!(fetch(&client, old).unwrap().from_cache());
}

/// Answers as long as the switch is on.
fn breakable() -> (Server, Arc<std::sync::atomic::AtomicBool>) {
    let up = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let is_up = Arc::clone(&up);
    let server = Server::start(move |asked| match is_up.load(std::sync::atomic::Ordering::Relaxed) {
        true => Reply::ok(format!("{{\"n\":{}}}", asked.nth)),
        false => Reply::status(503, ""),
    });
    (server, up)
}

#[test]
fn an_old_answer_stands_in_for_a_service_that_gave_out() {
    use std::sync::atomic::Ordering;
    let (server, up) = breakable();
    let store = Memory::default();
    let hour = Duration::from_secs(3600);
    fetch(&with(&server, &store, |_| {}), users(1)).unwrap();
    std::thread::sleep(Duration::from_millis(5));
    let lenient = |beyond: Option<Duration>, tries: u32| {
        with(&server, &store, move |settings| {
            settings.max_age = Some(Duration::ZERO);
            settings.stale_if_error = beyond;
            settings.tries = tries;
        })
    };
    // As long as the service answers, no old answer is used.
    let client = lenient(Some(hour), 1);
    assert!(!fetch(&client, users(1)).unwrap().from_cache());
    assert_eq!(client.counters().cache_stale, 0);

    up.store(false, Ordering::Relaxed);
    std::thread::sleep(Duration::from_millis(5));
    let client = lenient(Some(hour), 1);
    let old = fetch(&client, users(1)).unwrap();
    assert!(old.from_cache());
    let counters = client.counters();
    assert_eq!((counters.cache_stale, counters.cache_hits), (1, 0));
    assert!(counters.cache_stale_age_ms >= 5);
    // A request without a stored answer is still an error, and so is an answer older than allowed.
    assert_kind(&failure(&client, users(2)), ErrorKind::Service);
    assert_kind(&failure(&lenient(None, 1), users(1)), ErrorKind::Service);
    let strict = lenient(Some(Duration::from_millis(1)), 1);
    assert_kind(&failure(&strict, users(1)), ErrorKind::Service);

    // One wait for the service is enough.
    let client = lenient(Some(hour), 1);
    fetch(&client, users(1)).unwrap();
    let before = server.data_requests().len();
    fetch(&client, users(1)).unwrap();
    assert_eq!(server.data_requests().len(), before);
}

#[test]
fn a_walk_that_began_over_the_wire_takes_no_old_page() {
    use std::sync::atomic::Ordering;
    let (server, up) = breakable();
    let store = Memory::default();
    let begin = Chain::start();
    let fill = with(&server, &store, |_| {});
    fetch(&fill, page(begin)).unwrap();
    fetch(&fill, page(begin.next())).unwrap();
    let lenient = || {
        with(&server, &store, |settings| {
            settings.refresh = true;
            settings.stale_if_error = Some(Duration::from_secs(3600));
            settings.tries = 1;
        })
    };
    let client = lenient();
    let walk = Chain::start();
    assert!(!fetch(&client, page(walk)).unwrap().from_cache());
    up.store(false, Ordering::Relaxed);
    assert_kind(&failure(&client, page(walk.next())), ErrorKind::Service);
    // A walk that began with an old page continues with old pages, even when the service is back.
    let client = lenient();
    let walk = Chain::start();
    assert!(fetch(&client, page(walk)).unwrap().from_cache());
    up.store(true, Ordering::Relaxed);
    assert!(fetch(&client, page(walk.next())).unwrap().from_cache());
}

#[test]
fn a_value_that_a_store_cannot_hold_is_counted() {
    let server = counting();
    let store = Memory {
        most_bytes: Some(10),
        ..Memory::default()
    };
    let client = with(&server, &store, |_| {});
    fetch(&client, users(1)).unwrap();
    let counters = client.counters();
    assert_eq!((counters.cache_too_large, counters.cache_stored), (1, 0));
    assert_eq!(counters.cache_errors, 0);
}

#[test]
fn offline_takes_any_age_and_never_the_network() {
    let (server, store) = (counting(), Memory::default());
    fetch(&with(&server, &store, |_| {}), users(1)).unwrap();
    let before = server.asked().len();
    let client = with(&server, &store, |settings| {
        settings.offline = true;
        settings.identity.token = None;
        settings.max_age = Some(Duration::ZERO);
    });
    assert!(fetch(&client, users(1).fresh()).unwrap().from_cache());
    let error = failure(&client, users(2));
    assert_kind(&error, ErrorKind::OfflineMiss);
    assert_eq!(error.message, "there is no stored answer to `helix users?id=2`");
    // Twitch cannot be asked for the user: a miss, not a validation.
    let error = failure(&client, Request::helix("channels/followers"));
    assert_kind(&error, ErrorKind::OfflineMiss);
    assert_eq!(server.asked().len(), before);
}

#[test]
fn errors_and_hidden_rows_are_not_stored() {
    let server = Server::start(|asked| match asked.target.as_str() {
        "/helix/users?id=1" => Reply::status(404, r#"{"error":"Not Found"}"#),
        "/helix/users?id=2" => Reply::ok(r#"{"error":"Not Found","status":404}"#),
        _ => Reply::ok(r#"{"total":9,"data":[],"pagination":{}}"#),
    });
    let store = Memory::default();
    let client = with(&server, &store, |_| {});
    fetch(&client, users(1)).unwrap();
    fetch(&client, users(2)).unwrap();
    fetch(&client, Request::helix("channels/followers").query("broadcaster_id", 1)).unwrap();
    assert_eq!(store.len(), 0);
    assert_eq!(client.counters().cache_not_stored, 2);
}

/// A plugin sets the policy for an endpoint that itch does not know.
#[test]
fn a_policy_comes_with_the_request() {
    let server = Server::start(|asked| match asked.target.as_str() {
        "/helix/hidden?id=1" => Reply::ok(r#"{"total":9,"data":[]}"#),
        _ => Reply::ok(r#"{"data":[1]}"#),
    });
    let store = Memory::default();
    let ask = |path: &str, policy: Option<Policy>| {
        let mut request = Request::helix(path).query("id", 1);
        request.policy = policy;
        let client = with(&server, &store, |_| {});
        (fetch(&client, request).unwrap().from_cache(), client.counters())
    };
    let (day, none) = (Duration::from_secs(86_400), Duration::ZERO);
    // A shared answer is found without asking for the user; an answer without a policy belongs to a user.
    assert!(!ask("own", Some(Policy::everybody(day))).0);
    let (stored, counters) = ask("own", Some(Policy::everybody(day)));
    assert_eq!((stored, counters.requests), (true, 0));
    assert!(!ask("own", None).0);
    assert!(ask("own", None).0);
    assert_eq!(store.len(), 2);
    std::thread::sleep(Duration::from_millis(5));
    assert!(!ask("own", Some(Policy::everybody(none))).0);
    // Followers stay private to a user, whatever policy a plugin sets.
    ask("channels/followers", None);
    assert_eq!(store.len(), 3);
    assert!(ask("channels/followers", Some(Policy::everybody(day))).0);
    assert_eq!(store.len(), 3);
    ask("hidden", Some(Policy::user(day).rows_hidden()));
    assert_eq!(store.len(), 3);
}

/// Every page of a growing list is stored except the last, which the policy identifies.
#[test]
fn the_last_page_of_what_grows_is_not_stored() {
    let server = Server::start(|asked| {
        Reply::ok(match asked.target.as_str() {
            "/helix/own?page=1" => r#"{"rows":[1],"more":true}"#,
            _ => r#"{"rows":[1],"more":false}"#,
        })
    });
    let store = Memory::default();
    let shape = PageShape {
        list: "/rows".into(),
        rows: "/rows".into(),
        more: "/more".into(),
    };
    let policy = Policy::everybody(Duration::from_secs(60)).page(shape);
    let ask = |page: u32, policy: &Option<Policy>| {
        let mut request = Request::helix("own").query("page", page).freshness(Freshness::Growing);
        request.policy = policy.clone();
        fetch(&with(&server, &store, |_| {}), request).unwrap();
        store.len()
    };
    assert_eq!(ask(1, &None), 0, "whether this page is the last is unknown");
    assert_eq!(ask(2, &Some(policy.clone())), 0);
    assert_eq!(ask(1, &Some(policy)), 1);
}

#[test]
fn what_is_broken_is_fetched_again_and_healed() {
    let (server, store) = (counting(), Memory::default());
    let run = || {
        let client = with(&server, &store, |_| {});
        let response = fetch(&client, users(1)).unwrap();
        (response.from_cache(), client.counters().cache_corrupt)
    };
    assert_eq!(run(), (false, 0));
    let breakages: [fn(&mut Vec<u8>); 4] = [
        |bytes| bytes.truncate(bytes.len() / 2),
        |bytes| bytes[40] ^= 1,
        |bytes| bytes.clear(),
        |bytes| *bytes = b"not an entry".to_vec(),
    ];
    for breakage in breakages {
        store.spoil(breakage);
        assert_eq!(run(), (false, 1));
        assert_eq!(run(), (true, 0));
    }
}

#[test]
fn an_old_error_replays_as_that_error() {
    use std::io::Write;
    let (server, store) = (counting(), Memory::default());
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    zlib.write_all(br#"{"message":"gone","status":404,"error":"Not Found"}"#)
        .unwrap();
    let value = StoredValue {
        bytes: zlib.finish().unwrap(),
        modified: Some(std::time::UNIX_EPOCH),
    };
    // SHA-256 of `https://api.twitch.tv/kraken/channels/burkeblack|[]`.
    let key = "5acbf29b89a29420092fa49572b781dc41528bb86d98dbb271e5d4cf9f618625";
    store.values.lock().unwrap().insert(key.to_owned(), value);
    let client = with(&server, &store, |settings| {
        settings.base_urls.remove(&Service::Kraken);
        settings.offline = true;
    });
    let response = fetch(&client, Request::get(Service::Kraken, "channels/burkeblack")).unwrap();
    assert_eq!(response.status, 404);
    assert!(response.age.unwrap() > Duration::from_secs(86_400));
    let error = response.refusal(Service::Kraken);
    assert_kind(&error, ErrorKind::NotFound);
}

#[test]
fn nearer_stores_are_filled_from_farther_ones() {
    let server = counting();
    let (near, far) = (Memory::default(), Memory::default());
    fetch(&with(&server, &far, |_| {}), users(1)).unwrap();
    let both = |settings: &mut Settings| {
        settings.caches = [near.named("near"), far.named("far")].into_iter().flatten().collect();
    };
    let client = with(&server, &near, both);
    assert!(fetch(&client, users(1)).unwrap().from_cache());
    assert_eq!(near.len(), 1);
    fetch(&client, users(2)).unwrap();
    assert_eq!((near.len(), far.len()), (2, 2));
}

fn warnings(settings: &mut Settings) -> Arc<Mutex<Vec<String>>> {
    let warnings = Arc::<Mutex<Vec<String>>>::default();
    let kept = Arc::clone(&warnings);
    settings.warn = Arc::new(move |line| kept.lock().unwrap().push(line.to_owned()));
    warnings
}

#[test]
fn a_failing_store_is_left_behind_with_one_warning() {
    let server = counting();
    let failing = Failing::default();
    let mut settings = settings(&server);
    let warned = warnings(&mut settings);
    settings.caches = vec![("file".to_owned(), Box::new(failing.clone()))];
    let client = Client::new(settings).unwrap();
    let tickets: Vec<_> = (0..5).map(|id| client.start(users(id)).unwrap()).collect();
    for ticket in tickets {
        assert_eq!(client.wait(ticket).unwrap().status, 200);
    }
    assert_eq!(*warned.lock().unwrap(), ["cache file: the disk is full; going on without it"]);
    assert_eq!(*failing.calls.lock().unwrap(), 1);
}

#[test]
fn a_failing_store_is_an_error_where_that_was_asked_for() {
    let server = counting();
    let mut settings = settings(&server);
    let warned = warnings(&mut settings);
    settings.cache_strict = true;
    settings.caches = vec![("file".to_owned(), Box::new(Failing::default()))];
    let client = Client::new(settings).unwrap();
    for id in 0..2 {
        let error = failure(&client, users(id));
        assert_kind(&error, ErrorKind::Service);
        assert_eq!(format!("{error:#}"), "the cache `file` failed: the disk is full");
    }
    assert!(warned.lock().unwrap().is_empty());
    assert_eq!(server.data_requests().len(), 0);
}

#[test]
fn a_store_that_hangs_costs_less_than_a_second_in_all() {
    let server = counting();
    let store = Memory {
        delay: Duration::from_secs(3),
        ..Memory::default()
    };
    let mut settings = settings(&server);
    let warned = warnings(&mut settings);
    settings.caches = store.named("redis");
    let client = Client::new(settings).unwrap();
    let started = Instant::now();
    let tickets: Vec<_> = (0..9).map(|id| client.start(users(id)).unwrap()).collect();
    for ticket in tickets {
        client.wait(ticket).unwrap();
    }
    drop(client);
    assert!(started.elapsed() < Duration::from_millis(1500));
    assert_eq!(*warned.lock().unwrap(), ["cache redis: it did not answer in time; going on without it"]);
}

#[test]
fn a_slow_store_in_high_demand_is_not_a_failing_one() {
    let server = counting();
    let store = Memory {
        delay: Duration::from_millis(20),
        ..Memory::default()
    };
    let mut settings = settings(&server);
    let warned = warnings(&mut settings);
    settings.caches = store.named("redis");
    let client = Client::new(settings).unwrap();
    let tickets: Vec<_> = (0..40).map(|id| client.start(users(id)).unwrap()).collect();
    for ticket in tickets {
        client.wait(ticket).unwrap();
    }
    assert_eq!(store.len(), 40);
    assert!(warned.lock().unwrap().is_empty());
}

#[test]
fn the_sandbox_has_keys_of_its_own_that_survive_its_port() {
    let store = Memory::default();
    let run = |sandbox: Option<&str>| {
        let server = counting();
        let client = with(&server, &store, |settings| {
            settings.sandbox = sandbox.map(str::to_owned);
        });
        fetch(&client, users(1)).unwrap().from_cache()
    };
    assert!(!run(Some("7,1")));
    assert!(run(Some("7,1")));
    assert!(!run(Some("8,1")));
    // Another server at another port is a different address.
    assert!(!run(None));
    assert!(!run(None));
}
