//! The secrets of this run, and their removal from what is printed: errors, warnings, log lines, the verdict.

use std::borrow::Cow;
use std::sync::LazyLock;

use itch_api::Service;
use itch_client::Secrets;
use itch_plugin::CacheSpec;
use serde_json::Value;

use crate::environment;

/// Tokens and passwords that are variables of the host.
const VARIABLES: [&str; 2] = ["TWITCH_TOKEN", "TWITCH_CLIENT_SECRET"];

/// Variables with a URL, which may have a password. Those of proxies are read in lower case, too.
const PROXIES: [&str; 3] = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"];

/// A variable of a cache whose name ends like this is a secret.
const SECRET_NAMES: [&str; 3] = ["PASSWORD", "SECRET", "TOKEN"];

static KNOWN: LazyLock<Secrets> = LazyLock::new(|| {
    let secrets = Secrets::default();
    let values = VARIABLES.into_iter().filter_map(environment::read);
    values.for_each(|value| secrets.add(&value));
    let services = Service::ALL.into_iter().map(Service::url_variable);
    let proxies = PROXIES.into_iter().map(environment::read);
    let proxies = proxies.chain(PROXIES.map(|name| environment::read(&name.to_lowercase())));
    let urls = proxies.chain(services.map(environment::read)).flatten();
    urls.for_each(|url| secrets.add_url(&url));
    secrets
});

/// The secrets that are known so far. The client adds those that it gets.
pub(crate) fn known() -> &'static Secrets {
    &KNOWN
}

/// Adds the secrets in the variables of a cache.
pub(crate) fn add_those_of(cache: &CacheSpec) {
    for variable in &cache.variables {
        let Some(value) = environment::read(&variable.name) else {
            continue;
        };
        if SECRET_NAMES.iter().any(|end| variable.name.ends_with(end)) {
            known().add(&value);
        }
        // A variable may name several servers.
        value.split([',', ' ']).for_each(|url| known().add_url(url));
    }
}

/// The text without secrets.
pub(crate) fn redact(text: &str) -> Cow<'_, str> {
    known().redact(text)
}

/// Removes the secrets in every text of a JSON value.
pub(crate) fn redact_json(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(clean) = redact(text) {
                *text = clean;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(redact_json),
        Value::Object(fields) => fields.values_mut().for_each(redact_json),
        _ => {}
    }
}
