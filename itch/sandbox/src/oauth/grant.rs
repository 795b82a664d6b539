//! Whose a token is and what it allows.

use std::borrow::Cow;

use crate::{
    credentials::{CLIENT_ID, SCOPES, TOKEN, TOKEN_VIEWER, TOKEN_WITHOUT_SCOPES},
    world::{BURKEBLACK, PLAIN_VIEWER, UserId},
};

/// The remaining lifetime that the fixed user tokens report. They never expire.
const FIXED_TOKEN_LEFT: u64 = 13_980;

/// The app, the owner and the rights of a valid token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    /// The id of the app.
    pub(crate) client: &'static str,
    /// `None` for an app token.
    pub(crate) user: Option<UserId>,
    pub(crate) scopes: Cow<'static, [&'static str]>,
    /// In seconds.
    pub(crate) expires_in: u64,
}

impl Grant {
    /// The grant of a user token that every sandbox knows.
    pub(super) fn fixed(token: &str) -> Option<Grant> {
        let (user, scopes): (UserId, &[&str]) = match token {
            TOKEN => (BURKEBLACK, &SCOPES),
            TOKEN_WITHOUT_SCOPES => (BURKEBLACK, &[]),
            TOKEN_VIEWER => (PLAIN_VIEWER, &SCOPES),
            _ => return None,
        };
        Some(Grant {
            client: CLIENT_ID,
            user: Some(user),
            scopes: Cow::Borrowed(scopes),
            expires_in: FIXED_TOKEN_LEFT,
        })
    }

    pub(crate) fn has_scope(&self, scope: &str) -> bool {
        self.scopes.contains(&scope)
    }
}

/// The token after the scheme in an `Authorization` header.
pub(crate) fn credentials_of<'a>(scheme: &str, authorization: &'a str) -> Option<&'a str> {
    let (given, credentials) = authorization.split_once(' ')?;
    let credentials = credentials.trim();
    (given.eq_ignore_ascii_case(scheme) && !credentials.is_empty()).then_some(credentials)
}
