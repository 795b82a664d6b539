//! The smallest HTTP client: one request over a plain socket, so that no library hides what a service sends.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The header lines, as they were sent.
    pub headers: Vec<String>,
    /// The body.
    pub body: String,
}

impl Answer {
    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// Sends a GET.
pub fn get(address: &str, path: &str, headers: &[&str]) -> Answer {
    send(address, &format!("GET {path}"), headers, "")
}

/// Sends a form as a POST.
pub fn post(address: &str, path: &str, form: &str) -> Answer {
    let headers = ["Content-Type: application/x-www-form-urlencoded"];
    send(address, &format!("POST {path}"), &headers, form)
}

fn send(address: &str, line: &str, headers: &[&str], body: &str) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut request = format!("{line} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n");
    for header in headers {
        request.push_str(&format!("{header}\r\n"));
    }
    request.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    stream.write_all(request.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").expect("a body");
    let mut lines = head.lines().map(str::to_owned);
    let status = lines.next().unwrap_or_default();
    Answer {
        status: status.split(' ').nth(1).expect("a status").parse().unwrap(),
        headers: lines.collect(),
        body: body.to_owned(),
    }
}
