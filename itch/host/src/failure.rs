//! How an error reaches a person: one sentence, its causes, a hint; and the exit code that it stands for.

use itch_api::{Error, ErrorKind};

/// An error ready to be told.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// One sentence.
    pub(crate) message: String,
    /// The cause chain.
    pub(crate) causes: Vec<String>,
    /// What to do about it.
    pub(crate) hint: Option<String>,
    kind: ErrorKind,
}

impl Failure {
    /// Reads the chain of an error; the first of our own errors in it decides the kind.
    pub(crate) fn of(error: &anyhow::Error) -> Failure {
        let mut messages: Vec<String> = Vec::new();
        let mut found = None;
        for cause in error.chain() {
            messages.push(cause.to_string());
            if let Some(ours) = cause.downcast_ref::<Error>() {
                messages.extend(ours.causes.iter().cloned());
                found = Some(ours);
                break;
            }
        }
        let mut messages = messages.into_iter();
        Failure {
            message: messages.next().unwrap_or_default(),
            causes: messages.collect(),
            hint: found.and_then(|ours| ours.hint.clone()),
            kind: found.map_or(ErrorKind::Failed, |ours| ours.kind),
        }
    }

    pub(crate) fn exit_code(&self) -> u8 {
        self.kind.exit_code()
    }
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Failure {
        Failure {
            message: error.message.clone(),
            causes: error.causes.clone(),
            hint: error.hint.clone(),
            kind: error.kind,
        }
    }
}

impl From<&clap::Error> for Failure {
    /// The sentence alone: clap puts its own mark before it, and the usage below.
    fn from(error: &clap::Error) -> Failure {
        let text = error.to_string();
        let sentence = text.lines().next().unwrap_or_default();
        Failure {
            message: sentence.strip_prefix("error: ").unwrap_or(sentence).to_owned(),
            causes: Vec::new(),
            hint: None,
            kind: ErrorKind::Usage,
        }
    }
}

/// A usage error.
pub(crate) fn usage(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Usage, message)
}
