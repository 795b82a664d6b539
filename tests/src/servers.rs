//! Real cache servers on free ports: redis, alone or as a cluster, and memcached; and fake servers.
//!
//! A test that needs a program which is not installed fails and says how to install it; it is not skipped.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::{Signal, eventually, signal};

/// A server process, which is killed on drop.
#[derive(Debug)]
pub struct Server {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Server {
    /// A redis server that stores nothing on disk.
    pub fn redis(arguments: &[&str]) -> Server {
        let quiet = ["--save", "", "--appendonly", "no", "--bind", "127.0.0.1"];
        let arguments = [&quiet[..], arguments].concat();
        Server::start("redis-server", &arguments, "--port", "PING\r\n")
    }

    /// A memcached server.
    pub fn memcached(arguments: &[&str]) -> Server {
        let arguments = [&["-l", "127.0.0.1", "-U", "0", "-u", "root"], arguments].concat();
        Server::start("memcached", &arguments, "-p", "version\r\n")
    }

    /// Starts a program and waits until it answers. If another process takes the port in the meantime, it tries again.
    fn start(program: &str, arguments: &[&str], port_option: &str, hello: &str) -> Server {
        for _ in 0..5 {
            let port = free_port();
            let folder = tempfile::tempdir().unwrap();
            let started = Command::new(program)
                .args(arguments)
                .args([port_option, &port.to_string()])
                .current_dir(folder.path())
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn();
            let child = started.unwrap_or_else(|error| {
                panic!(
                    "{program} could not be started ({error}); install it: `apt-get install {}` (tests/run does that)",
                    if program == "memcached" {
                        program
                    } else {
                        "redis-server redis-tools"
                    }
                )
            });
            let mut server = Server {
                child,
                port,
                _folder: folder,
            };
            let end = Instant::now() + Duration::from_secs(20);
            while server.child.try_wait().unwrap().is_none() {
                if server.answers(hello) {
                    return server;
                }
                assert!(Instant::now() < end, "{program} does not answer");
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        panic!("{program} exits at once")
    }

    fn answers(&self, hello: &str) -> bool {
        let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port)) else {
            return false;
        };
        let _ = stream.set_read_timeout(Some(Duration::from_millis(500)));
        let mut answer = [0; 64];
        let sent = stream.write_all(hello.as_bytes());
        sent.is_ok()
            && stream
                .read(&mut answer)
                .is_ok_and(|n| n > 0 && !answer.starts_with(b"-LOADING"))
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `127.0.0.1:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The process id, for signals: a stopped server accepts connections and never answers.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it at once, like a power failure.
    pub fn kill(&self) {
        signal(self.id(), Signal::KILL);
    }

    /// Sends one command to redis and returns the raw answer.
    pub fn ask(&self, command: &[&str]) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut bytes = format!("*{}\r\n", command.len());
        for word in command {
            bytes.push_str(&format!("${}\r\n{word}\r\n", word.len()));
        }
        stream.write_all(bytes.as_bytes()).unwrap();
        let mut answer = vec![0; 1 << 16];
        let n = stream.read(&mut answer).unwrap();
        String::from_utf8_lossy(&answer[..n]).into_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A redis cluster of three nodes without replicas.
pub fn redis_cluster() -> Vec<Server> {
    let nodes: Vec<(Server, String)> = (0..3)
        .map(|_| {
            // By default the bus port is the port plus 10000, which may be out of range.
            let bus = free_port().to_string();
            let options = [
                "--cluster-enabled",
                "yes",
                "--cluster-node-timeout",
                "2000",
                "--cluster-port",
            ];
            let arguments = [&options[..], &[bus.as_str()]].concat();
            (Server::redis(&arguments), bus)
        })
        .collect();
    let slots = [("0", "5460"), ("5461", "10922"), ("10923", "16383")];
    for ((node, _), (first, last)) in nodes.iter().zip(slots) {
        let answer = node.ask(&["CLUSTER", "ADDSLOTSRANGE", first, last]);
        assert_eq!(answer, "+OK\r\n");
    }
    for (node, bus) in &nodes[1..] {
        let port = node.port().to_string();
        let answer = nodes[0].0.ask(&["CLUSTER", "MEET", "127.0.0.1", &port, bus]);
        assert_eq!(answer, "+OK\r\n");
    }
    eventually("the cluster", || {
        nodes.iter().all(|(node, _)| {
            let info = node.ask(&["CLUSTER", "INFO"]);
            info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
        })
    });
    nodes.into_iter().map(|(node, _)| node).collect()
}

/// A port on which nothing listens at this moment.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// A server that accepts every connection and repeatedly sends these bytes; without any, it sends nothing.
#[derive(Debug)]
pub struct FakeServer {
    port: u16,
    ended: Arc<AtomicBool>,
}

impl FakeServer {
    /// Starts one.
    pub fn start(answer: &'static [u8]) -> FakeServer {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let ended = Arc::new(AtomicBool::new(false));
        let is_ended = Arc::clone(&ended);
        std::thread::spawn(move || {
            let mut kept = Vec::new();
            while let Ok((mut stream, _)) = listener.accept() {
                if is_ended.load(Ordering::Relaxed) {
                    return;
                }
                if answer.is_empty() {
                    kept.push(stream);
                    continue;
                }
                std::thread::spawn(move || {
                    let mut asked = [0; 4096];
                    while stream.read(&mut asked).is_ok_and(|n| n > 0) {
                        if stream.write_all(answer).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        FakeServer { port, ended }
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for FakeServer {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts connections.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}
