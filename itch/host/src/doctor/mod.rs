//! `itch doctor`: checks the services, the accounts and this installation, and says what works.

mod identities;
mod installation;
mod services;

use std::fmt::Write;
use std::time::Duration;

use serde_json::{Value, json};

use crate::account;
use crate::config::Config;
use crate::exit_codes::DONE;
use crate::interrupt::{Interrupts, end_now};
use crate::options::account::{DoctorOptions, ServiceOptions};
use crate::plugins::discovery::Plugins;
use crate::printer::Printer;
use crate::secrets;
use crate::stdout::print;

/// The time limit of one check.
const LIMIT: Duration = Duration::from_secs(3);

/// No identity works.
const NO_IDENTITY: u8 = 4;
/// A service did not answer.
const NO_ANSWER: u8 = 6;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Result {
    Good,
    /// Something works, but not as it should.
    Warning,
    Bad,
}

/// What a check is about, which decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    Service,
    Identity,
    Installation,
}

/// A check and its result.
#[derive(Clone, Debug)]
struct Check {
    subject: Subject,
    name: String,
    result: Result,
    /// What was found, in a sentence.
    found: String,
    /// What to do about it.
    hint: Option<String>,
    /// More about it, a line each.
    details: Vec<String>,
}

impl Check {
    fn new(subject: Subject, name: impl Into<String>, result: Result, found: impl Into<String>) -> Check {
        Check {
            subject,
            name: name.into(),
            result,
            found: found.into(),
            hint: None,
            details: Vec::new(),
        }
    }

    fn failed(subject: Subject, name: impl Into<String>, error: &itch_api::Error) -> Check {
        Check {
            hint: error.hint.clone(),
            ..Check::new(subject, name, Result::Bad, format!("{error:#}"))
        }
    }

    fn hint(mut self, hint: impl Into<String>) -> Check {
        self.hint = Some(hint.into());
        self
    }

    fn lines(&self) -> String {
        let mark = match self.result {
            Result::Good => "ok",
            Result::Warning => "warn",
            Result::Bad => "FAIL",
        };
        let mut text = format!("{mark:<5} {:<14} {}\n", self.name, self.found);
        for detail in &self.details {
            let _ = writeln!(text, "{:21}{detail}", "");
        }
        if let Some(hint) = &self.hint {
            let _ = writeln!(text, "{:21}hint: {hint}", "");
        }
        text
    }

    fn json(&self) -> Value {
        json!({
            "check": self.name,
            "result": match self.result {
                Result::Good => "ok",
                Result::Warning => "warning",
                Result::Bad => "failed",
            },
            "found": self.found,
            "details": self.details,
            "hint": self.hint,
        })
    }
}

/// Checks everything, prints the results and returns the exit code.
pub(crate) fn run(plugins: &Plugins, options: &DoctorOptions, printer: &Printer) -> anyhow::Result<u8> {
    let _interrupts = Interrupts::catch(end_now)?;
    let config = Config::read();
    let service = ServiceOptions {
        timeout: Some(LIMIT),
        insecure_http: options.insecure_http,
    };
    let context = Context {
        plugins,
        options: &service,
        printer,
    };
    // All at once: each has its own time limit.
    let checks: Vec<Check> = std::thread::scope(|scope| {
        let services = scope.spawn(|| services::check(&context, config.as_ref().ok()));
        let identities = scope.spawn(|| identities::check(&context));
        let installation = installation::check(&context, config.as_ref());
        let joined = [services.join(), identities.join()].into_iter().map(|checks| {
            checks.unwrap_or_else(|_| {
                vec![Check::new(
                    Subject::Installation,
                    "doctor",
                    Result::Bad,
                    "a check ended with a panic",
                )]
            })
        });
        joined.flatten().chain(installation).collect()
    });
    let code = exit_code(&checks);
    let version = env!("CARGO_PKG_VERSION");
    let text = if options.json {
        let results: Vec<Value> = checks.iter().map(Check::json).collect();
        let mut json = json!({"version": version, "exit_code": code, "checks": results});
        secrets::redact_json(&mut json);
        format!("{json:#}\n")
    } else {
        let lines: String = checks.iter().map(Check::lines).collect();
        let text = format!("itch {version}, {} on {}\n{lines}", std::env::consts::OS, std::env::consts::ARCH);
        text.lines()
            .map(|line| format!("{}\n", itch_output::sanitize(&secrets::redact(line))))
            .collect()
    };
    print(&text)?;
    Ok(code)
}

/// What the checks need.
struct Context<'a> {
    plugins: &'a Plugins,
    options: &'a ServiceOptions,
    printer: &'a Printer,
}

impl Context<'_> {
    /// Says which request is sent next, if `-v` was given.
    fn about_to_send(&self, request: &str) {
        if self.printer.verbose > 0 {
            self.printer.say(&format!("sending {request}"));
        }
    }

    fn sign_in(&self) -> anyhow::Result<itch_client::SignIn> {
        account::sign_in(self.options, self.printer)
    }
}

fn exit_code(checks: &[Check]) -> u8 {
    let of = |subject| checks.iter().filter(move |check| check.subject == subject);
    if of(Subject::Service).any(|check| check.result == Result::Bad) {
        return NO_ANSWER;
    }
    match of(Subject::Identity).any(|check| check.result != Result::Bad) {
        true => DONE,
        false => NO_IDENTITY,
    }
}
