//! A server that records its requests exactly.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use itch_tests::{Folder, Sandbox};
use serde_json::Value;

/// Requests a path, and returns the status and the body.
pub(crate) fn get(address: &str, target: &str, host: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

/// One recorded request.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) target: String,
    headers: Vec<(String, String)>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

/// A server that records its requests. A request that `answer` does not answer is passed to the sandbox.
pub(crate) struct Recorder {
    address: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Recorder {
    pub(crate) fn before(sandbox: &Sandbox) -> Recorder {
        Recorder::start(Some(sandbox.address().to_owned()), |_| None)
    }

    pub(crate) fn of(answer: impl Fn(&str) -> Value + Send + Sync + 'static) -> Recorder {
        Recorder::start(None, move |target| Some((200, "application/json", answer(target).to_string())))
    }

    pub(crate) fn start(
        behind: Option<String>,
        answer: impl Fn(&str) -> Option<(u16, &'static str, String)> + Send + Sync + 'static,
    ) -> Recorder {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let seen = Arc::<Mutex<Vec<Seen>>>::default();
        let recorder = Recorder {
            address: address.clone(),
            seen: Arc::clone(&seen),
        };
        let answer = Arc::new(answer);
        // The threads end with the process.
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                let (behind, address) = (behind.clone(), address.clone());
                std::thread::spawn(move || {
                    let Some(request) = read_request(&stream) else {
                        return;
                    };
                    let target = request.target.clone();
                    seen.lock().unwrap().push(request);
                    let (status, kind, body) = answer(&target).unwrap_or_else(|| {
                        let (status, body) = get(behind.as_ref().unwrap(), &target, &address);
                        (status, "application/json", body)
                    });
                    let head = format!(
                        "HTTP/1.1 {status} x\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                        body.len()
                    );
                    let _ = (&stream).write_all(&[head.as_bytes(), body.as_bytes()].concat());
                });
            }
        });
        recorder
    }

    /// Host and port.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// A folder whose commands use this server, without other variables.
    pub(crate) fn folder(&self) -> Folder {
        let at = |path: &str| format!("http://{}{path}", self.address);
        Folder::new()
            .variable("TWITCH_KRAKEN_URL", at("/kraken"))
            .variable("TWITCH_TMI_URL", at("/tmi"))
            .variable("TWITCH_RECHAT_URL", at("/rechat/rechat-messages"))
            .variable("TWITCH_LOOTS_URL", at("/loots/api/v1/"))
    }

    /// The requests since the last call.
    pub(crate) fn taken(&self) -> Vec<Seen> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }

    pub(crate) fn targets(&self) -> Vec<String> {
        self.taken().into_iter().map(|seen| seen.target).collect()
    }
}

fn read_request(stream: &TcpStream) -> Option<Seen> {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let target = lines.next()?.split(' ').nth(1)?.to_owned();
    let headers = lines.take_while(|line| !line.is_empty()).map(|line| {
        let (name, value) = line.split_once(':').unwrap();
        (name.to_ascii_lowercase(), value.trim().to_owned())
    });
    Some(Seen {
        target,
        headers: headers.collect(),
    })
}
