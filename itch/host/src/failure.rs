//! An error as it is printed: one sentence, its causes and a hint; and its exit code.

use itch_api::{Error, ErrorKind};

/// An error, ready to be printed.
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
    /// Reads the chain of an error. The first [`Error`] in it has the kind and the hint.
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
    /// Takes the first sentence of clap's message, without `error: ` before it and the usage below it.
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
