//! Signing in to a sandbox as a user would: the address is opened, and the code confirmed there.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

use crate::{Folder, RunResult, Sandbox, wait};

/// Asks a server on this machine for a page, and returns its status line and body.
pub fn get(address: &str, target: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    write!(stream, "GET {target} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").expect("a body");
    (head.lines().next().unwrap_or_default().to_owned(), body.to_owned())
}

/// The address in a line of `itch login`, if it has one.
pub fn address_in(line: &str) -> Option<String> {
    let start = line.find("http://")?;
    let rest = &line[start..];
    let end = rest.find(|c: char| c.is_whitespace()).unwrap_or(rest.len());
    Some(rest[..end].to_owned())
}

/// Confirms a code as an account of the sandbox; `answer` is `login=NAME` or `deny=1`.
pub fn confirm(uri: &str, answer: &str) {
    let rest = uri.strip_prefix("http://").unwrap();
    let (address, target) = rest.split_at(rest.find('/').unwrap());
    let (status, page) = get(address, &format!("{target}&{answer}"));
    assert!(status.contains(" 200 "), "{status}: {page}");
}

/// The events about tokens that a sandbox recorded.
pub fn token_events(sandbox: &Sandbox) -> Vec<Value> {
    let (_, body) = get(sandbox.address(), "/sandbox/tokens");
    serde_json::from_str(&body).unwrap()
}

/// A folder that uses a sandbox without its token, and with the application that has no secret.
pub fn folder(sandbox: &Sandbox) -> Folder {
    let mut folder = Folder::new().at(sandbox);
    folder.variables.remove("TWITCH_TOKEN");
    folder.variable("TWITCH_CLIENT_ID", Sandbox::PUBLIC_CLIENT_ID)
}

/// Runs `itch login`, and confirms the code with this answer.
pub fn log_in(folder: &Folder, answer: &str, arguments: &[&str]) -> RunResult {
    let mut all = vec!["login"];
    all.extend(arguments);
    let mut child = folder.command(&all).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    loop {
        let mut line = String::new();
        if stderr.read_line(&mut line).unwrap() == 0 {
            break;
        }
        said.push_str(&line);
        if let Some(uri) = address_in(&line) {
            confirm(&uri, answer);
            break;
        }
    }
    let rest = std::thread::spawn(move || {
        let mut rest = String::new();
        stderr.read_to_string(&mut rest).map(|_| rest)
    });
    let mut ran = folder.ran(wait(child), &all);
    ran.stderr = said + &rest.join().unwrap().unwrap();
    ran
}
