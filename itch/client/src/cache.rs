//! Stored answers: the first store that has an answer is used, stores before it are filled from it, and every new
//! answer goes to all stores.

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use itch_api::sync::{ignore_poison, lock};
use itch_api::{Freshness, Policy, Request, Response, Result, Service};
use itch_plugin::{CacheStore, Put, StoredValue};
use tracing::debug;

use crate::Secrets;
use crate::address::Addresses;
use crate::body::Shape;
use crate::counters::Tally;
use crate::entry::{self, Corrupt, Entry, Meta};
use crate::freshness::Accept;
use crate::outline::outline;
use crate::settings::Warn;
use crate::store::Store;
use crate::wire::Answer;

/// A store may delete answers after this time: older ones are only useful for `--offline`.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The stores of a client.
pub(crate) struct Cache {
    stores: Vec<Store>,
    report: String,
    secrets: Secrets,
    tally: Arc<Tally>,
    pending: Arc<Pending>,
}

/// A value from a store, and the result of decoding it.
enum Found {
    Nothing,
    Broken(Vec<u8>),
    Read(Box<Entry>, Vec<u8>),
}

impl Cache {
    pub fn new(
        stores: Vec<(String, Box<dyn CacheStore>)>,
        strict: bool,
        report: String,
        secrets: Secrets,
        warn: &Warn,
        tally: &Arc<Tally>,
    ) -> Cache {
        let store = |(name, store)| Store::new(name, store, strict, Arc::clone(warn), Arc::clone(tally));
        Cache {
            stores: stores.into_iter().map(store).collect(),
            report,
            secrets,
            tally: Arc::clone(tally),
            pending: Arc::default(),
        }
    }

    /// Whether there are no stores.
    pub fn is_empty(&self) -> bool {
        self.stores.is_empty()
    }

    /// The stored answer for a key, if it is fresh enough.
    pub async fn find(&self, key: &str, request: &Request, accept: Accept) -> Result<Option<Response>> {
        if self.is_empty() || accept == Accept::Nothing {
            return Ok(None);
        }
        match self.search(key, request, accept).await? {
            Ok(response) => {
                self.tally.hits.one();
                Ok(Some(response))
            }
            Err(expired) => {
                match expired {
                    true => self.tally.expired.one(),
                    false => self.tally.misses.one(),
                }
                debug!(target: "itch::cache", "{}: {request}", if expired { "expired" } else { "miss" });
                Ok(None)
            }
        }
    }

    /// The same for another key, for a request that was counted as a miss for the first key.
    pub async fn find_again(&self, key: &str, request: &Request, accept: Accept) -> Result<Option<Response>> {
        if accept == Accept::Nothing {
            return Ok(None);
        }
        let found = self.search(key, request, accept).await?.ok();
        if found.is_some() {
            self.tally.hits.one();
        }
        Ok(found)
    }

    /// A stored answer to use when the service failed; it may be older than usual.
    pub async fn fallback(&self, key: &str, request: &Request, accept: Accept) -> Result<Option<Response>> {
        let Ok(response) = self.search(key, request, accept).await? else {
            return Ok(None);
        };
        self.tally.stale.one();
        let age = response.age.unwrap_or_default();
        self.tally.stale_age_ms.at_least(span_ms(age));
        Ok(Some(response))
    }

    /// The first fresh enough answer of the stores; if there is none, whether one was too old.
    async fn search(&self, key: &str, request: &Request, accept: Accept) -> Result<Result<Response, bool>> {
        let mut expired = false;
        for (place, store) in self.stores.iter().enumerate() {
            match self.look_and_heal(store, key, request).await? {
                Found::Nothing | Found::Broken(_) => {}
                Found::Read(entry, _) if !is_usable(request, accept, &entry) => expired = true,
                Found::Read(entry, bytes) => {
                    self.fill(place, key, &entry, bytes).await?;
                    if let Some(meta) = &entry.meta {
                        self.tally.saved_ms.add(meta.took_ms);
                    }
                    let age = entry.age.unwrap_or_default();
                    debug!(target: "itch::cache", "{}: hit, {} s old: {request}", store.name(), age.as_secs());
                    return Ok(Ok(Response {
                        status: entry.status,
                        age: Some(age),
                        body: entry.body,
                    }));
                }
            }
        }
        Ok(Err(expired))
    }

    /// Reads the value of a key from a store. A broken value is removed, and the value that it hid is read instead.
    async fn look_and_heal(&self, store: &Store, key: &str, request: &Request) -> Result<Found> {
        let found = self.look(store, key).await?;
        let Found::Broken(bytes) = &found else {
            return Ok(found);
        };
        self.tally.corrupt.one();
        // Values of the original itch have no signature, so this may be one. Its services no longer exist, so it
        // is kept.
        if request.service.is_legacy() && !bytes.starts_with(&[0x1f, 0x8b]) {
            return Ok(found);
        }
        debug!(target: "itch::cache", "{}: broken {key}, removed", store.name());
        let owned = key.to_owned();
        store.call(move |store| store.remove(&owned)).await?;
        self.look(store, key).await
    }

    async fn look(&self, store: &Store, key: &str) -> Result<Found> {
        let owned = key.to_owned();
        let Some(Some(value)) = store.call(move |store| store.get(&owned)).await? else {
            return Ok(Found::Nothing);
        };
        // Decompression takes time, and the next caller may use the store meanwhile.
        let owned = key.to_owned();
        let unpacked = tokio::task::spawn_blocking(move || unpack(&owned, value)).await;
        match unpacked {
            Ok((bytes, Ok(entry))) => Ok(Found::Read(Box::new(entry), bytes)),
            Ok((bytes, Err(Corrupt))) => Ok(Found::Broken(bytes)),
            Err(_) => Ok(Found::Broken(Vec::new())),
        }
    }

    /// Copies a value of a farther store into the nearer ones.
    async fn fill(&self, place: usize, key: &str, entry: &Entry, bytes: Vec<u8>) -> Result<()> {
        if place == 0 {
            return Ok(());
        }
        // The age of a value of the original itch is only in the file's time: in another store it would be new.
        if !bytes.starts_with(&[0x1f, 0x8b]) {
            return Ok(());
        }
        let ttl = (!entry.immutable).then(|| {
            KEPT.saturating_sub(entry.age.unwrap_or_default())
                .max(Duration::from_secs(1))
        });
        let bytes = Arc::new(bytes);
        for store in self.stores.iter().take(place) {
            let (key, bytes) = (key.to_owned(), Arc::clone(&bytes));
            let put = store.call(move |store| store.put(&key, &bytes, ttl));
            if put.await? == Some(Put::TooLarge) {
                self.tally.too_large.one();
            }
        }
        Ok(())
    }

    /// Stores an answer, if it may be stored, and returns it. It is stored before the caller gets it, so that after an
    /// interruption no answer has to be fetched again.
    pub async fn keep(
        self: &Arc<Cache>,
        key: &str,
        request: &Request,
        policy: &Policy,
        answer: Answer,
        took: Duration,
    ) -> Result<Answer> {
        if self.is_empty() || !(answer.is_success() || is_data_in_errors(policy, &answer)) {
            return Ok(answer);
        }
        let last_of_growing = request.freshness == Freshness::Growing && !is_inner_page(policy, &answer.body);
        // A service that repeats a token in an answer must not have it stored.
        let is_secret = || self.secrets.found_in(&answer.body);
        if last_of_growing || !storable(request.service, policy, &answer) || is_secret() {
            self.tally.not_stored.one();
            return Ok(answer);
        }
        let meta = Meta {
            key: key.to_owned(),
            stored_ms: millis(SystemTime::now()),
            status: answer.status,
            service: request.service.to_string(),
            took_ms: span_ms(took),
            report: self.report.clone(),
            request: self.secrets.redact(&Addresses::shown(request)).into_owned(),
            immutable: request.freshness == Freshness::Immutable,
            etag: answer.etag().filter(|etag| !self.secrets.found_in(etag.as_bytes())),
        };
        // A separate task: the answer is stored even if the request that waits for it is abandoned.
        let cache = Arc::clone(self);
        let pending = Writing::start(&self.pending);
        let storing = tokio::spawn(async move {
            let stored = cache.put(meta, &answer).await;
            drop(pending);
            stored.map(|()| answer)
        });
        storing.await.unwrap_or_else(|_| Err(itch_api::Error::cancelled()))
    }

    async fn put(&self, meta: Meta, answer: &Answer) -> Result<()> {
        let key = meta.key.clone();
        let ttl = (!meta.immutable).then_some(KEPT);
        let Some(bytes) = entry::encode(meta, &answer.body) else {
            self.tally.too_large.one();
            return Ok(());
        };
        let bytes = Arc::new(bytes);
        let mut stored = false;
        for store in &self.stores {
            let (key, bytes) = (key.clone(), Arc::clone(&bytes));
            let put = store.call(move |store| store.put(&key, &bytes, ttl));
            match put.await? {
                Some(Put::Stored) => stored = true,
                Some(Put::TooLarge) => {
                    self.tally.too_large.one();
                    debug!(target: "itch::cache", "{}: too large to be stored", store.name());
                }
                None => {}
            }
        }
        if stored {
            self.tally.stored.one();
        }
        Ok(())
    }

    /// Removes a stored answer that turned out to be bad.
    pub async fn discard(self: Arc<Cache>, key: String) {
        for store in &self.stores {
            let key = key.clone();
            // A store that fails is not used any more, and has said so.
            let _ = store.call(move |store| store.remove(&key)).await;
        }
    }

    /// Marks a change that a dropped client still waits for.
    pub fn change(&self) -> Writing {
        Writing::start(&self.pending)
    }

    /// Waits until pending answers are stored, but no longer than this.
    pub fn flush(&self, longest: Duration) {
        let deadline = Instant::now() + longest;
        let mut writing = lock(&self.pending.writing);
        while *writing > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            writing = ignore_poison(self.pending.ended.wait_timeout(writing, left)).0;
        }
    }
}

/// Whether a stored answer is fresh enough. One that lacks something that was asked for may have to be fresher, and one
/// without its list was never good.
fn is_usable(request: &Request, accept: Accept, entry: &Entry) -> bool {
    if !accept.allows(entry.age) || (200..300).contains(&entry.status) && !request.has_its_list(&entry.body) {
        return false;
    }
    let most = request.policy.as_ref().and_then(|policy| policy.incomplete_max_age);
    let (Accept::UpTo(_), Some(most)) = (accept, most.map(Duration::from_secs)) else {
        return true;
    };
    entry.age.is_some_and(|age| age <= most)
        || Shape::of(&entry.body).and_then(|shape| shape.rows).unwrap_or_default() >= request.query.len()
}

/// Decompresses a value outside the async threads.
fn unpack(key: &str, value: StoredValue) -> (Vec<u8>, Result<Entry, Corrupt>) {
    let entry = entry::decode(key, &value, SystemTime::now());
    (value.bytes, entry)
}

/// Whether the errors of a refusal are valid data for this endpoint.
fn is_data_in_errors(policy: &Policy, answer: &Answer) -> bool {
    policy.errors_are_data && answer.status == 400 && answer.shape.is_some_and(|shape| shape.errors)
}

/// Whether this page has rows and is not the last. False if the shape of the page is not known.
fn is_inner_page(policy: &Policy, body: &[u8]) -> bool {
    policy.page.as_ref().is_some_and(|page| {
        let pointers = [&page.list, &page.rows, &page.more].map(|pointer| &**pointer);
        page.is_inner(&outline(body, &pointers))
    })
}

/// Whether the body is complete, valid and not an error or refusal with a success status.
fn storable(service: Service, policy: &Policy, answer: &Answer) -> bool {
    let Some(shape) = answer.shape else {
        return false;
    };
    let hidden = policy.hides_rows(shape.total, shape.rows.unwrap_or_default());
    // For other services `errors` may be data: rechat sends the bounds of a video in one.
    let failed = shape.error || (service == Service::Gql && shape.errors);
    !failed && !hidden
}

fn millis(time: SystemTime) -> u64 {
    span_ms(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}

fn span_ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// Counts the answers that are being stored.
#[derive(Debug, Default)]
struct Pending {
    writing: Mutex<usize>,
    ended: Condvar,
}

/// One answer that is being stored.
#[derive(Debug)]
pub(crate) struct Writing(Arc<Pending>);

impl Writing {
    fn start(pending: &Arc<Pending>) -> Writing {
        *lock(&pending.writing) += 1;
        Writing(Arc::clone(pending))
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        *lock(&self.0.writing) -= 1;
        self.0.ended.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::Shape;
    use crate::policy::policy;

    fn answer(body: &str) -> Answer {
        Answer {
            status: 200,
            headers: reqwest::header::HeaderMap::new(),
            body: body.into(),
            shape: Shape::of(body.as_bytes()),
        }
    }

    #[test]
    fn only_real_answers_are_stored() {
        let followers = policy(&Request::helix("channels/followers"));
        let users = policy(&Request::helix("users").query("id", 1));
        let helix = Service::Helix;
        let rechat = policy(&Request::get(Service::Rechat, ""));
        for (service, policy, body, expected) in [
            (helix, &users, r#"{"data":[]}"#, true),
            (helix, &users, r#"{"error":"Not Found","status":404}"#, false),
            (helix, &users, r#"{"error":""}"#, true),
            (helix, &users, r#"{"total":5,"data":[]}"#, true),
            (helix, &users, "", false),
            (helix, &followers, r#"{"total":5,"data":[]}"#, false),
            (helix, &followers, r#"{"total":5}"#, false),
            (helix, &followers, r#"{"total":0,"data":[]}"#, true),
            (helix, &followers, r#"{"total":5,"data":[{}]}"#, true),
            (Service::Rechat, &rechat, r#"{"errors":[{"status":400}]}"#, true),
            (Service::Gql, &rechat, r#"{"errors":[{}],"data":null}"#, false),
        ] {
            let stored = storable(service, policy, &answer(body));
            assert_eq!(stored, expected, "{service}: {body}");
        }
    }
}
