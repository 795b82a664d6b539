//! Signing in to a sandbox as a user would: the address is opened, and the code confirmed there.

use std::io::{BufRead, BufReader, Read};

use crate::http::get;
use crate::{Folder, RunResult, Sandbox, wait};

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
    let page = get(address, &format!("{target}&{answer}"), &[]);
    assert_eq!(page.status, 200, "{}", page.body);
}

/// A folder that uses a sandbox without its token.
pub fn folder(sandbox: &Sandbox) -> Folder {
    let mut folder = Folder::new().at(sandbox);
    folder.variables.remove("TWITCH_TOKEN");
    folder
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
