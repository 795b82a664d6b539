//! Bodies that are compressed, cut, odd or huge.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use itch_api::ErrorKind;
use itch_client::Client;

use crate::server::{Reply, Server};
use crate::stores::Memory;
use crate::{assert_kind, client, failure, fetch, settings, text, users};

const DATA: &str = r#"{"data":[1,2]}"#;

fn gzip(part: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(part).unwrap();
    encoder.finish().unwrap()
}

/// Two members, one after the other.
fn two_members() -> Vec<u8> {
    let (start, end) = DATA.as_bytes().split_at(5);
    [gzip(start), gzip(end)].concat()
}

#[test]
fn an_answer_may_be_packed_and_named_in_many_ways() {
    let chunks = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n\
                  5\r\n{\"dat\r\n9;a=b\r\na\":[1,2]}\r\n0\r\nx-sum: 7\r\n\r\n";
    for (name, head, body) in [
        ("two members", "content-encoding: gzip\r\n", two_members()),
        ("a wrong type", "content-encoding: gzip\r\ncontent-type: image/png\r\n", gzip(DATA.as_bytes())),
        ("no type", "", DATA.into()),
        ("not packed", "content-encoding: gzip\r\n", DATA.into()),
        ("followed by zeros", "content-encoding: gzip\r\n", [two_members(), vec![0; 9]].concat()),
        ("not declared", "content-type: application/gzip\r\n", two_members()),
        ("the old name", "content-encoding: x-gzip\r\n", gzip(DATA.as_bytes())),
        ("an unknown coding", "content-encoding: utf-8\r\n", DATA.into()),
        ("packed twice", "content-encoding: gzip\r\n", gzip(&two_members())),
        ("a mark inside", "content-encoding: gzip\r\n", gzip(format!("\u{feff}{DATA}").as_bytes())),
        ("chunks and a trailer", "", Vec::new()),
    ] {
        let reply = match body.is_empty() {
            true => chunks.as_bytes().to_vec(),
            false => match Reply::bytes(head, &body) {
                Reply::Raw(bytes) => bytes,
                _ => unreachable!(),
            },
        };
        let server = Server::start(move |_| Reply::Raw(reply.clone()));
        let client = client(&server);
        let response = fetch(&client, users(1)).unwrap_or_else(|error| panic!("{name}: {error:#}"));
        assert_eq!(text(&response), DATA, "{name}");
        assert_eq!(client.counters().retries, 0, "{name}");
    }
}

#[test]
fn a_body_that_is_not_as_it_says_is_a_fault_that_may_pass() {
    for (name, head, body, message) in [
        (
            "not brotli",
            "content-encoding: br\r\n",
            vec![0xff; 40],
            "the helix service answered with a body that is not compressed as it says (1 try)",
        ),
        (
            "not zstd",
            "content-encoding: zstd\r\n",
            DATA.into(),
            "the helix service answered with a body that is not compressed as it says (1 try)",
        ),
        (
            "cut gzip",
            "content-encoding: gzip\r\n",
            gzip(DATA.as_bytes())[..20].to_vec(),
            "the helix service answered broken gzip, not JSON (1 try)",
        ),
        ("nothing", "", Vec::new(), "the helix service answered nothing, not JSON (1 try)"),
        ("spaces", "", b" \r\n".to_vec(), "the helix service answered nothing, not JSON (1 try)"),
        (
            "deflate that nobody asked for",
            "content-encoding: deflate\r\n",
            vec![0x78, 0x9c],
            "the helix service answered text, not JSON (1 try)",
        ),
    ] {
        let bad = body.clone();
        let server = Server::start(move |_| Reply::bytes(head, &bad));
        let mut once = settings(&server);
        once.tries = 1;
        assert_eq!(failure(&Client::new(once).unwrap(), users(1)).message, message, "{name}");
        let server = Server::start(move |asked| match asked.nth {
            1 => Reply::bytes(head, &body),
            _ => Reply::ok(DATA),
        });
        assert_eq!(text(&fetch(&client(&server), users(1)).unwrap()), DATA, "{name}");
    }
}

#[test]
fn no_content_is_an_answer() {
    let server = Server::start(|_| Reply::Raw(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()));
    let response = fetch(&client(&server), users(1)).unwrap();
    assert_eq!((response.status, response.body.len()), (204, 0));
}

#[test]
fn an_odd_text_does_not_fail_a_page_and_is_stored_as_repaired() {
    for (body, expected) in [
        (&b"{\"data\":[{\"name\":\"a\\ud83d\"}]}"[..], "{\"data\":[{\"name\":\"a\\ufffd\"}]}"),
        (b"{\"data\":[{\"name\":\"a\xff\"}]}", "{\"data\":[{\"name\":\"a\u{fffd}\"}]}"),
        (
            b"{\"data\":[{\"name\":\"a\x01\", \"n\": NaN}]}",
            "{\"data\":[{\"name\":\"a\\u0001\", \"n\": null}]}",
        ),
        // What parses is not touched, and neither is a pair.
        (b"{\"data\":[{\"name\":\"\\ud83d\\ude00\"}]}", "{\"data\":[{\"name\":\"\\ud83d\\ude00\"}]}"),
    ] {
        let server = Server::start(move |_| Reply::bytes("", body));
        let store = Memory::default();
        let client = || {
            let mut settings = settings(&server);
            settings.caches = store.named("memory");
            Client::new(settings).unwrap()
        };
        let first = client();
        assert_eq!(text(&fetch(&first, users(1)).unwrap()), expected);
        assert_eq!(first.counters().retries, 0);
        let stored = fetch(&client(), users(1)).unwrap();
        assert!(stored.from_cache());
        assert_eq!(text(&stored), expected);
    }
}

#[test]
fn what_cannot_be_repaired_is_a_fault() {
    let server = Server::start(|_| Reply::bytes("", b"{\"data\":[{\"name\":\"a\xff\"}"));
    let mut settings = settings(&server);
    settings.tries = 2;
    let error = failure(&Client::new(settings).unwrap(), users(1));
    assert_kind(&error, ErrorKind::BadData);
    assert_eq!(error.message, "the helix service answered broken JSON, not JSON (2 tries)");
}

#[test]
fn an_answer_that_unpacks_to_too_much_is_refused_at_once() {
    let chunk = vec![b' '; 1 << 20];
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    for _ in 0..200 {
        encoder.write_all(&chunk).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 2 << 20);
    for head in ["content-encoding: gzip\r\n", ""] {
        let bomb = bomb.clone();
        let server = Server::start(move |_| Reply::bytes(head, &bomb));
        let error = failure(&client(&server), users(1));
        assert_kind(&error, ErrorKind::BadData);
        assert_eq!(error.message, "an answer of the helix service to `/helix/users` is, unpacked, larger than 64 MiB");
        assert_eq!(server.data_requests().len(), 1);
    }
}
