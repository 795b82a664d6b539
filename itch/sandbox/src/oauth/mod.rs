//! `id.twitch.tv/oauth2/`: signs users and apps in; issues, renews, validates and revokes tokens.
//!
//! See <https://dev.twitch.tv/docs/authentication>. The texts of errors are from there and from twitchdev/issues #971 and
//! #1037.

mod activate;
mod app_token;
mod apps;
mod bounded;
mod device;
mod grant;
mod log;
mod random;
mod refusal;
mod revoke;
mod scopes;
mod sessions;
mod token;
mod validate;

pub(crate) use self::{
    activate::{PATH as ACTIVATE_PATH, answer as activate},
    grant::{Grant, credentials_of},
    log::Receipt,
    refusal::refuse,
    sessions::{Sessions, Settings},
    token::{false_refusal, is_poll, is_refresh},
    validate::validate,
};
use self::{refusal::Refusal, token::Issued};
use crate::{parameters::Parameters, reply::Reply};

/// An endpoint that has a file of its own in this folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Device,
    Revoke,
    Token,
    Validate,
}

impl Endpoint {
    const ALL: [Endpoint; 4] = [Endpoint::Device, Endpoint::Revoke, Endpoint::Token, Endpoint::Validate];

    pub(crate) fn find(path: &str) -> Option<Endpoint> {
        Endpoint::ALL.into_iter().find(|endpoint| endpoint.path() == path)
    }

    pub(crate) fn path(self) -> &'static str {
        match self {
            Endpoint::Device => "/oauth2/device",
            Endpoint::Revoke => "/oauth2/revoke",
            Endpoint::Token => "/oauth2/token",
            Endpoint::Validate => "/oauth2/validate",
        }
    }
}

/// Answers a POST to one of the endpoints that take a form. `number` is that of the request.
pub(crate) fn post(
    sessions: &mut Sessions,
    endpoint: Endpoint,
    parameters: &Parameters,
    number: u64,
) -> (Reply, Option<Receipt>) {
    let plain = |reply: Result<Reply, Refusal>| (reply.unwrap_or_else(Reply::from), None);
    match endpoint {
        Endpoint::Device => plain(device::answer(sessions, parameters)),
        Endpoint::Revoke => plain(revoke::answer(sessions, parameters)),
        Endpoint::Token => match token::answer(sessions, parameters, number) {
            Ok(Issued { reply, receipt }) => (reply, receipt),
            Err(refusal) => (refusal.into(), None),
        },
        Endpoint::Validate => plain(Err(Refusal::not_found())),
    }
}
