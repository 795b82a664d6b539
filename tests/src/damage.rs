//! A proxy that damages one element of one answer: it deletes, empties, nulls, retypes or reorders it.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use itch_sandbox::Sandbox;
use serde_json::{Value, json};

/// A request as it is recognised when it is sent again: the request line and the body.
pub type Key = (String, String);

/// A good answer: the head, up to the empty line, and the body.
type Answer = (String, Vec<u8>);

/// What happens to an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// It is left out.
    Delete,
    /// It becomes null.
    Null,
    /// It becomes an empty text.
    EmptyText,
    /// It becomes -1.
    MinusOne,
    /// It becomes the text `odd`.
    Text,
    /// It becomes a list without items.
    List,
    /// It becomes an object without members.
    Object,
    /// A number becomes a text, a text of digits a number, a boolean a text.
    Retype,
    /// The items of a list come in the opposite order.
    Reverse,
}

impl Operation {
    /// Every operation.
    pub const ALL: [Operation; 9] = [
        Operation::Delete,
        Operation::Null,
        Operation::EmptyText,
        Operation::MinusOne,
        Operation::Text,
        Operation::List,
        Operation::Object,
        Operation::Retype,
        Operation::Reverse,
    ];

    /// The new value in the place of an old one; `None`: it is left out.
    fn of(self, old: &Value) -> Option<Value> {
        let same = || Some(old.clone());
        match (self, old) {
            (Operation::Delete, _) => None,
            (Operation::Null, _) => Some(Value::Null),
            (Operation::EmptyText, _) => Some("".into()),
            (Operation::MinusOne, _) => Some((-1).into()),
            (Operation::Text, _) => Some("odd".into()),
            (Operation::List, _) => Some(json!([])),
            (Operation::Object, _) => Some(json!({})),
            (Operation::Retype, Value::Number(number)) => Some(number.to_string().into()),
            (Operation::Retype, Value::Bool(value)) => Some(value.to_string().into()),
            (Operation::Retype, Value::String(text)) => text.parse::<u64>().map_or_else(|_| same(), |n| Some(n.into())),
            (Operation::Reverse, Value::Array(items)) => Some(items.iter().rev().cloned().collect()),
            (Operation::Retype | Operation::Reverse, _) => same(),
        }
    }
}

/// The damage to one element.
#[derive(Clone, Debug)]
pub struct Damage {
    /// The request whose answer is damaged.
    pub key: Key,
    /// The JSON pointer of the element.
    pub pointer: String,
    /// What happens to it.
    pub operation: Operation,
    /// Whether every answer to the request is damaged, or only the first.
    pub is_stable: bool,
}

impl Damage {
    /// Damages an answer; `None` if that changes nothing.
    pub fn apply(&self, answer: &Value) -> Option<Value> {
        let new = self.operation.of(answer.pointer(&self.pointer)?);
        let mut damaged = answer.clone();
        match (new, self.pointer.rsplit_once('/')) {
            (Some(new), _) => *damaged.pointer_mut(&self.pointer)? = new,
            (None, None) => return None,
            (None, Some((parent, name))) => match damaged.pointer_mut(parent)? {
                Value::Object(members) => drop(members.shift_remove(&name.replace("~1", "/").replace("~0", "~"))),
                Value::Array(items) => drop(items.remove(name.parse().ok()?)),
                _ => return None,
            },
        }
        (damaged != *answer).then_some(damaged)
    }
}

/// The JSON pointers of a value and of everything in it; its own is empty.
pub fn pointers(value: &Value) -> Vec<String> {
    fn collect(value: &Value, pointer: String, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    collect(member, format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1")), found);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    collect(item, format!("{pointer}/{index}"), found);
                }
            }
            _ => {}
        }
        found.push(pointer);
    }
    let mut found = Vec::new();
    collect(value, String::new(), &mut found);
    found
}

/// A pointer with `*` for each index, and for the ids of emotes: `/data/*/user_id`.
pub fn shape(pointer: &str) -> String {
    let varies = |step: &str| step.starts_with("emotesv2_") || step.bytes().all(|byte| byte.is_ascii_digit());
    let step = |step: &str| match varies(step) && !step.is_empty() {
        true => "*".to_owned(),
        false => step.to_owned(),
    };
    pointer.split('/').map(step).collect::<Vec<_>>().join("/")
}

/// The good answers of a run, in the order of the requests.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    answers: HashMap<Key, Answer>,
    order: Vec<Key>,
}

impl Recording {
    /// The requests with good JSON answers, each with its endpoint: the path and the names of the parameters.
    pub fn endpoints(&self) -> Vec<(String, Key, Value)> {
        let endpoint = |key: &Key| {
            let (head, body) = &self.answers[key];
            let body = serde_json::from_slice(body).ok()?;
            head.starts_with("HTTP/1.1 200 ")
                .then(|| (endpoint_of(key), key.clone(), body))
        };
        self.order.iter().filter_map(endpoint).collect()
    }
}

/// The path of a request without names and ids, and the names of its parameters; for GQL those of its variables that are
/// not null.
fn endpoint_of((line, body): &Key) -> String {
    let target = line.split(' ').nth(1).unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut names: Vec<String> = query
        .split('&')
        .filter_map(|pair| Some(pair.split_once('=')?.0.to_owned()))
        .collect();
    let operation: Value = serde_json::from_str(body).unwrap_or_default();
    let operation = operation.get(0).unwrap_or(&operation);
    if let Some(variables) = operation["variables"].as_object() {
        let given = variables.iter().filter(|(_, value)| !value.is_null());
        names.extend(given.map(|(name, _)| name.clone()));
    }
    names.sort();
    names.dedup();
    let is_varying = |before: &str| matches!(before, "channels" | "users" | "user" | "videos");
    let steps: Vec<&str> = path.split('/').collect();
    let named = steps
        .iter()
        .enumerate()
        .map(|(place, step)| match place.checked_sub(1) {
            Some(before) if !path.starts_with("/helix/") && is_varying(steps[before]) => "{}",
            _ => step,
        });
    format!("{}?{}", named.collect::<Vec<_>>().join("/"), names.join("&"))
}

#[derive(Debug)]
struct State {
    behind: String,
    recording: Mutex<Recording>,
    damage: Option<Damage>,
    struck: AtomicUsize,
    stopped: AtomicBool,
}

/// A server on a port of its own, which answers from a recording or asks a sandbox. It stops when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: String,
    variables: Vec<(&'static str, String)>,
    state: Arc<State>,
}

impl Proxy {
    /// A proxy in front of a sandbox.
    pub fn start(sandbox: &Sandbox, recording: Recording, damage: Option<Damage>) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let behind = sandbox.address().to_string();
        let variables = sandbox.environment().into_iter();
        let variables = variables.map(|(name, value)| (name, value.replace(&behind, &address)));
        let proxy = Proxy {
            address: address.clone(),
            variables: variables.collect(),
            state: Arc::new(State {
                behind,
                recording: Mutex::new(recording),
                damage,
                struck: AtomicUsize::new(0),
                stopped: AtomicBool::new(false),
            }),
        };
        let state = Arc::clone(&proxy.state);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if state.stopped.load(Ordering::Relaxed) {
                    break;
                }
                let state = Arc::clone(&state);
                thread::spawn(move || serve(&state, &stream));
            }
        });
        proxy
    }

    /// The variables that make a client use it.
    pub fn environment(&self) -> &[(&'static str, String)] {
        &self.variables
    }

    /// Everything that was answered.
    pub fn recording(&self) -> Recording {
        self.state.recording.lock().unwrap().clone()
    }

    /// How many answers were damaged.
    pub fn struck(&self) -> usize {
        self.state.struck.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.state.stopped.store(true, Ordering::Relaxed);
        // Wakes the listener.
        let _ = TcpStream::connect(&self.address);
    }
}

/// Answers one request; the connection closes after it.
fn serve(state: &State, stream: &TcpStream) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let (mut headers, mut length) = (BTreeMap::new(), 0);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else {
            break;
        };
        let name = name.to_ascii_lowercase();
        if name == "content-length" {
            length = value.parse().ok()?;
        }
        headers.insert(name, value.to_owned());
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let key = (line.trim_end().to_owned(), String::from_utf8(body).ok()?);
    let known = state.recording.lock().unwrap().answers.get(&key).cloned();
    let (head, mut body) = match known {
        Some(answer) => answer,
        None => {
            let answer = forward(state, &key, headers)?;
            let mut recording = state.recording.lock().unwrap();
            recording.order.push(key.clone());
            recording.answers.insert(key.clone(), answer.clone());
            answer
        }
    };
    if let Some(damage) = state.damage.as_ref().filter(|damage| damage.key == key)
        && (damage.is_stable || state.struck.load(Ordering::Relaxed) == 0)
        && let Some(damaged) = serde_json::from_slice(&body)
            .ok()
            .and_then(|answer| damage.apply(&answer))
    {
        state.struck.fetch_add(1, Ordering::Relaxed);
        body = damaged.to_string().into_bytes();
    }
    let head = format!("{head}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let mut stream = stream;
    stream.write_all(&[head.as_bytes(), &body].concat()).ok()
}

/// Asks the sandbox. The length and the connection are left out of the head.
fn forward(state: &State, (line, body): &Key, mut headers: BTreeMap<String, String>) -> Option<Answer> {
    headers.insert("connection".to_owned(), "close".to_owned());
    headers.remove("accept-encoding");
    let headers: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let mut stream = TcpStream::connect(&state.behind).ok()?;
    stream
        .write_all(format!("{line}\r\n{headers}\r\n{body}").as_bytes())
        .ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let body = answer.split_off(end + 4);
    let head = String::from_utf8(answer).ok()?;
    let is_kept = |line: &&str| {
        let line = line.to_ascii_lowercase();
        !line.is_empty() && !line.starts_with("content-length") && !line.starts_with("connection")
    };
    let head: String = head
        .split("\r\n")
        .filter(is_kept)
        .map(|line| format!("{line}\r\n"))
        .collect();
    Some((head, body))
}
