//! How requests for chat are sent, adjusted after refusals: the form of the queries, the client id, and whether pages
//! after a cursor can be had at all.

use serde_json::{Value, json};

use super::answer::Refusal;
use super::comments::{self, Place};
use super::video::{self, VideoInfo, read_info};
use crate::raw::{Error, ErrorKind, Freshness, GqlForm, RawApi, Reason, Request, Result, Service};

/// After this many pages after a cursor in a row without data, pages are requested by offset.
const MOST_WITHOUT_DATA: u32 = 4;

/// After this many refused pages by offset in a row, no client id is accepted.
const MOST_REFUSED: u32 = 6;

/// How requests are sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asking {
    /// The form of the query for comments. Other programs send the hash, so it is the most likely to be answered.
    form: GqlForm,
    /// The other form was refused since the last good page.
    other_form_refused: bool,
    pub client: usize,
    /// The client id whose request for the recording was accepted.
    let_in: usize,
    /// Pages after a cursor cannot be had: pages are requested by offset.
    pub stepping: bool,
    /// How many pages after a cursor in a row had no data.
    without_data: u32,
    /// How many pages by offset in a row were refused, after all client ids had been.
    refused: u32,
}

impl Default for Asking {
    fn default() -> Asking {
        Asking {
            form: GqlForm::Persisted,
            other_form_refused: false,
            client: 0,
            let_in: 0,
            stepping: false,
            without_data: 0,
            refused: 0,
        }
    }
}

impl Asking {
    /// Requests the data of the recording. Chat can do without it, so only an error that all other requests would get too
    /// is one, or that there is no such video.
    pub fn info(&mut self, api: &RawApi, video: &str) -> Result<VideoInfo> {
        let mut form = GqlForm::Persisted;
        let mut has_changed = false;
        // The client id that may at least request pages at an offset.
        let mut half_let_in = None;
        loop {
            let request = Request {
                gql_client: self.client,
                ..video::request(video, form)
            };
            match api
                .fetch(request)
                .wait()
                .and_then(|response| read_info(&response, video))
            {
                Ok(Ok(info)) => {
                    self.let_in = self.client;
                    return Ok(info);
                }
                Ok(Err(Refusal::NotUnderstood(_))) if !has_changed => {
                    has_changed = true;
                    form = other(form);
                }
                Ok(Err(Refusal::NotUnderstood(_))) => return Ok(VideoInfo::default()),
                Ok(Err(Refusal::Integrity)) => {
                    half_let_in.get_or_insert(self.client);
                    self.client += 1;
                }
                Ok(Err(Refusal::Client)) => self.client += 1,
                Err(error) if is_no_client(&error) => {
                    self.client = half_let_in.ok_or_else(refused_everywhere)?;
                    self.let_in = self.client;
                    return Ok(VideoInfo::default());
                }
                Err(error) if is_refused_client(&error) => self.client += 1,
                Err(error) if ends_the_run(&error) => return Err(error),
                Err(_) => return Ok(VideoInfo::default()),
            }
        }
    }

    /// The request for a page.
    pub fn request(&self, video: &str, place: &Place, freshness: Freshness) -> Request {
        let request = comments::request(video, place, self.form).freshness(freshness);
        Request {
            gql_client: self.client,
            ..request
        }
    }

    /// A page arrived, so its form is understood.
    pub fn accepted(&mut self, by_cursor: bool) {
        self.other_form_refused = false;
        self.refused = 0;
        if by_cursor {
            self.without_data = 0;
        }
    }

    /// A page after a cursor has no data.
    pub fn cursor_without_data(&mut self) {
        self.without_data += 1;
        self.stepping |= self.without_data >= MOST_WITHOUT_DATA;
    }

    /// Handles a refusal of the operation: uses the other form, unless that was refused too. `used` is the body of the
    /// refused request; returns whether the form changed now.
    pub fn change_form(&mut self, used: &Value, words: &str) -> Result<bool> {
        if used["form"] != json!(self.form) {
            return Ok(false); // Another window has changed the form since this request was sent.
        }
        if self.other_form_refused {
            return Err(not_understood(words));
        }
        self.other_form_refused = true;
        self.form = other(self.form);
        Ok(true)
    }

    /// A page by offset was refused, which every client id may have. Returns whether it is asked for again: one that let
    /// pages in before may do so again.
    pub fn may_ask_again(&mut self) -> bool {
        self.refused += 1;
        self.refused <= MOST_REFUSED
    }

    /// Switches to the next client id. When there is none left, pages are requested by offset.
    pub fn next_client(&mut self, refused: usize, no_other: bool) {
        if no_other {
            self.client = self.let_in;
            self.stepping = true;
        } else {
            self.client = refused + 1;
        }
    }
}

fn other(form: GqlForm) -> GqlForm {
    match form {
        GqlForm::Query => GqlForm::Persisted,
        GqlForm::Persisted => GqlForm::Query,
    }
}

fn not_understood(words: &str) -> Error {
    Error::new(ErrorKind::Service, "Twitch's GQL service no longer understands the query")
        .cause(words)
        .hint("update itch, or set the current query in the table `[gql]` of its configuration")
        .at(Service::Gql, Some(200))
}

pub(super) fn refused_everywhere() -> Error {
    Error::new(ErrorKind::Service, "Twitch's GQL service rejected every client id that itch knows")
        .hint("update itch, or set an accepted client id in the table `[gql]` of its configuration")
        .at(Service::Gql, Some(200))
}

/// Whether the service does not know the client id.
pub(super) fn is_refused_client(error: &Error) -> bool {
    error.reason() == Some(Reason::ClientRefused)
}

/// Whether the client has no more client ids. No request is sent then.
pub(super) fn is_no_client(error: &Error) -> bool {
    error.service == Some(Service::Gql) && error.http.is_none() && error.kind == ErrorKind::SignIn
}

/// Whether every other request would fail the same way, or there is no such video.
fn ends_the_run(error: &Error) -> bool {
    matches!(
        error.kind,
        ErrorKind::NotFound | ErrorKind::Cancelled | ErrorKind::Unsupported | ErrorKind::Usage | ErrorKind::Failed
    )
}
