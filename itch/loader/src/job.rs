//! The jobs that the host sends to a unit's process, and the encoding of its answers.

use std::path::PathBuf;

use itch_api::{Error, ErrorKind, Response, Result};
use itch_plugin::{CacheSettings, CallInput};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::access::UnitAccess;
use crate::confine::Confinement;
use crate::frame::Body;

/// A job for a unit's process.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Job {
    /// The file is loaded only if it has this hash.
    pub(crate) sha256: String,
    /// The plugin's name, for errors.
    pub(crate) plugin: String,
    pub(crate) work: Work,
}

/// The input of the job, for each kind of unit.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Work {
    Report(Box<CallInput>),
    Cache(CacheSettings),
    Renderer(Box<RawValue>),
}

/// The result of a job.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct JobResult {
    pub(crate) error: Option<Error>,
}

/// The calls of an open store: the first byte of a [`crate::frame::Kind::Store`].
pub(crate) mod store {
    pub(crate) const GET: u8 = 1;
    pub(crate) const PUT: u8 = 2;
    pub(crate) const REMOVE: u8 = 3;
    pub(crate) const STATS: u8 = 4;
    pub(crate) const SCAN: u8 = 5;
    pub(crate) const CLEAR: u8 = 6;
    pub(crate) const CLOSE: u8 = 7;
}

impl Launch {
    /// The job for the process.
    pub(crate) fn job(&self, work: Work) -> Job {
        Job {
            sha256: self.sha256.clone(),
            plugin: self.plugin.clone(),
            work,
        }
    }
}

/// The unit that a process is started for.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    /// The path of this program.
    pub(crate) program: PathBuf,
    pub(crate) file: PathBuf,
    pub(crate) sha256: String,
    pub(crate) plugin: String,
    pub(crate) unit: String,
    /// The environment variables that the unit declares.
    pub(crate) variables: Vec<String>,
    pub(crate) confinement: Confinement,
    pub(crate) access: UnitAccess,
}

/// A part of a message as JSON.
pub(crate) fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    Ok(serde_json::to_vec(value).map_err(std::io::Error::from)?)
}

/// Encodes an answer: 1 and its bytes, or 0 and the error.
pub(crate) fn answer(result: Result<Vec<u8>>) -> (u8, Vec<u8>) {
    match result {
        Ok(bytes) => (1, bytes),
        Err(error) => (0, serde_json::to_vec(&error).unwrap_or_default()),
    }
}

/// Decodes an answer that [`answer`] encoded.
pub(crate) fn read_answer<'a>(body: &'a [u8], plugin: &str) -> Result<&'a [u8]> {
    match body.split_first() {
        Some((1, bytes)) => Ok(bytes),
        Some((0, error)) => Err(serde_json::from_slice(error).unwrap_or_else(|_| protocol_error(plugin))),
        _ => Err(protocol_error(plugin)),
    }
}

/// Encodes a response; its body is not re-encoded.
pub(crate) fn write_response(response: &Response) -> Vec<u8> {
    let age = response.age.map(|age| age.as_millis());
    let mut bytes = Vec::with_capacity(response.body.len() + 11);
    bytes.extend_from_slice(&response.status.to_le_bytes());
    bytes.push(u8::from(age.is_some()));
    let age = u64::try_from(age.unwrap_or(0)).unwrap_or(u64::MAX);
    bytes.extend_from_slice(&age.to_le_bytes());
    bytes.extend_from_slice(&response.body);
    bytes
}

/// Decodes a response that [`write_response`] encoded.
pub(crate) fn read_response(bytes: &[u8]) -> Result<Response> {
    let mut body = Body(bytes);
    let status = u16::from_le_bytes(body.take()?);
    let has_age = body.byte()? != 0;
    let age = body.number()?;
    Ok(Response {
        status,
        age: has_age.then(|| std::time::Duration::from_millis(age)),
        body: body.0.to_vec(),
    })
}

pub(crate) fn protocol_error(plugin: &str) -> Error {
    Error::of_plugin(ErrorKind::Failed, Some(plugin), "exchanged an invalid message with itch")
}
