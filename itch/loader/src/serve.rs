//! The child's side: the process that a unit runs in. It loads one file, runs one unit, and passes its calls to the
//! host.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use itch_api::sync::lock;
use itch_api::{Error, ErrorKind, Fact, Reason, Request, Response, Result, Ticket, Transport};
use itch_plugin::abi::{CACHE, RENDERER, REPORT, RunHost, drive};
use itch_plugin::{Buffer, Chart, LogLevel, Put, Scan, ScanEntry, ScanSupport};

use crate::confine::Confinement;
use crate::frame::{self, Body, Frame, Kind, PIECE};
use crate::isolated_renderer::values;
use crate::job::{Job, JobResult, Work, answer, json, protocol_error, read_answer, read_response, store};
use crate::library::{Hashed, Library};
use crate::process::out_of_memory;

/// How many entries of a scan are sent in one message.
const VISITS: usize = 256;

/// Runs as the process of one unit until its work has ended. Returns the exit code.
///
/// The rights of the process are given up first, while it has one thread and before the plugin's code runs.
pub fn serve(file: &Path, confinement: &OsStr, unit: &str) -> u8 {
    let confinement = Confinement::read(confinement).and_then(|confinement| {
        confinement.enter(file)?;
        Ok(confinement)
    });
    let Ok((from, to)) = take_over_stdio() else {
        return 1;
    };
    let (calls, later) = channel();
    let mut from = BufReader::new(from);
    let input = JobInput::read(&mut from);
    let pipe = Arc::new(Pipe {
        plugin: input
            .as_ref()
            .map_or_else(|_| String::new(), |input| input.job.plugin.clone()),
        to: Mutex::new(to),
        asked: Mutex::default(),
        next: AtomicU64::new(1),
        cancelled: AtomicBool::new(false),
    });
    let ended = match (confinement, input) {
        (Ok(confinement), Ok(input)) => {
            let listening = Arc::clone(&pipe);
            let (ready, is_ready) = channel();
            std::thread::spawn(move || {
                let _ = ready.send(());
                listening.listen(from, &calls);
            });
            // The thread must have started before the library is loaded: a constructor that hangs may block new
            // threads.
            let _ = is_ready.recv();
            let ended = work(&pipe, file, unit, input, &later);
            ended.map_err(|error| match !error.is_cancelled() && confinement.memory_was_reached() {
                true => out_of_memory(error, confinement.memory),
                false => error,
            })
        }
        (Err(why), _) => Err(refused(file, &pipe.plugin, why)),
        (_, Err(error)) => Err(error.into()),
    };
    let ended = JobResult { error: ended.err() };
    let text = serde_json::to_vec(&ended).unwrap_or_default();
    match pipe.send(Kind::Done, 0, &[&text]) {
        Ok(()) => 0,
        Err(_) => 1,
    }
}

/// Moves the two pipes away from standard input and output, where the plugin's code could use them: what it prints goes
/// to standard error, and its standard input is empty.
pub(crate) fn take_over_stdio() -> io::Result<(File, File)> {
    #[cfg(unix)]
    {
        use rustix::stdio;
        let from = rustix::io::fcntl_dupfd_cloexec(stdio::stdin(), 3)?;
        let to = rustix::io::fcntl_dupfd_cloexec(stdio::stdout(), 3)?;
        stdio::dup2_stdout(stdio::stderr())?;
        stdio::dup2_stdin(File::open("/dev/null")?)?;
        Ok((from.into(), to.into()))
    }
    #[cfg(windows)]
    {
        use std::os::windows::io::AsHandle;
        let from = io::stdin().as_handle().try_clone_to_owned()?;
        let to = io::stdout().as_handle().try_clone_to_owned()?;
        Ok((from.into(), to.into()))
    }
}

/// The messages from the host before [`Kind::Begin`].
struct JobInput {
    job: Job,
    buffers: Vec<(u8, Vec<u8>)>,
}

impl JobInput {
    fn read(from: &mut BufReader<File>) -> io::Result<JobInput> {
        let gone = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let odd = || io::Error::from(io::ErrorKind::InvalidData);
        let first = frame::read(from)?.ok_or_else(gone)?;
        let mut input = JobInput {
            job: serde_json::from_slice(&first.body)?,
            buffers: Vec::new(),
        };
        loop {
            let frame = frame::read(from)?.ok_or_else(gone)?;
            match frame.kind {
                Kind::Begin => return Ok(input),
                Kind::Buffer => {
                    let place = usize::try_from(frame.number).map_err(|_| odd())?;
                    let (kind, bytes) = frame.body.split_first().ok_or_else(odd)?;
                    if place == input.buffers.len() {
                        input.buffers.push((*kind, Vec::new()));
                    }
                    let (_, buffer) = input.buffers.get_mut(place).ok_or_else(odd)?;
                    buffer.extend_from_slice(bytes);
                }
                _ => return Err(odd()),
            }
        }
    }
}

fn work(pipe: &Arc<Pipe>, file: &Path, unit: &str, input: JobInput, calls: &Receiver<Frame>) -> Result<()> {
    let library = load(file, &input.job.sha256, &input.job.plugin)?;
    let item = |kind| {
        library
            .item(kind, unit)
            .ok_or_else(|| Error::new(ErrorKind::Failed, format!("`{}` has no `{unit}`", file.display())))
    };
    let host = || -> Arc<dyn RunHost> {
        Arc::new(PipeHost {
            pipe: Arc::clone(pipe),
            transport: Arc::clone(pipe) as _,
        })
    };
    match input.job.work {
        Work::Report(call) => drive::run_report(item(REPORT)?, host(), &call),
        Work::Renderer(chart) => {
            let mut chart: Chart<'_> =
                serde_json::from_str(chart.get()).map_err(|error| protocol_error(&pipe.plugin).source_chain(&error))?;
            chart.buffers = input.buffers.into_iter().map(buffer).collect();
            let mut out = PictureWriter(Arc::clone(pipe));
            drive::render(item(RENDERER)?, host(), &chart, &mut out)
        }
        Work::Cache(settings) => {
            let mut store = drive::open_cache(item(CACHE)?, host(), &settings)?;
            pipe.stored(0, Ok(store.location().into_bytes()))?;
            for frame in calls {
                if frame.body.first() == Some(&store::CLOSE) {
                    break;
                }
                let answer = call(pipe, store.as_mut(), &frame.body);
                pipe.stored(frame.number, answer)?;
            }
            Ok(())
        }
    }
}

/// Loads a plugin's file, if it still has the expected hash.
pub(crate) fn load(file: &Path, sha256: &str, plugin: &str) -> Result<Library> {
    let refused = |why: String| refused(file, plugin, why);
    let real = crate::safety::check(file).map_err(refused)?;
    let hashed = Hashed::open(&real).map_err(refused)?;
    if hashed.sha256 != sha256 {
        let error = refused("it has just been changed".to_owned());
        return Err(error.detail(|details| details.reason = Some(Reason::FileChanged)));
    }
    Library::load(&real, hashed).map_err(|unfit| refused(unfit.why))
}

/// The error for a file that is not loaded.
fn refused(file: &Path, plugin: &str, why: String) -> Error {
    let what = format!("in `{}` cannot be loaded", file.display());
    Error::of_plugin(ErrorKind::Failed, Some(plugin), what)
        .cause(why)
        .hint("itch plugins list")
}

/// Decodes a chart's buffer.
fn buffer((kind, bytes): (u8, Vec<u8>)) -> Buffer<'static> {
    fn numbers<const N: usize, T>(bytes: &[u8], read: fn([u8; N]) -> T) -> Vec<T> {
        let chunks = bytes.as_chunks::<N>().0.iter();
        chunks.map(|chunk| read(*chunk)).collect()
    }
    match kind {
        values::F64 => Buffer::F64(numbers(&bytes, f64::from_le_bytes).into()),
        values::F32 => Buffer::F32(numbers(&bytes, f32::from_le_bytes).into()),
        values::U32 => Buffer::U32(numbers(&bytes, u32::from_le_bytes).into()),
        values::TEXT => Buffer::Text(String::from_utf8_lossy(&bytes).into_owned().into()),
        _ => Buffer::U8(bytes.into()),
    }
}

/// One call of an open store.
fn call(pipe: &Arc<Pipe>, open: &mut dyn itch_plugin::CacheStore, body: &[u8]) -> Result<Vec<u8>> {
    let mut body = Body(body);
    let call = body.byte()?;
    let mut key = || -> Result<String> { Ok(String::from_utf8_lossy(body.text()?).into_owned()) };
    Ok(match call {
        store::GET => match open.get(&key()?)? {
            None => vec![0],
            Some(value) => {
                let since = value
                    .modified
                    .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
                let since = since.map_or(0, |since| since.as_millis() as u64);
                let mut answer = vec![1];
                answer.extend_from_slice(&since.to_le_bytes());
                answer.extend_from_slice(&value.bytes);
                answer
            }
        },
        store::PUT => {
            let key = key()?;
            let ttl_ms = body.number()?;
            let ttl = (ttl_ms > 0).then(|| std::time::Duration::from_millis(ttl_ms));
            vec![u8::from(open.put(&key, body.0, ttl)? == Put::Stored)]
        }
        store::REMOVE => {
            open.remove(&key()?)?;
            Vec::new()
        }
        store::STATS => json(&open.stats()?)?,
        store::SCAN => {
            let mut entries = Vec::new();
            let mut broken = None;
            let mut hand_over = |entries: &mut Vec<ScanEntry>| {
                let asked = json(entries).and_then(|text| pipe.ask(Kind::Visit, &[&text]));
                entries.clear();
                match asked.map(|answer| answer == [0]) {
                    Ok(true) => Scan::Continue,
                    Ok(false) => Scan::Stop,
                    Err(error) => {
                        broken = Some(error);
                        Scan::Stop
                    }
                }
            };
            let support = open.scan(&mut |entry| {
                entries.push(entry);
                match entries.len() < VISITS {
                    true => Scan::Continue,
                    false => hand_over(&mut entries),
                }
            })?;
            if !entries.is_empty() {
                hand_over(&mut entries);
            }
            if let Some(error) = broken {
                return Err(error);
            }
            vec![u8::from(support == ScanSupport::Listed)]
        }
        store::CLEAR => vec![u8::from(open.clear()?)],
        _ => return Err(protocol_error(&pipe.plugin)),
    })
}

/// The connection to the host, and the questions that wait for an answer.
struct Pipe {
    plugin: String,
    to: Mutex<File>,
    asked: Mutex<HashMap<u64, Sender<Vec<u8>>>>,
    /// The next number, for tickets and for questions.
    next: AtomicU64,
    cancelled: AtomicBool,
}

impl Pipe {
    fn send(&self, kind: Kind, number: u64, parts: &[&[u8]]) -> Result<()> {
        Ok(frame::write(&mut *lock(&self.to), kind, number, parts)?)
    }

    fn number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Sends a question and waits for the answer. Other threads can ask at the same time.
    fn ask(&self, kind: Kind, parts: &[&[u8]]) -> Result<Vec<u8>> {
        let number = self.number();
        let (answer, answered) = channel();
        lock(&self.asked).insert(number, answer);
        self.send(kind, number, parts)?;
        let body = answered.recv().map_err(|_| protocol_error(&self.plugin))?;
        read_answer(&body, &self.plugin).map(<[u8]>::to_vec)
    }

    /// Answers a call of the store; a long value is sent in pieces.
    fn stored(&self, number: u64, result: Result<Vec<u8>>) -> Result<()> {
        let (sort, bytes) = answer(result);
        let mut rest = bytes.as_slice();
        while let Some((piece, after)) = rest.split_at_checked(PIECE).filter(|_| sort == 1) {
            self.send(Kind::Piece, number, &[piece])?;
            rest = after;
        }
        self.send(Kind::Stored, number, &[&[sort], rest])
    }

    /// Reads the messages of the host until it closes the pipe, then kills this process, whatever the unit is doing.
    fn listen(&self, mut from: BufReader<File>, calls: &Sender<Frame>) {
        while let Ok(Some(frame)) = frame::read(&mut from) {
            match frame.kind {
                Kind::Answer => {
                    if let Some(answer) = lock(&self.asked).remove(&frame.number) {
                        let _ = answer.send(frame.body);
                    }
                }
                Kind::Cancel => self.cancelled.store(true, Ordering::Relaxed),
                _ => {
                    let _ = calls.send(frame);
                }
            }
        }
        kill_self();
    }
}

/// Kills this process and what it started, without running exit handlers of the loaded library.
pub(crate) fn kill_self() {
    #[cfg(unix)]
    {
        use rustix::process::{Signal, getpgrp, getpid, kill_current_process_group, kill_process};
        // If a library has moved this process to another group, that group must not be killed.
        if getpgrp() == getpid() {
            let _ = kill_current_process_group(Signal::KILL);
        }
        let _ = kill_process(getpid(), Signal::KILL);
    }
    std::process::abort();
}

impl Transport for Pipe {
    fn start(&self, request: Request) -> Result<Ticket> {
        let number = self.number();
        self.send(Kind::Start, number, &[&json(&request)?])?;
        Ok(Ticket(number))
    }

    fn wait(&self, ticket: Ticket) -> Result<Response> {
        let answer = self.ask(Kind::Wait, &[&ticket.0.to_le_bytes()])?;
        read_response(&answer)
    }

    fn wait_any(&self, tickets: &[Ticket]) -> Result<usize> {
        let numbers: Vec<u8> = tickets.iter().flat_map(|ticket| ticket.0.to_le_bytes()).collect();
        let answer = self.ask(Kind::WaitAny, &[&numbers])?;
        Ok(usize::try_from(Body(&answer).number()?).unwrap_or(usize::MAX))
    }

    fn abandon(&self, ticket: Ticket) {
        let _ = self.send(Kind::Abandon, ticket.0, &[]);
    }

    fn note(&self, fact: Fact) {
        if let Ok(text) = json(&fact) {
            let _ = self.send(Kind::Note, 0, &[&text]);
        }
    }

    fn cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }
}

/// The host of the unit's run, on the child's side.
struct PipeHost {
    pipe: Arc<Pipe>,
    transport: Arc<dyn Transport>,
}

impl RunHost for PipeHost {
    fn transport(&self) -> &Arc<dyn Transport> {
        &self.transport
    }

    fn emit(&self, rows: &[u8], _: u32) -> Result<()> {
        let mut rest = rows;
        while !rest.is_empty() {
            // As many whole rows as fit into a piece, or a single longer row.
            let within = rest.get(..PIECE).unwrap_or(rest);
            let ends = |byte: &u8| *byte == b'\n';
            let end = match within.len() < rest.len() {
                false => Some(rest.len()),
                true => within.iter().rposition(ends).map(|place| place + 1),
            };
            let end = end
                .or_else(|| rest.iter().position(ends).map(|place| place + 1))
                .unwrap_or(rest.len());
            let (piece, after) = rest.split_at(end);
            self.pipe.ask(Kind::Emit, &[piece])?;
            rest = after;
        }
        Ok(())
    }

    fn progress(&self, done: u64, total: Option<u64>) {
        let (done, total) = (done.to_le_bytes(), total.unwrap_or(0).to_le_bytes());
        let _ = self.pipe.send(Kind::Progress, 0, &[&done, &total]);
    }

    fn log(&self, level: LogLevel, message: &str) {
        let _ = self.pipe.send(Kind::Log, 0, &[&[level as u8], message.as_bytes()]);
    }

    fn plugin(&self) -> Option<&str> {
        Some(&self.pipe.plugin)
    }
}

/// Sends a picture to the host.
struct PictureWriter(Arc<Pipe>);

impl Write for PictureWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = bytes.get(..PIECE).unwrap_or(bytes);
        match self.0.ask(Kind::Write, &[piece]) {
            Ok(answer) if answer == [0] => Ok(piece.len()),
            _ => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
