//! Renewals that are killed, interrupted or run at the same time: the refresh token of a public application works once.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::Duration;

use itch_tests::accounts::{folder, log_in};
use itch_tests::{Folder, Sandbox, Signal, signal, wait};
use serde_json::Value;
use sha2::{Digest, Sha256};

const RUN: [&str; 4] = ["followers", "-l", "1", "burkeblack"];

/// The refresh token in the account file, as the sandbox's log names it.
fn stored(folder: &Folder) -> String {
    let file: Value = serde_json::from_str(&folder.read("data/itch/accounts.json")).unwrap();
    let token = file["accounts"][0]["refresh_token"].as_str().unwrap().to_owned();
    let digest = Sha256::digest(token.as_bytes());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The refresh token that the service gave last, and the one that it replaced.
fn last(sandbox: &Sandbox) -> (String, Option<String>) {
    let events = sandbox.token_events();
    let given = events
        .iter()
        .rev()
        .find(|event| event["new_refresh"].is_string())
        .unwrap();
    let text = |name: &str| given[name].as_str().map(str::to_owned);
    (text("new_refresh").unwrap(), text("refresh"))
}

/// A number below a bound.
fn random(bound: u64) -> u64 {
    RandomState::new().hash_one(0u8) % bound
}

#[test]
fn a_sign_in_survives_every_kill_but_one_between_the_answer_and_the_file() {
    let sandbox = Sandbox::start(&["--device-interval", "0s", "--token-life", "1s", "--latency", "4ms"]);
    let folder = folder(&sandbox);
    log_in(&folder, "login=burkeblack", &[]).exits(0);
    let mut lost = 0;
    for _ in 0..200 {
        let mut child = folder.command(&RUN).spawn().unwrap();
        std::thread::sleep(Duration::from_micros(random(60_000)));
        let _ = child.kill();
        child.wait().unwrap();
        let (given, replaced) = last(&sandbox);
        let stored = stored(&folder);
        if stored == given {
            continue;
        }
        // The service accepted the stored token, and the program was killed before the new one was on the disk.
        assert_eq!(Some(stored), replaced);
        lost += 1;
        let ran = folder.itch(&RUN);
        ran.exits(4)
            .says("an earlier request to renew it was accepted, but its answer was lost");
        ran.says("hint: itch login --as burkeblack\n");
        log_in(&folder, "login=burkeblack", &["--as", "burkeblack"]).exits(0);
    }
    folder.itch(&RUN).succeeds();
    assert!(lost < 100, "{lost} of 200");
}

#[test]
fn signals_wait_for_a_renewal() {
    let sandbox = Sandbox::start(&["--device-interval", "0s", "--token-life", "1s", "--latency", "30ms"]);
    let folder = folder(&sandbox);
    log_in(&folder, "login=burkeblack", &[]).exits(0);
    for round in 0..30 {
        let kind = [Signal::INT, Signal::TERM, Signal::HUP][round % 3];
        let child = folder.command(&RUN).spawn().unwrap();
        std::thread::sleep(Duration::from_micros(20_000 + random(120_000)));
        signal(child.id(), kind);
        // Every other time a second one, which ends the program at once.
        if round % 2 == 1 {
            signal(child.id(), kind);
        }
        wait(child);
        assert_eq!(stored(&folder), last(&sandbox).0, "round {round}");
    }
    folder.itch(&RUN).succeeds();
}

#[test]
fn two_processes_renew_an_expired_token_once() {
    let sandbox = Sandbox::start(&["--device-interval", "0s", "--token-life", "2s"]);
    let folder = folder(&sandbox);
    log_in(&folder, "login=burkeblack", &[]).exits(0);
    std::thread::sleep(Duration::from_millis(2100));
    let renewals = || {
        let events = sandbox.token_events();
        events.iter().filter(|event| event["event"] == "refreshed").count()
    };
    let before = renewals();
    let children: Vec<_> = (0..4).map(|_| folder.command(&RUN).spawn().unwrap()).collect();
    for child in children {
        folder.ran(wait(child), &RUN).succeeds();
    }
    assert_eq!(renewals(), before + 1);
}

#[test]
fn how_long_a_renewal_took_is_logged() {
    let sandbox = Sandbox::start(&["--device-interval", "0s", "--token-life", "1s"]);
    let folder = folder(&sandbox);
    log_in(&folder, "login=burkeblack", &[]).exits(0);
    std::thread::sleep(Duration::from_millis(1000));
    let ran = folder.itch(&["-v", "followers", "-l", "1", "burkeblack"]);
    let mut lines = ran.exits(0).stderr.lines();
    let line = lines.find(|line| line.contains("renewed the token of burkeblack: on the disk after "));
    assert!(line.is_some(), "{}", ran.stderr);
}
