//! `--each`: one request for each line of a list, with a journal of what was sent and what came back.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};
use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressStyle};
use itch_api::{Error, ErrorKind, Result};
use itch_client::{Client, DirectAnswer, DirectFailure, Outcome, SignedIn};

use super::answer::{refusal, write_body};
use super::confirm::{self, Intent};
use super::journal::{Event, Header, Journal, State};
use super::list::{Line, List};
use super::stop::stop_at_interrupt;
use super::template::{Template, bytes_of};
use crate::exit_codes::{DONE, EXIT_GAPS, EXIT_INTERRUPTED};
use crate::failure::Failure;
use crate::interrupt::Interrupts;
use crate::options::api::{ApiOptions, is_stdin};
use crate::output::Output;
use crate::printer::Printer;

/// So many requests in a row without an answer end the run: the service or the network is down.
const UNANSWERED: u32 = 10;

/// The requests of a list.
pub(super) struct Each<'a> {
    template: &'a Template,
    list: List,
    journal: PathBuf,
    retry_unknown: bool,
    sandbox: bool,
}

/// What is done about a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plan {
    Send,
    /// It has a status.
    LeaveOut(u16),
    /// It may have been done, and is not sent again.
    Unknown,
}

/// What came of all lines.
#[derive(Default)]
struct Tally {
    done: u64,
    /// How many were refused, by status.
    refused: BTreeMap<u16, u64>,
    /// Those that had a status before.
    done_before: u64,
    refused_before: u64,
    /// Lines of which nothing is known.
    unknown: Vec<Line>,
    /// In a row.
    unanswered: u32,
    left: u64,
}

impl<'a> Each<'a> {
    /// Reads the list. All lines are checked before anything is sent.
    pub(super) fn read(template: &'a Template, options: &ApiOptions) -> Result<Each<'a>> {
        let file = options.each.clone().unwrap_or_default();
        let list = List::read(&bytes_of(&file, &mut io::stdin().lock())?)?;
        for line in &list.lines {
            template
                .fill(Some(&line.text))
                .map_err(|error| error.context(format!("line {} of the list cannot be sent", line.number)))?;
        }
        let journal = options.journal.clone().unwrap_or_else(|| {
            let mut name = file.clone().into_os_string();
            name.push(".journal");
            if is_stdin(&file) {
                PathBuf::new()
            } else {
                PathBuf::from(name)
            }
        });
        Ok(Each {
            template,
            list,
            journal,
            retry_unknown: options.retry_unknown,
            sandbox: options.report.answers.sandbox,
        })
    }

    fn header(&self, client: &Client, account: &str) -> Result<Header> {
        let mut base = self.template.fill(None)?;
        base.path.clear();
        base.query.clear();
        let (method, path) = (self.template.method.name(), self.template.path());
        // The simulated Twitch inside itch has another port in each run.
        let service = match self.sandbox {
            true => "sandbox".to_owned(),
            false => client.address(&base)?,
        };
        Ok(Header::new(
            &service,
            account,
            method,
            &path,
            self.template.fingerprint()?,
            self.list.fingerprint.clone(),
        ))
    }

    fn plan(&self, state: Option<State>) -> Plan {
        match state {
            Some(State::Done(status)) => Plan::LeaveOut(status),
            Some(State::Sent) if !self.template.method.is_idempotent() && !self.retry_unknown => Plan::Unknown,
            _ => Plan::Send,
        }
    }

    fn to_send<'b>(&'b self, states: &'b HashMap<u64, State>) -> impl Iterator<Item = &'b Line> {
        let state = |line: &Line| states.get(&line.number).copied();
        self.list
            .lines
            .iter()
            .filter(move |line| self.plan(state(line)) == Plan::Send)
    }

    /// The lines that would be sent now.
    pub(super) fn would_send(&self, client: &Client) -> Result<Vec<Line>> {
        let states = match self.journal.as_os_str().is_empty() {
            true => HashMap::new(),
            false => Journal::peek(&self.journal, &self.header(client, "")?)?,
        };
        Ok(self.to_send(&states).cloned().collect())
    }

    /// Asks, sends, and returns the exit code.
    pub(super) fn run(&self, options: &ApiOptions, client: &Client, printer: &Printer) -> anyhow::Result<u8> {
        let account = client.account()?;
        let header = self.header(client, &account.id)?;
        self.confirm(&header, &account, options.yes)?;
        let rows = &options.report.rows;
        let output = Output::open(rows.output.clone(), rows.existing.choice().unwrap_or_default())?;
        let mut journal = Journal::open(&self.journal, &header)?;
        let interrupts = stop_at_interrupt(client, self.template.method.writes(), printer)?;
        let mut sending = Sending {
            each: self,
            client,
            printer,
            out: output.writer()?,
            on_terminal: !output.is_file() && printer.stdout_is_terminal,
            reader_gone: false,
            progress: progress(self.list.lines.len(), printer),
            tally: Tally::default(),
        };
        let ended = sending.send_all(&mut journal, &interrupts);
        sending.progress.finish_and_clear();
        let Sending { tally, .. } = sending;
        let interrupted = interrupts.seen() && ended.as_ref().is_err_and(Error::is_cancelled);
        let complete = ended.is_ok() && tally.is_complete();
        self.report(&tally, interrupted, complete, printer);
        let kept = output.close(complete);
        let code = match ended {
            _ if interrupted => EXIT_INTERRUPTED,
            Err(error) if !error.is_cancelled() => {
                printer.failure(&Failure::from(&error));
                error.kind.exit_code()
            }
            _ if complete => DONE,
            _ => EXIT_GAPS,
        };
        if let Some(part) = kept? {
            printer.say(&format!("hint: what was answered is in `{}`", part.display()));
        }
        Ok(code)
    }

    fn confirm(&self, header: &Header, account: &SignedIn, yes: bool) -> Result<()> {
        let states = Journal::peek(&self.journal, header)?;
        let intent = Intent {
            method: self.template.method,
            path: &self.template.path(),
            requests: self.to_send(&states).count(),
        };
        confirm::ask(&intent, account, yes)
    }

    /// Prints the summary, and what to do about it.
    fn report(&self, tally: &Tally, interrupted: bool, complete: bool, printer: &Printer) {
        for line in &tally.unknown {
            printer
                .say(&format!("unknown: line {} (`{}`) was sent, and nothing is known of it", line.number, line.text));
        }
        let line = format!("{} {}: {}", self.template.method, self.template.path(), tally.line());
        match complete {
            true => printer.note(&line),
            false => printer.say(&line),
        }
        let idempotent = self.template.method.is_idempotent();
        if !tally.unknown.is_empty() && !idempotent {
            printer.say("hint: look which of the unknown ones were done; `--retry-unknown` sends all of them again");
        }
        if interrupted || tally.left > 0 || !tally.unknown.is_empty() && idempotent {
            printer.say("hint: the same command sends what is left; what has a status is left out");
        }
    }
}

impl Tally {
    fn is_complete(&self) -> bool {
        self.refused.is_empty() && self.refused_before == 0 && self.unknown.is_empty() && self.left == 0
    }

    fn line(&self) -> String {
        let mut parts = vec![format!("{} done", self.done)];
        let statuses: Vec<String> = self
            .refused
            .iter()
            .map(|(status, n)| format!("{n} with {status}"))
            .collect();
        if !statuses.is_empty() {
            parts.push(format!("{} refused ({})", self.refused.values().sum::<u64>(), statuses.join(", ")));
        }
        if !self.unknown.is_empty() {
            parts.push(format!("{} unknown", self.unknown.len()));
        }
        match (self.done_before, self.refused_before) {
            (0, 0) => {}
            (done, 0) => parts.push(format!("{done} left out (done before)")),
            (done, refused) => {
                parts.push(format!("{} left out ({done} done before, {refused} refused before)", done + refused));
            }
        }
        if self.left > 0 {
            parts.push(format!("{} not sent", self.left));
        }
        parts.join(", ")
    }
}

/// The requests while they are sent.
struct Sending<'a> {
    each: &'a Each<'a>,
    client: &'a Client,
    printer: &'a Printer,
    out: Box<dyn Write + Send>,
    on_terminal: bool,
    reader_gone: bool,
    progress: ProgressBar,
    tally: Tally,
}

/// Shows how many lines are behind, if progress is wanted.
fn progress(lines: usize, printer: &Printer) -> ProgressBar {
    if !printer.progress {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} api: {pos} of {len} lines, {eta} left");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    printer.bars().add(ProgressBar::new(lines as u64).with_style(style))
}

impl Sending<'_> {
    /// Sends what the journal does not know. An error ends the run, `Cancelled` quietly.
    fn send_all(&mut self, journal: &mut Journal, interrupts: &Interrupts) -> Result<()> {
        let states = journal.states().clone();
        let mut ended = Ok(());
        for line in &self.each.list.lines {
            match self.each.plan(states.get(&line.number).copied()) {
                Plan::LeaveOut(status) if (200..300).contains(&status) => self.tally.done_before += 1,
                Plan::LeaveOut(_) => self.tally.refused_before += 1,
                Plan::Unknown => self.tally.unknown.push(line.clone()),
                Plan::Send if ended.is_err() => self.tally.left += 1,
                Plan::Send if interrupts.seen() || self.reader_gone && !self.each.template.method.writes() => {
                    self.tally.left += 1;
                    ended = Err(Error::cancelled());
                }
                Plan::Send => ended = self.send(line, journal),
            }
            self.progress.inc(1);
        }
        ended
    }

    fn send(&mut self, line: &Line, journal: &mut Journal) -> Result<()> {
        let request = self.each.template.fill(Some(&line.text))?;
        let number = line.number;
        let mut noted = false;
        let sent = self.client.send(&request, || {
            noted = true;
            journal.note(&Event::Sent {
                line: number,
                text: line.fingerprint(),
            })
        });
        match sent {
            Ok(answer) if answer.is_decided() => {
                journal.note(&Event::Done {
                    line: number,
                    status: answer.status,
                })?;
                self.tally.unanswered = 0;
                self.answered(line, &answer)
            }
            Ok(answer) => {
                let error = refusal(request.service, &self.what(), answer.status, &answer.body);
                self.unknown(line, journal, &error)
            }
            Err(DirectFailure {
                error,
                outcome: Outcome::Unknown,
            }) => self.unknown(line, journal, &error),
            Err(DirectFailure { error, .. }) => {
                self.tally.left += 1;
                if noted {
                    journal.note(&Event::Unsent { line: number })?;
                }
                // The next request would fail in the same way.
                Err(error)
            }
        }
    }

    fn what(&self) -> String {
        format!("{} {}", self.each.template.method, self.each.template.path())
    }

    fn answered(&mut self, line: &Line, answer: &DirectAnswer) -> Result<()> {
        if !answer.is_success() {
            *self.tally.refused.entry(answer.status).or_default() += 1;
            let error = refusal(itch_api::Service::Helix, &self.what(), answer.status, &answer.body);
            self.printer
                .say(&format!("line {} (`{}`): {error:#}", line.number, line.text));
            return Ok(());
        }
        self.tally.done += 1;
        if self.reader_gone {
            return Ok(());
        }
        let (out, on_terminal) = (&mut self.out, self.on_terminal);
        let mut write = || write_body(out, &answer.body, on_terminal).and_then(|()| out.flush());
        let written = match on_terminal {
            true => self.printer.bars().suspend(write),
            false => write(),
        };
        match written {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.reader_gone = true;
                Ok(())
            }
            Err(error) => Err(Error::new(ErrorKind::Failed, "the answer could not be written").source_chain(&error)),
        }
    }

    /// Nothing is known of a request: the run goes on, unless that happens too often in a row.
    fn unknown(&mut self, line: &Line, journal: &mut Journal, error: &Error) -> Result<()> {
        journal.note(&Event::Unknown {
            line: line.number,
            why: crate::secrets::redact(&format!("{error:#}")).into_owned(),
        })?;
        self.tally.unknown.push(line.clone());
        self.tally.unanswered += 1;
        if error.is_cancelled() {
            return Err(Error::cancelled());
        }
        self.printer
            .say(&format!("line {} (`{}`): {error:#}", line.number, line.text));
        match self.tally.unanswered >= UNANSWERED {
            true => Err(Error::new(ErrorKind::Service, format!("{UNANSWERED} requests in a row had no answer"))
                .hint("check the network; the same command continues")),
            false => Ok(()),
        }
    }
}
