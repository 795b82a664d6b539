//! How a user of itch names a channel: a login, or `id:` and a number.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Error, ErrorKind};

/// A channel name as it was typed, checked to be well formed.
///
/// One malformed login makes Helix reject a whole batch of `users` look-ups
/// (dev.twitch.tv/docs/api/reference#get-users), so names are checked before any request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ChannelName {
    typed: String,
    key: Key,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Login(String),
    Id(String),
}

impl ChannelName {
    /// The name as it was typed, without surrounding white space.
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// The login in lower case, if the channel is named by its login.
    pub fn login(&self) -> Option<&str> {
        match &self.key {
            Key::Login(login) => Some(login),
            Key::Id(_) => None,
        }
    }

    /// The id, if the channel is named by its id.
    pub fn id(&self) -> Option<&str> {
        match &self.key {
            Key::Id(id) => Some(id),
            Key::Login(_) => None,
        }
    }
}

impl ChannelName {
    /// The error for a channel that no service knows.
    pub(crate) fn unknown(&self) -> Error {
        Error::new(ErrorKind::NotFound, format!("there is no channel `{}`", self.typed))
            .hint("check the spelling; a renamed, banned or deleted account is not found either")
    }
}

impl FromStr for ChannelName {
    type Err = Error;

    fn from_str(typed: &str) -> Result<ChannelName, Error> {
        let typed = typed.trim();
        let key = if let Some(id) = typed.strip_prefix("id:") {
            // Twitch ids are decimal and fit into 64 bits.
            let digits = id.bytes().all(|byte| byte.is_ascii_digit());
            (digits && id.parse::<u64>().is_ok()).then(|| Key::Id(id.to_owned()))
        } else {
            let login = typed.to_ascii_lowercase();
            let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            ((1..=25).contains(&login.len()) && login.bytes().all(known)).then_some(Key::Login(login))
        };
        match key {
            Some(key) => Ok(ChannelName {
                typed: typed.to_owned(),
                key,
            }),
            None => Err(Error::new(ErrorKind::Usage, format!("`{}` is not a channel name", typed.escape_debug()))
                .hint("a channel is a login of 1 to 25 letters, digits and `_`, or `id:` and a number")),
        }
    }
}

impl TryFrom<String> for ChannelName {
    type Error = Error;

    fn try_from(typed: String) -> Result<ChannelName, Error> {
        typed.parse()
    }
}

impl From<ChannelName> for String {
    fn from(name: ChannelName) -> String {
        name.typed
    }
}

impl fmt::Display for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.typed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_and_ids_are_told_apart() {
        let name: ChannelName = " BurkeBlack ".parse().unwrap();
        assert_eq!((name.typed(), name.login()), ("BurkeBlack", Some("burkeblack")));
        let name: ChannelName = "id:71092938".parse().unwrap();
        assert_eq!((name.login(), name.id()), (None, Some("71092938")));
    }

    #[test]
    fn malformed_names_are_refused() {
        for typed in [
            "",
            " ",
            "id:",
            "id:1x",
            "id:99999999999999999999999",
            "a b",
            "é",
            "bur\u{212a}eblack",
            "a,b",
            &"x".repeat(26),
        ] {
            let error = typed.parse::<ChannelName>().unwrap_err();
            assert_eq!(error.kind, ErrorKind::Usage, "{typed:?}");
        }
    }
}
