//! A server that records what is written to it, and answers as a test wants.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use itch_tests::Folder;

/// The token of the folder's commands.
pub(crate) const TOKEN: &str = "planted0token0of0the0test00000";

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<String>,
    pub(crate) body: String,
}

/// What the server does with it.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// A status, more header lines with their line ends, and a body.
    Answer(u16, &'static str, String),
    /// The connection is closed without an answer.
    Close,
    /// Nothing is answered as long as the test runs.
    Hang,
}

impl Act {
    pub(crate) fn status(status: u16) -> Act {
        let body = match status {
            204 => String::new(),
            200 => "{\"data\":[]}".to_owned(),
            _ => format!("{{\"error\":\"x\",\"status\":{status},\"message\":\"because of the test\"}}"),
        };
        Act::Answer(status, "", body)
    }
}

/// The server. Its threads end with the process.
pub(crate) struct WriteServer {
    address: String,
    seen: Arc<Mutex<Vec<Asked>>>,
}

impl WriteServer {
    /// Requests to Helix get what `act` says, with the number of requests before them.
    pub(crate) fn start(act: impl Fn(usize, &Asked) -> Act + Send + Sync + 'static) -> WriteServer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let seen = Arc::<Mutex<Vec<Asked>>>::default();
        let (kept, act) = (Arc::clone(&seen), Arc::new(act));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (kept, act) = (Arc::clone(&kept), Arc::clone(&act));
                std::thread::spawn(move || serve(stream, &kept, &*act));
            }
        });
        WriteServer { address, seen }
    }

    /// One that answers every request with this status.
    pub(crate) fn answering(status: u16) -> WriteServer {
        WriteServer::start(move |_, _| Act::status(status))
    }

    /// A folder whose commands use it, with a token.
    pub(crate) fn folder(&self) -> Folder {
        Folder::new()
            .variable("TWITCH_HELIX_URL", format!("http://{}/helix/", self.address))
            .variable("TWITCH_OAUTH2_URL", format!("http://{}/oauth2/", self.address))
            .variable("TWITCH_GQL_URL", format!("http://{}/gql", self.address))
            .variable("TWITCH_TOKEN", TOKEN)
    }

    /// The requests to Helix so far.
    pub(crate) fn seen(&self) -> Vec<Asked> {
        self.seen.lock().unwrap().clone()
    }

    /// The same as methods and targets.
    pub(crate) fn lines(&self) -> Vec<String> {
        let seen = self.seen();
        seen.iter()
            .map(|asked| format!("{} {}", asked.method, asked.target))
            .collect()
    }
}

fn serve(stream: TcpStream, kept: &Mutex<Vec<Asked>>, act: &dyn Fn(usize, &Asked) -> Act) {
    let Some(asked) = read(&stream) else { return };
    let act = if asked.target.starts_with("/oauth2/") {
        let body = r#"{"client_id":"c","login":"tester","scopes":[],"user_id":"4242","expires_in":10000}"#;
        Act::Answer(200, "", body.to_owned())
    } else {
        let number = {
            let mut kept = kept.lock().unwrap();
            kept.push(asked.clone());
            kept.len() - 1
        };
        act(number, &asked)
    };
    match act {
        Act::Answer(status, headers, body) => {
            let head = format!(
                "HTTP/1.1 {status} x\r\nContent-Type: application/json\r\n{headers}Content-Length: {}\r\nConnection: \
                 close\r\n\r\n",
                body.len()
            );
            let _ = (&stream).write_all(&[head.as_bytes(), body.as_bytes()].concat());
        }
        Act::Close => {}
        Act::Hang => {
            // Until the client goes.
            let _ = (&stream).read(&mut [0; 1]);
        }
    }
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let mut first = head.first()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let length = head
        .iter()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some(Asked {
        method,
        target,
        headers: head.split_off(1),
        body: String::from_utf8(body).ok()?,
    })
}
