//! The registered apps: a confidential one, which needs its secret, a public one, which has none, and one that is both.

use super::refusal::Refusal;
use crate::{
    credentials::{CLIENT_ID, CLIENT_SECRET, CONFIDENTIAL_CLIENT_ID, PUBLIC_CLIENT_ID},
    parameters::Parameters,
};

/// A registered app.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct App {
    pub(super) id: &'static str,
    /// `None` for an app of the type "Public".
    secret: Option<&'static str>,
    /// Whether tokens are renewed only with the secret.
    is_confidential: bool,
}

/// The app of the printed variables, and the only one that gets app tokens.
pub(super) static USUAL: App = App {
    id: CLIENT_ID,
    secret: Some(CLIENT_SECRET),
    is_confidential: false,
};

static CONFIDENTIAL: App = App {
    id: CONFIDENTIAL_CLIENT_ID,
    secret: Some(CLIENT_SECRET),
    is_confidential: true,
};

static PUBLIC: App = App {
    id: PUBLIC_CLIENT_ID,
    secret: None,
    is_confidential: false,
};

impl App {
    pub(super) fn find(id: &str) -> Option<&'static App> {
        [&USUAL, &CONFIDENTIAL, &PUBLIC].into_iter().find(|app| app.id == id)
    }

    /// The app of the parameter `client_id`.
    pub(super) fn of(parameters: &Parameters) -> Result<&'static App, Refusal> {
        match parameters.given("client_id") {
            None => Err(Refusal::bad_request("missing client id")),
            Some(id) => App::find(id).ok_or(Refusal::bad_request("invalid client")),
        }
    }

    pub(super) fn is_public(&self) -> bool {
        !self.is_confidential
    }

    /// Checks the parameter `client_secret`. No secret is that of a public app.
    pub(super) fn check_secret(&self, parameters: &Parameters) -> Result<(), Refusal> {
        match parameters.given("client_secret") {
            None => Err(Refusal::bad_request("missing client secret")),
            given if given == self.secret => Ok(()),
            Some(_) => Err(Refusal::forbidden("invalid client secret")),
        }
    }
}
