//! Every environment variable that the host itself reads, in one table. Those of plugins are in their descriptions.

use itch_api::Service;
use itch_plugin::Variable;

/// The variable in which a script of `itch completions` names its shell.
pub(crate) const COMPLETE: &str = "ITCH_COMPLETE";

/// The day on which the simulated Twitch plays.
pub(crate) const SANDBOX_DAY: &str = "ITCH_SANDBOX_DAY";

/// Name, purpose, and default.
type Row = (&'static str, &'static str, Option<&'static str>);

/// The account and the application.
const IDENTITY: &[Row] = &[
    ("TWITCH_TOKEN", "A user access token; itch asks Twitch for its client id and user", None),
    (
        "TWITCH_CLIENT_ID",
        "The client id of your application (dev.twitch.tv/console), also for `itch login`",
        None,
    ),
    ("TWITCH_CLIENT_SECRET", "The client secret; with the client id, itch requests an app token", None),
];

/// The base URL of each service; the default is the service's own address.
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
    ("LOG_LEVEL", "What is logged on stderr: DEBUG, INFO, WARNING, ERROR or CRITICAL", Some("WARNING")),
    ("ITCH_PLUGIN_PATH", "Directories that are searched for plugins first, separated by colons", None),
    ("ITCH_NO_PLUGINS", "If set, only what is built in is used, as with --no-plugins", None),
    (
        SANDBOX_DAY,
        "The day (UTC) at whose start the data of the simulated Twitch end, such as 2026-11-01",
        Some("today"),
    ),
    (COMPLETE, "Set by the scripts of `itch completions`: the shell to complete for", None),
    ("NO_COLOR", "If set, no colour is used (no-color.org)", None),
    ("XDG_DATA_HOME", "Directory of your plugins and your accounts", Some("~/.local/share")),
    ("XDG_CONFIG_HOME", "Directory of `itch/config.toml`", Some("~/.config")),
    (
        "XDG_RUNTIME_DIR",
        "Directory in which your processes share their rate limits (never a token)",
        Some("~/.cache"),
    ),
    ("HOME", "The user's directory, for the directories above and for the file cache", None),
    ("HTTPS_PROXY", "The proxy for https; not used for this machine; also in lower case", None),
    ("HTTP_PROXY", "The proxy for plain http", None),
    (
        "ALL_PROXY",
        "The proxy for both; http://, https://, socks4://, socks5:// or, with its names, socks5h://",
        None,
    ),
    ("NO_PROXY", "Hosts for which no proxy is used, separated by commas", None),
    ("SSL_CERT_FILE", "A file of certificates to trust instead of the system's", None),
    ("SSL_CERT_DIR", "A directory of such certificates", None),
];

/// The variables that the host reads.
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
