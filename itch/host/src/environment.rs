//! Every environment variable that the host itself reads, in one table. Those of plugins are in their descriptions.

use itch_api::Service;
use itch_plugin::Variable;

use crate::help::completions::VARIABLE;

/// Name, what it is for, and what holds if it is not set.
type Row = (&'static str, &'static str, Option<&'static str>);

/// Who asks.
const IDENTITY: &[Row] = &[
    ("TWITCH_TOKEN", "A user access token; its client id and user are asked from Twitch", None),
    ("TWITCH_CLIENT_ID", "The client id of your application (dev.twitch.tv/console)", None),
    ("TWITCH_CLIENT_SECRET", "Its secret; with the id, itch asks for an app token by itself", None),
];

/// The base URL of each service that something asks; what holds if it is not set is the service's own address.
const BASE_URLS: &[(Service, &str)] = &[
    (Service::Helix, "Base URL of the Helix API"),
    (Service::OAuth, "Base URL of the sign-in service"),
    (Service::Gql, "URL of the private GQL service"),
    (Service::Kraken, "Base URL of kraken, for `--source legacy`"),
    (Service::Tmi, "Base URL of tmi, for `--source legacy`"),
    (Service::Rechat, "URL of rechat, for `--source legacy`"),
    (Service::Loots, "Base URL of loots.com, for `--source legacy`"),
];

/// Everything else.
const OTHERS: &[Row] = &[
    ("LOG_LEVEL", "DEBUG, INFO, WARNING, ERROR or CRITICAL: what is logged on stderr", Some("WARNING")),
    ("ITCH_PLUGIN_PATH", "Directories in which plugins are looked for first, separated by colons", None),
    ("ITCH_NO_PLUGINS", "Any text leaves everything away that is not built in", None),
    (VARIABLE, "Set by the scripts of `itch completions`: the shell that asks", None),
    ("NO_COLOR", "Any text turns colour off (no-color.org)", None),
    (
        "XDG_DATA_HOME",
        "Where itch keeps what it knows about your tokens (never a token)",
        Some("~/.local/share"),
    ),
    ("XDG_CONFIG_HOME", "Where `itch/config.toml` is", Some("~/.config")),
    ("HOME", "The user's directory, for the places above and for the file cache", None),
    ("HTTPS_PROXY", "The proxy for https, except to this machine; in lower case too", None),
    ("HTTP_PROXY", "The proxy for plain http", None),
    ("ALL_PROXY", "The proxy for both", None),
    ("NO_PROXY", "Hosts that are asked without a proxy, separated by commas", None),
    ("SSL_CERT_FILE", "A file of certificates to trust in place of the system's", None),
    ("SSL_CERT_DIR", "A directory of such files", None),
];

/// The variables of the host's own.
pub(crate) fn variables() -> impl Iterator<Item = Variable> {
    let addresses = BASE_URLS
        .iter()
        .map(|(service, help)| (service.url_variable(), *help, Some(service.canonical())));
    let all = IDENTITY.iter().copied().chain(addresses).chain(OTHERS.iter().copied());
    all.map(|(name, help, default)| Variable {
        name: name.to_owned(),
        help: help.to_owned(),
        default: default.map(str::to_owned),
    })
}

/// The value of a variable, if it is set, not empty, and text.
pub(crate) fn read(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
