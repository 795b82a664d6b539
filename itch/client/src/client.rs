//! The client: the layers for a request, and the path of a request through them.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use itch_api::sync::lock;
use itch_api::{
    Api, CacheScope, Error, ErrorKind, Fact, Policy, Request, Response, Result, Service, Ticket, Transport,
};
use reqwest::header::HeaderValue;
use tokio::runtime::{Handle, Runtime};

use crate::address::Addresses;
use crate::cache::Cache;
use crate::coalesce::Question;
use crate::counters::{Counters, Tally};
use crate::direct::{DirectAnswer, DirectFailure, DirectRequest, SignedIn, Stop};
use crate::fetch::Fetcher;
use crate::freshness::{Accept, CacheOptions, Walk, Walks, accept, fallback};
use crate::gql::other_form;
use crate::key;
use crate::limit_file::LimitFiles;
use crate::limiter::Limiter;
use crate::passing::may_be_stored;
use crate::policy::policy;
use crate::retry::Patience;
use crate::sign_in::{Identity, SignInContext, Who, wait_for_renewals};
use crate::tickets::{Landing, Tickets};
use crate::waits::{Wait, Waits};
use crate::wire::Wire;
use crate::{Secrets, Settings};

/// How long a dropped client waits for answers that are being stored.
const LAST_WRITES: Duration = Duration::from_secs(1);

/// Carries requests to Twitch. Cloning it is cheap; all clones share one client.
///
/// Its calls block, so do not use them in `async` code. When the last clone and the last [`Api`] over it are dropped,
/// all requests in flight are abandoned.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

/// The shared state. Tasks hold only the core, so that none of them can drop the runtime that it runs on.
struct Inner {
    core: Arc<Core>,
    runtime: Mutex<Option<Runtime>>,
}

struct Core {
    tickets: Arc<Tickets>,
    walks: Walks,
    options: CacheOptions,
    cache: Arc<Cache>,
    fetcher: Fetcher,
    addresses: Arc<Addresses>,
    tally: Arc<Tally>,
    waits: Arc<Waits>,
    secrets: Secrets,
    /// Ends what waits for requests that have no ticket.
    stop: Stop,
    facts: Mutex<Vec<Fact>>,
    /// How long a dropped client waits for the renewal of a token that has been sent.
    longest_renewal: Duration,
    /// Services that failed and were replaced by stored answers: later requests do not wait for them again.
    failed_services: Mutex<HashSet<Service>>,
}

/// A request, with what is known about it at the start.
struct RequestTask {
    request: Request,
    policy: Policy,
    accept: Accept,
    /// Which stored answers to accept if the service fails.
    fallback: Option<Accept>,
    /// The text of the cache key.
    text: String,
}

impl Client {
    /// A client with these settings.
    ///
    /// Connections, the thread and certificates are only set up with the first request. An invalid base URL is an
    /// error of kind [`ErrorKind::Usage`].
    pub fn new(settings: Settings) -> Result<Client> {
        let secrets = settings.secrets.clone();
        Client::with(settings).map_err(|error| secrets.redact_error(error))
    }

    fn with(mut settings: Settings) -> Result<Client> {
        let secrets = settings.secrets.clone();
        settings.identity.register(&secrets);
        for line in [&mut settings.warn, &mut settings.notice] {
            let (secrets, clean) = (secrets.clone(), Arc::clone(line));
            *line = Arc::new(move |text| clean(&secrets.redact(text)));
        }
        let addresses = Arc::new(Addresses::new(&settings)?);
        let tally = Arc::<Tally>::default();
        let waits = Waits::new(settings.max_wait, Arc::clone(&settings.notice));
        let patience = Patience {
            tries: settings.tries.max(1),
            hint: if settings.caches.is_empty() {
                ", or run again with `-c file` to keep the answers between runs"
            } else {
                " and run again: the answers fetched so far are in the cache"
            },
            tally: Arc::clone(&tally),
            waits: Arc::clone(&waits),
        };
        let mut limiter = Limiter::new(settings.connections, &tally, &waits);
        if let Some(directory) = settings.shared_limits {
            limiter = limiter.sharing(Arc::new(LimitFiles::new(directory)), Arc::clone(&settings.warn));
        }
        let client_id = settings.identity.client_id.as_deref();
        let client_id = client_id.map(HeaderValue::from_str).transpose();
        let fetcher = Fetcher {
            client_id: client_id
                .map_err(|_| Error::new(ErrorKind::Usage, "the Twitch client id contains invalid characters"))?,
            identity: Identity::new(settings.identity, Arc::clone(&settings.warn)),
            limiter,
            context: SignInContext {
                wire: Arc::new(Wire::new(
                    settings.timeout,
                    settings.connections,
                    Arc::clone(&tally),
                    secrets.clone(),
                    settings.insecure_http,
                )),
                patience,
                addresses: Arc::clone(&addresses),
                secrets: secrets.clone(),
                closing: Arc::default(),
            },
            gql: settings.gql,
        };
        let cache = Cache::new(
            settings.caches,
            settings.cache_strict,
            settings.report,
            secrets.clone(),
            &settings.warn,
            &tally,
        );
        let core = Core {
            tickets: Arc::default(),
            walks: Walks::default(),
            options: CacheOptions {
                offline: settings.offline,
                refresh: settings.refresh,
                max_age: settings.max_age,
                stale_if_error: settings.stale_if_error,
            },
            cache: Arc::new(cache),
            fetcher,
            addresses,
            tally,
            waits,
            secrets,
            stop: Stop::new(false),
            facts: Mutex::default(),
            longest_renewal: settings.timeout + LAST_WRITES,
            failed_services: Mutex::default(),
        };
        Ok(Client {
            inner: Arc::new(Inner {
                core: Arc::new(core),
                runtime: Mutex::new(None),
            }),
        })
    }

    /// The API handle over this client.
    pub fn api(&self) -> Api {
        Api::new(Arc::new(self.clone()))
    }

    /// Stops the client: every wait ends at once with [`ErrorKind::Cancelled`], and no new request starts. Answers that
    /// have arrived can still be taken.
    pub fn cancel(&self) {
        self.inner.core.close();
        self.inner.core.tickets.cancel();
        self.inner.core.stop.send_replace(true);
    }

    /// Sends one request as it is, without a cache, and waits for the answer, whatever its status. Only requests that
    /// may be repeated without harm are retried. `sending` is called once, immediately before the request may leave; if
    /// it fails, nothing is sent.
    pub fn send(
        &self,
        request: &DirectRequest,
        sending: impl FnOnce() -> Result<()>,
    ) -> Result<DirectAnswer, DirectFailure> {
        let core = &self.inner.core;
        if request.service == Service::Gql && core.fetcher.gql.is_none() {
            return Err(DirectFailure::not_sent(gql_is_disabled()));
        }
        let runtime = self.runtime().map_err(DirectFailure::not_sent)?;
        let sent = runtime.block_on(core.fetcher.send(request, &core.stop, sending));
        sent.map_err(|failure| DirectFailure {
            error: core.secrets.redact_error(failure.error),
            ..failure
        })
    }

    /// The URL that a request is sent to.
    pub fn address(&self, request: &DirectRequest) -> Result<String> {
        Ok(self.inner.core.fetcher.direct_url(request)?.into())
    }

    /// Signs in, if that was not done yet, and says for whom requests to Helix are sent.
    pub fn account(&self) -> Result<SignedIn> {
        let core = &self.inner.core;
        let account = self.runtime()?.block_on(core.fetcher.account());
        account.map_err(|error| core.secrets.redact_error(error))
    }

    /// Ends the client, as dropping its last clone does: abandons all requests in flight, waits for answers that are being
    /// stored and for a token that is being renewed, and gives the points of shared rate limits back. A program calls it
    /// before it ends.
    pub fn close(&self) {
        self.inner.close();
    }

    /// Who the client is, as far as it is known without asking Twitch.
    pub fn who(&self) -> Who {
        self.inner.core.fetcher.identity.who()
    }

    /// The counters of the client.
    pub fn counters(&self) -> Counters {
        self.inner.core.tally.snapshot()
    }

    /// Until when requests wait; `None` if none of them wait.
    pub fn waiting_until(&self) -> Option<SystemTime> {
        self.waiting().map(|wait| wait.until)
    }

    /// The wait that ends last; `None` if no request waits.
    pub fn waiting(&self) -> Option<Wait> {
        self.inner.core.waits.current()
    }

    /// The facts recorded so far, for a program that uses the client as a library and makes its own verdict.
    pub fn facts(&self) -> Vec<Fact> {
        lock(&self.inner.core.facts).clone()
    }

    /// Starts to remove the stored answer to a request.
    fn discard(&self, request: &Request) {
        let core = &self.inner.core;
        if core.cache.is_empty() || core.options.offline {
            return;
        }
        let Ok(runtime) = self.runtime() else { return };
        let key = key::key(&core.text(request, &policy(request)));
        let (cache, change) = (Arc::clone(&core.cache), core.cache.change());
        runtime.spawn(async move {
            cache.discard(key).await;
            drop(change);
        });
    }

    fn runtime(&self) -> Result<Handle> {
        let mut runtime = lock(&self.inner.runtime);
        if let Some(runtime) = &*runtime {
            return Ok(runtime.handle().clone());
        }
        let started = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("itch-client")
            .enable_all()
            .build()
            .map_err(|error| {
                Error::new(ErrorKind::Failed, "could not start the client's thread").source_chain(&error)
            })?;
        let handle = started.handle().clone();
        *runtime = Some(started);
        Ok(handle)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("counters", &self.counters())
            .finish_non_exhaustive()
    }
}

impl Transport for Client {
    fn start(&self, request: Request) -> Result<Ticket> {
        if request.service == Service::OAuth {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "requests to the sign-in service are not allowed: the client signs in by itself",
            ));
        }
        let core = &self.inner.core;
        let policy = policy(&request);
        let walk = core.walks.decided(request.chain);
        let accept = accept(core.options, walk, &request, &policy);
        let fallback = fallback(core.options, walk, accept);
        let text = core.text(&request, &policy);
        let question = Question {
            text: text.clone(),
            accept,
        };
        let begins = request.chain.filter(|chain| chain.page == 0);
        let runtime = self.runtime()?;
        let launch = |landing| {
            let task = RequestTask {
                request,
                policy,
                accept,
                fallback,
                text,
            };
            runtime.spawn(Arc::clone(core).run(task, landing)).abort_handle()
        };
        core.tickets.issue(question, begins.map(|chain| chain.id), launch)
    }

    fn wait(&self, ticket: Ticket) -> Result<Response> {
        self.inner.core.tickets.wait(ticket)
    }

    fn wait_any(&self, tickets: &[Ticket]) -> Result<usize> {
        self.inner.core.tickets.wait_any(tickets)
    }

    fn abandon(&self, ticket: Ticket) {
        self.inner.core.tickets.abandon(ticket);
    }

    fn note(&self, fact: Fact) {
        match fact {
            Fact::Discard { request } => self.discard(&request),
            fact => fact.add_to(&mut lock(&self.inner.core.facts)),
        }
    }

    fn cancelled(&self) -> bool {
        self.inner.core.tickets.cancelled()
    }
}

impl Core {
    /// No renewal of a token is tried again.
    fn close(&self) {
        self.fetcher.context.closing.store(true, Ordering::Relaxed);
    }

    /// The text of the cache key, as far as it is known without asking Twitch for the user.
    fn text(&self, request: &Request, policy: &Policy) -> String {
        let user = self.fetcher.identity.asker(&policy.scope);
        let place = self.addresses.place(request.service);
        key::text(request, place, user.as_deref())
    }

    async fn run(self: Arc<Core>, task: RequestTask, landing: Landing) {
        let outcome = self.answer(task).await;
        let outcome = outcome.map_err(|error| self.secrets.redact_error(error));
        let walk = match &outcome {
            Ok(response) if response.from_cache() => Some(Walk::Stored),
            Ok(_) => Some(Walk::Fetched),
            Err(_) => None,
        };
        landing.land(outcome, |flight| {
            for id in &flight.walks {
                if let Some(walk) = walk {
                    self.walks.decide(*id, walk);
                }
            }
        });
    }

    /// The path of one request through the layers.
    async fn answer(&self, task: RequestTask) -> Result<Response> {
        let RequestTask {
            request,
            policy,
            accept,
            fallback,
            mut text,
        } = task;
        // Reported by `wait`: an error of `start` would lose its message at the boundary to a plugin.
        if request.service == Service::Gql && self.fetcher.gql.is_none() {
            return Err(gql_is_disabled());
        }
        if self.must_learn_user(&policy) {
            self.fetcher.identity.credentials(&self.fetcher.context).await?;
            text = self.text(&request, &policy);
        }
        let key = key::key(&text);
        if let Some(response) = self.cache.find(&key, &request, accept).await? {
            return Ok(response);
        }
        let other_form = self.other_form(&request, &policy);
        if let Some((key, request)) = &other_form
            && let Some(response) = self.cache.find_again(key, request, accept).await?
        {
            return Ok(response);
        }
        if self.options.offline {
            return Err(self.offline_miss(&request));
        }
        let fallback = fallback.filter(|_| !self.cache.is_empty());
        if let Some(accept) = fallback
            && lock(&self.failed_services).contains(&request.service)
            && let Some(response) = self.cache.fallback(&key, &request, accept).await?
        {
            return Ok(response);
        }
        let start = Instant::now();
        let fetched = match self.own_answer(&key, &request, &policy, accept).await {
            Ok(Some(response)) => return Ok(response),
            Ok(None) => self.fetcher.fetch(&request, &policy).await,
            Err(error) => Err(error),
        };
        let answer = match (fetched, fallback) {
            (Ok(answer), _) => answer,
            (Err(error), Some(accept)) if is_service_failure(&error) => {
                let mut stored = self.cache.fallback(&key, &request, accept).await?;
                if let (None, Some((key, request))) = (&stored, &other_form) {
                    stored = self.cache.fallback(key, request, accept).await?;
                }
                let response = stored.ok_or(error)?;
                lock(&self.failed_services).insert(request.service);
                return Ok(response);
            }
            (Err(error), _) => return Err(error),
        };
        let took = start.elapsed();
        // Now the user is known, and whether this answer may be shared.
        let key = key::key(&self.text(&request, &policy));
        let answer = match may_be_stored(self.fetcher.subject(&request), &answer) {
            true => self.cache.keep(&key, &request, &policy, answer, took).await?,
            false => answer,
        };
        Ok(Response {
            status: answer.status,
            age: None,
            body: answer.body,
        })
    }

    /// The other form of a GQL request, with the key under which its answer may be stored.
    fn other_form(&self, request: &Request, policy: &Policy) -> Option<(String, Request)> {
        let other = other_form(request).filter(|_| !self.cache.is_empty())?;
        Some((key::key(&self.text(&other, policy)), other))
    }

    /// Whether Twitch must be asked for the user before a stored answer can be used.
    fn must_learn_user(&self, policy: &Policy) -> bool {
        policy.scope == CacheScope::User
            && !self.options.offline
            && !self.cache.is_empty()
            && self.fetcher.identity.can_learn_user()
    }

    /// Looks up the user's own answer. Sending a request requires the user; if the user was not known before, the
    /// answer may be stored under another key than the shared one, which was looked up first.
    async fn own_answer(
        &self,
        looked_for: &str,
        request: &Request,
        policy: &Policy,
        accept: Accept,
    ) -> Result<Option<Response>> {
        let may_differ = matches!(policy.scope, CacheScope::UserWith(_)) && !self.cache.is_empty();
        if !may_differ || !self.fetcher.identity.can_learn_user() {
            return Ok(None);
        }
        self.fetcher.identity.credentials(&self.fetcher.context).await?;
        let key = key::key(&self.text(request, policy));
        match key == looked_for {
            true => Ok(None),
            false => self.cache.find_again(&key, request, accept).await,
        }
    }

    fn offline_miss(&self, request: &Request) -> Error {
        let error = Error::new(ErrorKind::OfflineMiss, format!("there is no stored answer to `{request}`"));
        error.hint(if self.cache.is_empty() {
            "`--offline` needs a cache: name it with `-c`"
        } else {
            "run once without `--offline`, with the same cache and the same identity"
        })
    }
}

fn gql_is_disabled() -> Error {
    Error::new(ErrorKind::Unsupported, "the undocumented GQL service is disabled in the configuration")
        .hint("remove `gql = \"off\"` from `[services]` in itch's config.toml")
}

/// Whether the service failed, as opposed to an error in the request or the identity.
fn is_service_failure(error: &Error) -> bool {
    matches!(error.kind, ErrorKind::Service | ErrorKind::RateLimited | ErrorKind::BadData)
}

impl Inner {
    fn close(&self) {
        self.core.close();
        self.core.tickets.cancel();
        let Some(runtime) = lock(&self.runtime).take() else {
            return;
        };
        wait_for_renewals(self.core.longest_renewal);
        self.core.cache.flush(LAST_WRITES);
        self.core.fetcher.limiter.close();
        // Dropping the runtime normally would wait for a store that hangs, and is not allowed in `async` code.
        runtime.shutdown_background();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}
