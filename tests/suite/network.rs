//! Networks between itch and Twitch: proxies, names, certificates, limits; and servers that repeat secrets.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use itch_tests::{Folder, RunResult, Sandbox};

/// What a test server does with a connection, and the first line of each request that it got.
struct Listener {
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Listener {
    /// `serve` answers one request, and says what it was, and whether the connection has more.
    fn start(serve: impl Fn(&mut BufReader<TcpStream>) -> Option<(String, bool)> + Send + Sync + 'static) -> Listener {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::<Mutex<Vec<String>>>::default();
        let (kept, serve) = (Arc::clone(&seen), Arc::new(serve));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (kept, serve) = (Arc::clone(&kept), Arc::clone(&serve));
                std::thread::spawn(move || {
                    let mut stream = BufReader::new(stream);
                    while let Some((line, again)) = serve(&mut stream) {
                        kept.lock().unwrap().push(line);
                        if !again {
                            break;
                        }
                    }
                });
            }
        });
        Listener { port, seen }
    }

    /// A server that answers every request with these bytes.
    fn answering(answer: impl Fn(&[String]) -> String + Send + Sync + 'static) -> Listener {
        Listener::start(move |stream| {
            let head = head(stream)?;
            stream.get_mut().write_all(answer(&head).as_bytes()).ok()?;
            Some((head.first()?.clone(), true))
        })
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

/// The lines of a request before its body.
fn head(stream: &mut BufReader<TcpStream>) -> Option<Vec<String>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).ok().filter(|read| *read > 0)?;
        match line.trim_end() {
            "" => return Some(lines),
            line => lines.push(line.to_owned()),
        }
    }
}

fn json(status: &str, more: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{more}\r\n{body}",
        body.len()
    )
}

/// A SOCKS5 proxy without a password (RFC 1928) that connects every target to one port of this machine.
fn socks(target: u16) -> Listener {
    Listener::start(move |stream| {
        let mut start = [0; 2];
        stream.read_exact(&mut start).ok()?;
        let mut methods = vec![0; usize::from(start[1])];
        stream.read_exact(&mut methods).ok()?;
        stream.get_mut().write_all(&[5, 0]).ok()?;
        let mut request = [0; 4];
        stream.read_exact(&mut request).ok()?;
        let mut length = [4];
        if request[3] == 3 {
            stream.read_exact(&mut length).ok()?;
        }
        let mut host = vec![0; usize::from(length[0]) + 2];
        stream.read_exact(&mut host).ok()?;
        host.truncate(usize::from(length[0]));
        let shown = match request[3] {
            3 => String::from_utf8(host).unwrap(),
            _ => host.iter().map(u8::to_string).collect::<Vec<_>>().join("."),
        };
        stream.get_mut().write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).ok()?;
        let mut far = TcpStream::connect(("127.0.0.1", target)).ok()?;
        let mut near = stream.get_ref().try_clone().ok()?;
        let (mut far_back, mut near_back) = (far.try_clone().ok()?, near.try_clone().ok()?);
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut near, &mut far);
        });
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut far_back, &mut near_back);
        });
        Some((shown, false))
    })
}

/// Runs a small report, once, against these addresses.
fn created(folder: &Folder) -> RunResult {
    folder.itch(&["created", "burkeblack", "--retries", "0", "--insecure-http"])
}

/// A folder with services at a host, and a token.
fn services(base: &str) -> Folder {
    Folder::new()
        .variable("TWITCH_HELIX_URL", format!("{base}/helix"))
        .variable("TWITCH_OAUTH2_URL", format!("{base}/oauth2"))
        .variable("TWITCH_TOKEN", "s3cr3tt0k3n")
}

fn port(address: &str) -> u16 {
    address
        .rsplit(':')
        .next()
        .unwrap()
        .trim_end_matches('/')
        .parse()
        .unwrap()
}

#[test]
fn socks_proxies_work() {
    let sandbox = Sandbox::start(&[]);
    let proxy = socks(port(sandbox.address()));
    let expected = Folder::new().itch(&["--sandbox", "created", "burkeblack"]);
    for (scheme, host, asked) in [
        ("socks5h", "twitch.invalid", "twitch.invalid"),
        ("socks5", "192.0.2.7", "192.0.2.7"),
    ] {
        for variable in ["ALL_PROXY", "http_proxy"] {
            let mut folder = Folder::new().at(&sandbox);
            for (name, value) in sandbox.variables() {
                if name.ends_with("_URL") {
                    folder = folder.variable(name, value.replace("127.0.0.1", host));
                }
            }
            let folder = folder.variable(variable, format!("{scheme}://127.0.0.1:{}", proxy.port));
            let ran = created(&folder);
            ran.succeeds();
            assert_eq!(ran.stdout, expected.stdout);
            assert_eq!(proxy.seen().pop().as_deref(), Some(asked));
        }
    }
}

#[test]
fn a_proxy_that_wants_a_password_is_named() {
    let proxy = Listener::answering(|_| json("407 Proxy Authentication Required", "", "{}"));
    for (scheme, variable) in [("http", "http_proxy"), ("https", "HTTPS_PROXY"), ("https", "ALL_PROXY")] {
        let base = format!("{scheme}://twitch.invalid");
        let with = format!("http://me:wrongpassword@127.0.0.1:{}", proxy.port);
        let ran = created(&services(&base).variable(variable, with));
        ran.exits(6)
            .says(&format!("through the proxy http://127.0.0.1:{}\n", proxy.port))
            .says("caused by: the proxy answered 407 Proxy Authentication Required")
            .says(&format!("hint: set `{variable}` with a user name and a password"));
        assert!(!ran.all().contains("wrongpassword"), "{}", ran.all());
    }
}

#[test]
fn a_proxy_that_refuses_or_is_not_there_is_named() {
    let proxy = Listener::answering(|_| json("403 Forbidden", "", "{}"));
    let address = format!("http://127.0.0.1:{}", proxy.port);
    let ran = created(&services("https://twitch.invalid").variable("HTTPS_PROXY", &address));
    ran.exits(6)
        .says(&format!("through the proxy {address} (1 try)"))
        .says("caused by: the proxy answered 403 Forbidden");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ran = created(&services("https://twitch.invalid").variable("HTTPS_PROXY", free.to_string()));
    ran.exits(6)
        .says(&format!("through the proxy http://{free} (1 try)"))
        .says(&format!("hint: nothing listens at {free}: check `HTTPS_PROXY`"));
}

#[test]
fn a_variable_that_is_no_proxy_is_an_error() {
    for (name, value) in [
        ("HTTPS_PROXY", "http://"),
        ("https_proxy", "ftp://proxy:21"),
        ("ALL_PROXY", "http://me:hunter2/hunter2@proxy:3128"),
        ("http_proxy", "http://proxy:99999"),
    ] {
        let ran = created(&services("https://twitch.invalid").variable(name, value));
        ran.exits(2)
            .says(&format!("error: the variable `{name}` is not the address of a proxy"))
            .says("hint: write `");
        assert!(!ran.all().contains("hunter2"), "{}", ran.all());
    }
    // It is not used for this machine.
    let sandbox = Sandbox::start(&[]);
    created(&Folder::new().at(&sandbox).variable("HTTPS_PROXY", "http://")).succeeds();
}

#[test]
fn the_address_that_cannot_be_reached_is_named() {
    let ran = created(&services("https://twitch.invalid"));
    ran.exits(6)
        .says("caused by: twitch.invalid:443: ")
        .says("hint: the name `twitch.invalid` has no address: check `TWITCH_OAUTH2_URL`");
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    created(&services(&format!("http://{free}")))
        .exits(6)
        .says(&format!("caused by: {free}: "))
        .says(&format!("hint: nothing listens at {free}: check `TWITCH_OAUTH2_URL`"));
}

/// The token is sent to the server, which repeats it.
#[test]
fn no_secret_that_a_server_repeats_is_printed() {
    let repeated = |head: &[String]| {
        let token = head
            .iter()
            .find_map(|line| line.split_once("OAuth "))
            .unwrap()
            .1
            .to_owned();
        assert_eq!(token, "s3cr3tt0k3n");
        token
    };
    type Answer = Box<dyn Fn(&[String]) -> String + Send + Sync>;
    let answers: [(&str, Answer); 4] = [
        (
            "an error",
            Box::new(move |head| json("401 Unauthorized", "", &format!("{{\"message\":\"bad {}\"}}", repeated(head)))),
        ),
        (
            "a redirect",
            Box::new(move |head| json("302 Found", &format!("location: https://x/?t={}\r\n", repeated(head)), "")),
        ),
        ("a page", Box::new(move |head| json("200 OK", "", &format!("<html>{}</html>", repeated(head))))),
        (
            "a fault",
            Box::new(move |head| json("500 Oops", "", &format!("{{\"message\":\"at OAuth%20{}\"}}", repeated(head)))),
        ),
    ];
    for (name, answer) in answers {
        let server = Listener::answering(answer);
        let folder = services(&format!("http://127.0.0.1:{}", server.port));
        for more in [&[][..], &["-v"], &["-vv"]] {
            let line = ["created", "burkeblack", "--retries", "0", "--verdict", "verdict.json"];
            let ran = folder.itch(&[&line, more].concat());
            assert_ne!(ran.code, 0, "{name}");
            assert!(!ran.all().contains("s3cr3t"), "{name}: {}", ran.all());
            assert!(!folder.read("verdict.json").contains("s3cr3t"), "{name}");
        }
    }
}

#[test]
fn the_password_of_a_cache_is_not_printed() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (name, value) in [
        ("REDIS_URL", format!("redis://:hunter2hunter2@{free}/0")),
        ("REDIS_URL", "redis://:hunter2hunter2@[nonsense/hunter2hunter2".to_owned()),
        ("REDIS_PASSWORD", "hunter2hunter2".to_owned()),
    ] {
        let folder = Folder::new()
            .variable(name, value)
            .variable("REDIS_HOST", "nowhere.invalid");
        let ran = folder.itch(&["--sandbox", "-c", "redis", "-vv", "created", "burkeblack"]);
        ran.exits(0).says("warning: cache redis: ");
        assert!(!ran.all().contains("hunter2"), "{}", ran.all());
    }
}

/// A service that only refuses.
fn refusing() -> Listener {
    Listener::answering(|head| match head[0].contains("/oauth2/") {
        true => json("200 OK", "", r#"{"client_id":"c","login":"seven","scopes":[],"user_id":"7","expires_in":9000}"#),
        false => json("429 Too Many Requests", "", "{}"),
    })
}

#[test]
fn a_service_that_only_refuses_ends_the_run() {
    let server = refusing();
    let folder = services(&format!("http://127.0.0.1:{}", server.port));
    let ran = folder.itch(&["created", "burkeblack", "--max-wait", "1s", "--verdict", "verdict.json"]);
    ran.exits(6)
        .says("error: the helix service did not answer `helix users?login=burkeblack`: its rate limit is reached")
        .says(", and `--max-wait` is 1 s")
        .says("hint: run again later, or allow more with `--max-wait`");
    assert!(folder.read("verdict.json").contains("\"complete\": false"));
}

#[test]
fn a_wait_is_told_on_a_pipe_too() {
    let server = Listener::answering(|head| match head[0].contains("/oauth2/") {
        true => json("200 OK", "", r#"{"client_id":"c","login":"seven","scopes":[],"user_id":"7","expires_in":9000}"#),
        false => json("429 Too Many Requests", "retry-after: 11\r\n", "{}"),
    });
    let folder = services(&format!("http://127.0.0.1:{}", server.port));
    let mut child = folder
        .command(&["created", "burkeblack", "--max-wait", "1m"])
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(line, "waiting 11 s for the rate limit of the helix service\n");
}
