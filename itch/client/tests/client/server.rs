//! An HTTP/1.1 server on loopback whose answers, including broken ones, are defined by each test.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names in lower case.
    pub headers: HashMap<String, String>,
    pub body: String,
    /// Its number among the requests with the same path, from 1.
    pub nth: usize,
}

impl Asked {
    pub fn is(&self, path: &str) -> bool {
        self.target.split('?').next() == Some(path)
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// How the server answers.
pub enum Reply {
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: String,
    },
    /// Sends these bytes, head and body, and closes the connection.
    Raw(Vec<u8>),
    /// Promises a longer body than it sends.
    Cut(&'static str),
    /// Sends only the head.
    Stall,
    /// Closes the connection without an answer.
    Reset,
}

impl Reply {
    pub fn ok(body: impl Into<String>) -> Reply {
        Reply::status(200, body)
    }

    pub fn status(status: u16, body: impl Into<String>) -> Reply {
        Reply::Answer {
            status,
            headers: vec![("content-type", "application/json".to_owned())],
            body: body.into(),
        }
    }

    /// A body of any bytes, with more lines in the head.
    pub fn bytes(head: &str, body: &[u8]) -> Reply {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n{head}\r\n", body.len());
        Reply::Raw([head.as_bytes(), body].concat())
    }

    pub fn header(mut self, name: &'static str, value: impl ToString) -> Reply {
        if let Reply::Answer { headers, .. } = &mut self {
            headers.push((name, value.to_string()));
        }
        self
    }
}

type Handler = dyn Fn(&Asked) -> Reply + Send + Sync;

pub struct Server {
    base: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// A server that validates every token as user 7, and answers other requests with the function.
    pub fn start(handler: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Server {
        Server::raw(move |asked| match asked.is("/oauth/validate") {
            true => {
                Reply::ok(r#"{"client_id":"clientid","login":"seven","scopes":["a"],"user_id":"7","expires_in":13980}"#)
            }
            false => handler(asked),
        })
    }

    /// A server that answers all requests with the function.
    pub fn raw(handler: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let handler: Arc<Handler> = Arc::new(handler);
        let seen = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (handler, seen) = (Arc::clone(&handler), Arc::clone(&seen));
                std::thread::spawn(move || serve(stream, &*handler, &seen));
            }
        });
        Server { base, asked }
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    /// Every request so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The targets of all requests except those for sign-in.
    pub fn data_requests(&self) -> Vec<String> {
        let asked = self.asked();
        let data = asked.iter().filter(|asked| !asked.target.starts_with("/oauth"));
        data.map(|asked| asked.target.clone()).collect()
    }

    pub fn count(&self, path: &str) -> usize {
        self.asked().iter().filter(|asked| asked.is(path)).count()
    }
}

fn serve(stream: TcpStream, handler: &Handler, seen: &Mutex<Vec<Asked>>) {
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    while let Some(asked) = read(&mut reader, seen) {
        if answer(&mut writer, handler(&asked)).is_none() {
            let _ = writer.shutdown(Shutdown::Both);
            return;
        }
    }
}

fn read(reader: &mut impl BufRead, seen: &Mutex<Vec<Asked>>) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut parts = line.split(' ');
    let (method, target) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) => headers.insert(name.to_ascii_lowercase(), value.to_owned()),
            None => break,
        };
    }
    let length = headers.get("content-length");
    let length = length.map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let mut seen = seen.lock().unwrap();
    let path = target.split('?').next();
    let same = seen.iter().filter(|asked| asked.target.split('?').next() == path);
    let asked = Asked {
        nth: same.count() + 1,
        method,
        target,
        headers,
        body: String::from_utf8(body).unwrap(),
    };
    seen.push(asked.clone());
    Some(asked)
}

/// Writes a reply; `None` if the connection ends with it.
fn answer(writer: &mut impl Write, reply: Reply) -> Option<()> {
    match reply {
        Reply::Answer { status, headers, body } => {
            let mut head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len());
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            writer.write_all(format!("{head}\r\n{body}").as_bytes()).ok()
        }
        Reply::Raw(bytes) => {
            writer.write_all(&bytes).ok()?;
            None
        }
        Reply::Cut(body) => {
            let head = "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n";
            writer.write_all(format!("{head}{body}").as_bytes()).ok()?;
            None
        }
        Reply::Stall => {
            writer
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")
                .ok()?;
            std::thread::sleep(Duration::from_secs(20));
            None
        }
        Reply::Reset => None,
    }
}
