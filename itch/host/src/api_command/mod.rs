//! `itch api`: a request to any endpoint of Helix, or a query to GQL.

mod answer;
mod columns;
mod confirm;
mod each;
mod fields;
mod gql;
mod journal;
mod list;
mod lists;
mod path;
mod pattern;
mod rows;
mod stop;
mod template;

use std::io::{self, Write};

use itch_api::{Error, GqlErrorKind, Request, Response, Service, gql_errors};
use itch_client::{Client, DirectRequest, Method};
use itch_plugin::Registry;
use serde_json::Value;

use self::answer::{head, refusal, write_body};
use self::confirm::Intent;
use self::each::Each;
use self::stop::stop_at_interrupt;
use self::template::{Template, bytes_of};
use crate::connect::connect;
use crate::exit_codes::{DONE, EXIT_INTERRUPTED};
use crate::failure::{Failure, usage};
use crate::options::api::ApiOptions;
use crate::output::Output;
use crate::printer::Printer;
use crate::stdout::print;
use crate::{cache_stores, secrets};

/// Runs the command, and returns the exit code.
pub(crate) fn run(registry: &Registry, options: &ApiOptions, printer: &Printer) -> anyhow::Result<u8> {
    options.check()?;
    match &options.gql {
        Some(_) => query(registry, options, printer),
        None => request(registry, options, printer),
    }
}

/// A request to Helix, or one for each line of a list.
fn request(registry: &Registry, options: &ApiOptions, printer: &Printer) -> anyhow::Result<u8> {
    let template = Template::read(options, &mut io::stdin().lock())?;
    if !options.dry_run {
        confirm::check(template.method, options.yes, printer)?;
    }
    let each = match options.each {
        Some(_) => Some(Each::read(&template, options)?),
        None => None,
    };
    let connection = connect(registry, "api", &options.report, printer)?;
    let client = &connection.client;
    match each {
        Some(each) if options.dry_run => {
            let lines = each.would_send(client)?;
            let requests = lines.iter().map(|line| template.fill(Some(&line.text)));
            dry_run(client, &requests.collect::<Result<Vec<_>, _>>()?)
        }
        Some(each) => each.run(options, client, printer),
        None if options.dry_run => dry_run(client, &[template.fill(None)?]),
        None if options.prints_rows() => rows::run(as_read(&template.fill(None)?), options, &connection, printer),
        None => {
            let single = Single {
                request: template.fill(None)?,
                path: template.path(),
                options,
                client,
                printer,
            };
            let code = single.run()?;
            cache_stores::report_counters(&client.counters(), &connection.caches, printer);
            Ok(code)
        }
    }
}

/// Prints what would be sent.
fn dry_run(client: &Client, requests: &[DirectRequest]) -> anyhow::Result<u8> {
    let mut text = String::new();
    for request in requests {
        let method = match request.service {
            Service::Gql => Method::Post,
            _ => request.method,
        };
        text.push_str(&format!("{method} {}\n", client.address(request)?));
        if let Some(body) = &request.body {
            text.push_str(String::from_utf8_lossy(body).trim_end());
            text.push('\n');
        }
    }
    print(&secrets::redact(&text))?;
    Ok(DONE)
}

/// A read as a request that may be answered by a cache.
fn as_read(request: &DirectRequest) -> Request {
    let mut read = Request::helix(request.path.join("/"));
    read.query.clone_from(&request.query);
    read
}

/// The query of `--gql`.
fn query(registry: &Registry, options: &ApiOptions, printer: &Printer) -> anyhow::Result<u8> {
    let file = options.gql.clone().unwrap_or_default();
    let text = bytes_of(&file, &mut io::stdin().lock())?;
    let text = String::from_utf8(text).map_err(|_| usage("the query is not UTF-8"))?;
    let parameters: Vec<String> = options.path.iter().chain(&options.parameters).cloned().collect();
    let body = gql::body(&text, &parameters)?;
    let connection = connect(registry, "api", &options.report, printer)?;
    let client = &connection.client;
    let request = DirectRequest {
        service: Service::Gql,
        method: Method::Post,
        path: Vec::new(),
        query: Vec::new(),
        body: Some(body.to_string().into_bytes()),
    };
    if options.dry_run {
        return dry_run(client, &[request]);
    }
    let single = Single {
        request,
        path: "the query".to_owned(),
        options,
        client,
        printer,
    };
    let code = single.run()?;
    cache_stores::report_counters(&client.counters(), &connection.caches, printer);
    Ok(code)
}

/// One request, whose answer is printed as it is.
struct Single<'a> {
    request: DirectRequest,
    path: String,
    options: &'a ApiOptions,
    client: &'a Client,
    printer: &'a Printer,
}

/// An answer to print.
struct Answered {
    status: u16,
    head: Option<String>,
    body: Vec<u8>,
    /// Whether all of it arrived, and says what was done.
    doubt: Option<&'static str>,
}

impl Single<'_> {
    fn run(&self) -> anyhow::Result<u8> {
        if self.request.writes() && !self.options.yes {
            let intent = Intent {
                method: self.request.method,
                path: &self.path,
                requests: 1,
            };
            confirm::ask(&intent, &self.client.account()?, false)?;
        }
        let rows = &self.options.report.rows;
        let output = Output::open(rows.output.clone(), rows.existing.choice().unwrap_or_default())?;
        let on_terminal = !output.is_file() && self.printer.stdout_is_terminal;
        let mut out = output.writer()?;
        let interrupts = stop_at_interrupt(self.client, self.request.writes(), self.printer)?;
        let answered = match self.answer(on_terminal) {
            Err(_) if interrupts.seen() => {
                self.printer.say("interrupted: nothing was printed");
                return Ok(EXIT_INTERRUPTED);
            }
            answered => answered?,
        };
        let head = answered.head.as_deref().unwrap_or_default();
        let written = out.write_all(head.as_bytes());
        let written = written.and_then(|()| write_body(&mut out, &answered.body, on_terminal));
        let written = written.and_then(|()| out.flush());
        crate::stdout::written(written)?;
        drop(out);
        let error = self.error(&answered);
        let kept = output.close(error.is_none())?;
        if let Some(doubt) = answered.doubt {
            self.printer.warning(doubt);
        }
        let Some(error) = error else { return Ok(DONE) };
        self.printer.failure(&Failure::from(&error));
        if let Some(part) = kept {
            self.printer
                .say(&format!("hint: what was answered is in `{}`", part.display()));
        }
        Ok(error.kind.exit_code())
    }

    /// Sends the request. A read may be answered by a cache, unless the headers are wanted, which caches do not keep.
    fn answer(&self, on_terminal: bool) -> Result<Answered, Error> {
        let request = &self.request;
        let apart = request.path.iter().any(|part| part.contains('/'));
        if !request.writes() && !self.options.include && !apart {
            let mut read = as_read(request);
            if request.service == Service::Gql {
                read = Request::get(Service::Gql, "");
                read.body = request
                    .body
                    .as_deref()
                    .and_then(|body| serde_json::from_slice::<Value>(body).ok());
            }
            let response = self.fetched(read)?;
            return Ok(Answered {
                status: response.status,
                head: None,
                body: match secrets::known().found_in(&response.body) {
                    true => secrets::redact(&String::from_utf8_lossy(&response.body))
                        .into_owned()
                        .into_bytes(),
                    false => response.body,
                },
                doubt: None,
            });
        }
        let answer = self.client.send(request, || Ok(())).map_err(|failure| failure.error)?;
        Ok(Answered {
            status: answer.status,
            head: self.options.include.then(|| head(&answer, on_terminal)),
            doubt: match (answer.complete, answer.is_decided()) {
                _ if !request.writes() => None,
                (_, false) => Some("whether this was done is unknown: such an answer may come from a gateway"),
                (false, true) => Some("the rest of the answer was lost: the status says what was done"),
                (true, true) => None,
            },
            body: answer.body,
        })
    }

    /// The answer to a read. A query is sent with each of the client ids that are known, until one is accepted.
    fn fetched(&self, mut read: Request) -> Result<Response, Error> {
        let api = self.client.api();
        let mut response = api.fetch(read.clone()).wait()?;
        let refused = |response: &Response| {
            let first = gql_errors(&response.body).into_iter().next();
            first.is_some_and(|error| matches!(error.kind, GqlErrorKind::Integrity | GqlErrorKind::Client))
        };
        while read.service == Service::Gql && refused(&response) {
            read.gql_client += 1;
            match api.fetch(read.clone()).wait() {
                Ok(next) => response = next,
                // No other id is known: the last refusal is the answer.
                Err(_) => break,
            }
        }
        Ok(response)
    }

    /// The error that an answer is.
    fn error(&self, answered: &Answered) -> Option<Error> {
        let what = match self.request.service {
            Service::Gql => self.path.clone(),
            _ => format!("{} {}", self.request.method, self.path),
        };
        if !(200..300).contains(&answered.status) {
            return Some(refusal(self.request.service, &what, answered.status, &answered.body));
        }
        if self.request.service != Service::Gql {
            return None;
        }
        // GQL sends its errors with a success status.
        let error = gql_errors(&answered.body).into_iter().next()?;
        let kind = match error.kind {
            GqlErrorKind::Invalid => itch_api::ErrorKind::Usage,
            GqlErrorKind::Integrity | GqlErrorKind::Client => itch_api::ErrorKind::SignIn,
            _ => itch_api::ErrorKind::Service,
        };
        Some(
            Error::new(kind, "GQL answered with an error")
                .cause(error.message)
                .at(Service::Gql, Some(answered.status)),
        )
    }
}
