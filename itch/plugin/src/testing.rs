//! Runs a report in a plugin's own tests: through the boundary like itch does, without Twitch and without itch.
//!
//! ```
//! use itch_plugin::prelude::*;
//! use itch_plugin::testing;
//!
//! struct Hello;
//!
//! impl Report for Hello {
//!     fn describe(&self) -> ReportSpec {
//!         ReportSpec::new("hello", "Say hello")
//!             .argument(Argument::positional(0, ArgumentKind::Text, "who", "Who is greeted").required())
//!             .column(Column::text("greeting", "What is said"))
//!     }
//!
//!     fn run(&self, call: &mut Call) -> Result<()> {
//!         let greeting = format!("hello {}", call.text("who").unwrap_or_default());
//!         call.emit(row![greeting])
//!     }
//! }
//!
//! let ran = testing::run(&Hello, [("who", "world")]).unwrap();
//! assert_eq!(ran.rows, [row!["hello world"]]);
//! ```

use std::sync::{Arc, Mutex, MutexGuard};

use itch_api::sync::lock;
use itch_api::{Fact, Request, Response, Ticket, Transport};
use serde_json::Value;

use crate::abi::{RunHost, drive, items};
use crate::{CallInput, Cell, Column, Error, ErrorKind, LogLevel, Report, Result};

/// The result of running a report.
#[derive(Clone, Debug, Default)]
pub struct Ran {
    /// Its rows, typed by the columns.
    pub rows: Vec<Vec<Cell>>,
    /// Its requests, in order.
    pub requests: Vec<Request>,
    /// The facts that it recorded.
    pub facts: Vec<Fact>,
    /// Its log lines.
    pub log: Vec<(LogLevel, String)>,
}

/// Runs a report that sends no requests, with these arguments. Arguments that are not given have their defaults. Unlike
/// in itch, arguments are not checked.
pub fn run<V: Into<Value>>(
    report: &'static impl Report,
    arguments: impl IntoIterator<Item = (&'static str, V)>,
) -> Result<Ran> {
    run_with(report, arguments, |request| {
        let message = format!("the test has no answer to `{request}`");
        Err(Error::new(ErrorKind::Failed, message))
    })
}

/// Runs a report with a function that answers its requests: with an HTTP status and a JSON body, or an error.
///
/// If the report fails, only the error is returned; its rows and requests are lost.
pub fn run_with<V: Into<Value>>(
    report: &'static impl Report,
    arguments: impl IntoIterator<Item = (&'static str, V)>,
    answer: impl Fn(&Request) -> Result<(u16, Value)> + Send + Sync + 'static,
) -> Result<Ran> {
    let spec = report.describe();
    spec.check()?;
    let mut call = CallInput {
        v: 1,
        report: spec.name.clone(),
        columns: spec.columns.iter().map(|column| column.name.clone()).collect(),
        ..CallInput::default()
    };
    for argument in &spec.arguments {
        if let Some(default) = &argument.default {
            call.args.insert(argument.name.clone(), default.clone());
        }
    }
    for (name, value) in arguments {
        call.args.insert(name.to_owned(), value.into());
    }
    let record = Arc::new(Record {
        answer: Box::new(answer),
        ran: Mutex::default(),
        refused: Mutex::default(),
    });
    let host = Arc::new(Host {
        columns: spec.columns,
        transport: Arc::clone(&record) as _,
        record: Arc::clone(&record),
    });
    let ended = drive::run_report(items::report(report), host, &call);
    // Return the reason, not only the status with which the report was stopped.
    if let Some(why) = record.refused() {
        return Err(why);
    }
    ended?;
    let ran = record.ran().clone();
    Ok(ran)
}

type Answer = dyn Fn(&Request) -> Result<(u16, Value)> + Send + Sync;

struct Record {
    answer: Box<Answer>,
    ran: Mutex<Ran>,
    /// What is wrong with a row.
    refused: Mutex<Option<Error>>,
}

impl Record {
    fn ran(&self) -> MutexGuard<'_, Ran> {
        lock(&self.ran)
    }

    fn refused(&self) -> Option<Error> {
        let mut refused = lock(&self.refused);
        refused.take()
    }

    fn refuse(&self, why: Error) {
        let mut refused = lock(&self.refused);
        refused.get_or_insert(why);
    }
}

impl Transport for Record {
    fn start(&self, request: Request) -> Result<Ticket> {
        let mut ran = self.ran();
        ran.requests.push(request);
        Ok(Ticket(ran.requests.len() as u64))
    }

    fn wait(&self, ticket: Ticket) -> Result<Response> {
        let place = usize::try_from(ticket.0).ok().and_then(|n| n.checked_sub(1));
        let asked = place.and_then(|place| self.ran().requests.get(place).cloned());
        let asked = asked.ok_or_else(|| Error::new(ErrorKind::Failed, "there is no such ticket"))?;
        let (status, body) = (self.answer)(&asked)?;
        Ok(Response {
            status,
            age: None,
            body: serde_json::to_vec(&body).map_err(std::io::Error::from)?,
        })
    }

    fn wait_any(&self, _: &[Ticket]) -> Result<usize> {
        Ok(0)
    }

    fn abandon(&self, _: Ticket) {}

    fn note(&self, fact: Fact) {
        self.ran().facts.push(fact);
    }

    fn cancelled(&self) -> bool {
        false
    }
}

struct Host {
    columns: Vec<Column>,
    transport: Arc<dyn Transport>,
    record: Arc<Record>,
}

impl Host {
    /// Parses a row with the types of the columns.
    fn row(&self, line: &str) -> Result<Vec<Cell>> {
        let unfit = |why: String| Error::new(ErrorKind::Unsupported, why);
        let cells: Vec<Cell> =
            serde_json::from_str(line).map_err(|error| unfit(format!("`{line}` is not a row")).source_chain(&error))?;
        if cells.len() != self.columns.len() {
            return Err(unfit(format!(
                "{} columns are declared, but the number of cells in `{line}` is {}",
                self.columns.len(),
                cells.len()
            )));
        }
        let columns = self.columns.iter().zip(cells);
        let typed = columns.map(|(column, cell)| {
            let why = || unfit(format!("`{line}`: the cell of `{}` has the wrong type", column.name));
            cell.typed(column.kind).ok_or_else(why)
        });
        typed.collect()
    }
}

impl RunHost for Host {
    fn transport(&self) -> &Arc<dyn Transport> {
        &self.transport
    }

    fn emit(&self, rows: &[u8], _: u32) -> Result<()> {
        for line in String::from_utf8_lossy(rows).lines() {
            match self.row(line) {
                Ok(row) => self.record.ran().rows.push(row),
                Err(why) => {
                    self.record.refuse(why);
                    return Err(Error::cancelled());
                }
            }
        }
        Ok(())
    }

    fn progress(&self, _: u64, _: Option<u64>) {}

    fn log(&self, level: LogLevel, message: &str) {
        self.record.ran().log.push((level, message.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::{Argument, ArgumentKind, Call, ReportSpec, row};

    struct Created;

    impl Report for Created {
        fn describe(&self) -> ReportSpec {
            ReportSpec::new("created-test", "")
                .argument(Argument::option(ArgumentKind::Int, "times", "").default_value(2))
                .argument(Argument::option(ArgumentKind::Flag, "wrong", ""))
                .column(Column::text("id", ""))
                .column(Column::duration("span", ""))
        }

        fn run(&self, call: &mut Call) -> Result<()> {
            call.note(Fact::Looped);
            call.log(LogLevel::Info, "here");
            if call.flag("wrong") {
                return call.emit(row!["a"]);
            }
            for _ in 0..call.int("times").unwrap_or(0) {
                let found = call.api().json(Request::helix("users").query("login", "x"))?;
                call.emit(row![found["id"].as_str(), 3])?;
            }
            Ok(())
        }
    }

    #[test]
    fn a_report_runs_on_answers_of_the_tests_own() {
        let answer = |request: &Request| {
            assert_eq!(request.to_string(), "helix users?login=x");
            Ok((200, serde_json::json!({"id": "7"})))
        };
        let ran = run_with(&Created, [] as [(&str, Value); 0], answer).unwrap();
        assert_eq!(
            ran.rows,
            [
                [Cell::from("7"), Cell::Duration(3.0)],
                ["7".into(), Cell::Duration(3.0)]
            ]
        );
        assert_eq!((ran.requests.len(), ran.facts), (2, vec![Fact::Looped]));
        assert_eq!(ran.log, [(LogLevel::Info, "here".to_owned())]);
    }

    #[test]
    fn what_itch_would_refuse_is_refused() {
        let error = run(&Created, [("wrong", true)]).unwrap_err();
        assert_eq!(error.message, "2 columns are declared, but the number of cells in `[\"a\"]` is 1");
        let error = run(&Created, [("times", 1)]).unwrap_err();
        assert_eq!(error.message, "the test has no answer to `helix users?login=x`");
        let refused = run_with(&Created, [("times", 1)], |_| Ok((404, Value::Null)));
        assert_eq!(refused.unwrap_err().kind, ErrorKind::NotFound);
    }
}
