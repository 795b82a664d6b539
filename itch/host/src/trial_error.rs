//! The error of a trial of `itch plugins check`, which the trial's process passes to the check in a file.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use itch_api::sync::lock;
use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::secrets::redact;

/// In the process of a trial: the file that its error is written to.
static FILE: Mutex<Option<PathBuf>> = Mutex::new(None);

/// The error that a trial ended with.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TrialError {
    message: String,
    causes: Vec<String>,
}

impl TrialError {
    /// The error that a trial left in this folder, if it left one.
    pub(crate) fn read(folder: &Path) -> Option<TrialError> {
        serde_json::from_slice(&std::fs::read(file_in(folder)).ok()?).ok()
    }
}

impl fmt::Display for TrialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.causes.iter().try_for_each(|cause| write!(f, ": {cause}"))
    }
}

/// The file for the error, in a trial's folder.
pub(crate) fn file_in(folder: &Path) -> PathBuf {
    folder.join("error.json")
}

/// In the process of a trial: sets the file for the error.
pub(crate) fn write_to(file: Option<PathBuf>) {
    *lock(&FILE) = file;
}

/// In the process of a trial: passes its first error to the check. Elsewhere it does nothing.
pub(crate) fn write(failure: &Failure) {
    if let Some(file) = lock(&FILE).take() {
        let error = TrialError {
            message: redact(&failure.message).into_owned(),
            causes: failure.causes.iter().map(|cause| redact(cause).into_owned()).collect(),
        };
        // Without the file, the check uses the last line on stderr.
        let _ = std::fs::write(file, serde_json::to_vec(&error).unwrap_or_default());
    }
}
