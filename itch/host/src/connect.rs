//! Makes the client, with the identity and addresses of the environment or of the sandbox.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use itch_client::{Client, Settings};
use itch_plugin::{CacheStore, Registry};
use itch_sandbox::Sandbox;

use crate::account::choice;
use crate::config::Config;
use crate::options::report::ReportOptions;
use crate::printer::Printer;
use crate::{cache_stores, environment, paths, sandbox, secrets};

/// A client, and the simulated Twitch that it uses, if any.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) client: Client,
    /// The caches that were named.
    pub(crate) caches: Vec<String>,
    _sandbox: Option<Sandbox>,
}

/// Makes the client for one run. No request is sent.
pub(crate) fn connect(
    registry: &Registry,
    report: &str,
    options: &ReportOptions,
    printer: &Printer,
) -> anyhow::Result<Connection> {
    let ReportOptions {
        answers,
        network,
        account,
        ..
    } = options;
    answers.check()?;
    if answers.sandbox {
        choice::check_sandbox(account.login.as_deref())?;
    }
    let sandbox = answers.sandbox.then(sandbox::in_process).transpose()?;
    let pairs: Option<BTreeMap<String, String>> = sandbox.as_ref().map(|sandbox| {
        sandbox
            .environment()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    });
    // With a sandbox, its variables replace the environment.
    let read = |name: &str| match &pairs {
        Some(pairs) => pairs.get(name).cloned(),
        None => environment::read(name),
    };

    let strict = answers.cache_strict;
    let config = Config::read()?;
    let names = cache_stores::chosen(registry, answers.cache.clone(), &config)?;
    let stores: Vec<(String, Box<dyn CacheStore>)> =
        cache_stores::open(registry, &names, answers.cache_size, strict, printer)?;

    let mut settings = Settings::from_variables(read);
    settings.insecure_http = network.insecure_http;
    match sandbox {
        // The simulated Twitch has one user, so the cache can be used without signing in.
        Some(_) => settings.identity.user = Some("sandbox".to_owned()),
        None => {
            settings.identity.file = identity_file();
            choice::choose(&mut settings, account.login.as_deref(), &config.account)?;
            choice::log(&settings);
            settings.shared_limits = paths::limits_directory();
        }
    }
    if let Some(retries) = network.retries {
        settings.tries = retries + 1;
    }
    if let Some(timeout) = network.timeout {
        settings.timeout = timeout;
    }
    if let Some(max_wait) = network.max_wait {
        settings.max_wait = max_wait;
    }
    settings.caches = stores;
    settings.cache_strict = strict;
    settings.offline = answers.offline;
    settings.refresh = answers.refresh;
    settings.max_age = answers.max_age;
    settings.stale_if_error = answers.stale_if_error;
    settings.sandbox = sandbox
        .as_ref()
        .map(|sandbox| format!("{},{},{}", sandbox.seed(), itch_sandbox::DATA_VERSION, sandbox.day()));
    settings.gql = config.gql();
    settings.report = report.to_owned();
    let warnings = printer.clone();
    settings.warn = Arc::new(move |text| warnings.warning(text));
    let notices = printer.clone();
    settings.notice = Arc::new(move |text| notices.note(text));
    settings.secrets = secrets::known().clone();
    Ok(Connection {
        client: Client::new(settings)?,
        caches: names,
        _sandbox: sandbox,
    })
}

/// The file that records the user and client id of each token.
fn identity_file() -> Option<PathBuf> {
    Some(paths::data_directory()?.join("identities.json"))
}
