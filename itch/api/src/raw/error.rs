//! The error type of every interface, and the one table of error kinds, plugin statuses and exit codes.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Service;

/// A result whose error is [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The category of a failure. Code that handles errors branches on this and on [`Reason`] only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// Any other failure, such as a full disk or a broken plugin.
    Failed,
    /// The request is invalid, such as an unknown option or a value out of range.
    Usage,
    /// The channel, video or user does not exist.
    NotFound,
    /// There is no token, it was rejected, or it lacks the needed scope or role.
    SignIn,
    /// The service could not be reached, or every retry failed.
    Service,
    /// The rate limit does not allow the run to continue.
    RateLimited,
    /// The plugin, the host or the source does not support this.
    Unsupported,
    /// A plugin panicked.
    Panic,
    /// The service's answer could not be parsed.
    BadData,
    /// `--offline` was given, and the answer is not in the cache.
    OfflineMiss,
    /// The reader closed the pipe, the limit was reached or the user interrupted the run: stop without a message.
    Cancelled,
}

/// A more specific reason than the [`ErrorKind`], for code that must distinguish errors of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Reason {
    /// The service does not know the client id of the request.
    ClientRefused,
    /// A plugin's file is not the one that was inspected before.
    FileChanged,
    /// A reason that this version does not know.
    #[serde(other)]
    Other,
}

/// One row per kind: the status at the plugin boundary and the exit code of the process.
const TABLE: [(ErrorKind, i32, u8); 11] = [
    (ErrorKind::Failed, -1, 1),
    (ErrorKind::Usage, -2, 2),
    (ErrorKind::NotFound, -3, 5),
    (ErrorKind::SignIn, -4, 4),
    (ErrorKind::Service, -5, 6),
    (ErrorKind::RateLimited, -6, 6),
    (ErrorKind::Unsupported, -7, 2),
    (ErrorKind::Panic, -8, 1),
    (ErrorKind::BadData, -9, 6),
    (ErrorKind::OfflineMiss, -10, 6),
    (ErrorKind::Cancelled, 2, 130),
];

impl ErrorKind {
    fn row(self) -> (ErrorKind, i32, u8) {
        TABLE.into_iter().find(|row| row.0 == self).unwrap_or(TABLE[0])
    }

    /// The status of this kind at the plugin boundary: negative, except for `Cancelled`.
    pub fn status(self) -> i32 {
        self.row().1
    }

    /// The kind for a plugin's status. An unknown status is [`ErrorKind::Failed`].
    pub fn from_status(status: i32) -> ErrorKind {
        TABLE.into_iter().find(|row| row.1 == status).unwrap_or(TABLE[0]).0
    }

    /// The exit code of a run that ends with this kind of error.
    pub fn exit_code(self) -> u8 {
        self.row().2
    }
}

/// A failure: one sentence, its causes, and a hint about what to do.
///
/// It is plain data, so that it can cross the plugin boundary as JSON without loss.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error {
    /// The category of the failure.
    pub kind: ErrorKind,
    /// One sentence without a final period.
    pub message: String,
    /// What to do about it, if possible a command to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The causes, nearest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
    /// The HTTP status, if an answer was the failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<u16>,
    /// The service that the request was sent to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Service>,
    /// Details as data; most errors have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Box<ErrorDetails>>,
}

/// Details of an error's message, for code that must branch on them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ErrorDetails {
    /// A more specific reason than the kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The plugin that caused the error, if the message names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugin: Option<String>,
    /// How many rows were delivered before the error, if the message says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// The invalid row, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    /// The column with the invalid value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
}

impl Error {
    /// An error of a kind, with a message of one sentence without a final period.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Error {
        Error {
            kind,
            message: message.into(),
            hint: None,
            causes: Vec::new(),
            http: None,
            service: None,
            details: None,
        }
    }

    /// An error caused by a plugin, described by what it did: "emitted an empty line". The message names the plugin
    /// if its name is known.
    pub fn of_plugin(kind: ErrorKind, plugin: Option<&str>, what_it_did: impl fmt::Display) -> Error {
        let message = match plugin {
            Some(plugin) => format!("the plugin `{plugin}` {what_it_did}"),
            None => format!("the plugin {what_it_did}"),
        };
        let error = Error::new(kind, message);
        match plugin {
            Some(plugin) => error.detail(|details| details.plugin = Some(plugin.to_owned())),
            None => error,
        }
    }

    /// The error that stops a run without a message.
    pub fn cancelled() -> Error {
        Error::new(ErrorKind::Cancelled, "cancelled")
    }

    /// Adds a hint about what to do.
    pub fn hint(mut self, hint: impl Into<String>) -> Error {
        self.hint = Some(hint.into());
        self
    }

    /// Adds a cause below the existing ones.
    pub fn cause(mut self, cause: impl fmt::Display) -> Error {
        self.causes.push(cause.to_string());
        self
    }

    /// Adds an error value and everything below it to the cause chain.
    pub fn source_chain(mut self, error: &(dyn std::error::Error + 'static)) -> Error {
        let mut next = Some(error);
        while let Some(error) = next {
            let text = error.to_string();
            // Many errors repeat the text of their source in their own; do not print it twice.
            if self.causes.last().is_none_or(|last| !last.contains(&text)) {
                self.causes.push(text);
            }
            next = error.source();
        }
        self
    }

    /// Sets the service and, if there was an answer, its HTTP status.
    pub fn at(mut self, service: Service, http: Option<u16>) -> Error {
        self.service = Some(service);
        self.http = http;
        self
    }

    /// Changes the details.
    pub fn detail(mut self, set: impl FnOnce(&mut ErrorDetails)) -> Error {
        set(self.details.get_or_insert_default());
        self
    }

    /// The specific reason, if there is one.
    pub fn reason(&self) -> Option<Reason> {
        self.details.as_ref()?.reason
    }

    /// The plugin that caused the error, if the message names one.
    pub fn plugin(&self) -> Option<&str> {
        self.details.as_ref()?.plugin.as_deref()
    }

    /// How many rows were delivered before the error, if the message says so.
    pub fn rows(&self) -> Option<u64> {
        self.details.as_ref()?.rows
    }

    /// Puts a new message in front: the present message becomes the nearest cause.
    pub fn context(mut self, message: impl Into<String>) -> Error {
        self.causes
            .insert(0, std::mem::replace(&mut self.message, message.into()));
        self
    }

    /// Whether this error only means "stop without a message".
    pub fn is_cancelled(&self) -> bool {
        self.kind == ErrorKind::Cancelled
    }
}

impl fmt::Display for Error {
    /// The message; `{:#}` appends the causes, separated by colons.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if f.alternate() {
            for cause in &self.causes {
                write!(f, ": {cause}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Error {
        Error::new(ErrorKind::Failed, "reading or writing failed").source_chain(&error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_stands_for_one_kind() {
        for (kind, status, _) in TABLE {
            assert_eq!(ErrorKind::from_status(status), kind);
            assert_eq!(kind.status(), status);
        }
        assert_eq!(ErrorKind::from_status(-999), ErrorKind::Failed);
    }

    #[test]
    fn an_error_survives_the_boundary() {
        let error = Error::new(ErrorKind::SignIn, "no identity")
            .hint("set TWITCH_TOKEN")
            .cause("nothing in the environment")
            .at(Service::Helix, Some(401));
        let text = serde_json::to_string(&error).unwrap();
        assert_eq!(serde_json::from_str::<Error>(&text).unwrap(), error);
        assert_eq!(format!("{error:#}"), "no identity: nothing in the environment");
        let error = Error::of_plugin(ErrorKind::Failed, Some("odd"), "printed a text").detail(|details| {
            details.reason = Some(Reason::FileChanged);
            (details.rows, details.row) = (Some(3), Some(4));
            details.column = Some("created".to_owned());
        });
        assert_eq!(error.message, "the plugin `odd` printed a text");
        let text = serde_json::to_string(&error).unwrap();
        assert_eq!(serde_json::from_str::<Error>(&text).unwrap(), error);
    }

    #[test]
    fn an_error_of_another_version_is_read() {
        let old: Error = serde_json::from_str(r#"{"kind":"failed","message":"m"}"#).unwrap();
        assert_eq!(old, Error::new(ErrorKind::Failed, "m"));
        let text = r#"{"kind":"failed","message":"m","details":{"reason":"newer","x":1},"x":1}"#;
        let new: Error = serde_json::from_str(text).unwrap();
        assert_eq!(new, old.detail(|details| details.reason = Some(Reason::Other)));
    }
}
