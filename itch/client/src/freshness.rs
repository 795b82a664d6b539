//! How old a stored answer may be: the precedence of options, walk, request and endpoint.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use itch_api::sync::lock;
use itch_api::{Chain, Freshness, Policy, Request};

/// Which stored answers a request accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Accept {
    /// None: the answer must be fetched.
    Nothing,
    /// Answers of at most this age.
    UpTo(Duration),
    /// Answers of any age.
    AnyAge,
}

impl Accept {
    /// Whether an answer of this age is accepted. An unknown age is accepted only if any age is.
    pub fn allows(self, age: Option<Duration>) -> bool {
        match self {
            Accept::Nothing => false,
            Accept::UpTo(most) => age.is_some_and(|age| age <= most),
            Accept::AnyAge => true,
        }
    }
}

/// The options for the whole run.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CacheOptions {
    pub offline: bool,
    pub refresh: bool,
    pub max_age: Option<Duration>,
    pub stale_if_error: Option<Duration>,
}

/// Where the first page of a walk came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Walk {
    /// From a cache.
    Stored,
    /// From the network.
    Fetched,
}

/// The precedence: offline, a request that accepts nothing, the walk's first page, refresh, the largest age in the options, the request, the endpoint.
pub(crate) fn accept(options: CacheOptions, walk: Option<Walk>, request: &Request, policy: &Policy) -> Accept {
    if options.offline {
        return Accept::AnyAge;
    }
    // A page that could not be read is fetched again, wherever the others come from.
    if request.freshness == Freshness::Fresh {
        return Accept::Nothing;
    }
    match walk {
        // All stored pages of a walk are one state of the list, however long ago they were stored.
        Some(Walk::Stored) => return Accept::AnyAge,
        Some(Walk::Fetched) => return Accept::Nothing,
        None => {}
    }
    if options.refresh {
        return Accept::Nothing;
    }
    if let Some(most) = options.max_age {
        return Accept::UpTo(most);
    }
    match request.freshness {
        Freshness::MaxAge(seconds) => Accept::UpTo(Duration::from_secs(seconds)),
        Freshness::Immutable => Accept::AnyAge,
        // Also for a freshness of a newer version of `itch-api` that this client does not know.
        _ => Accept::UpTo(Duration::from_secs(policy.max_age)),
    }
}

/// What is accepted if the service fails: what is accepted anyway, and older answers as far as the options allow.
pub(crate) fn fallback(options: CacheOptions, walk: Option<Walk>, accept: Accept) -> Option<Accept> {
    let beyond = options.stale_if_error?;
    match (walk, accept) {
        // Pages from the network are one state of the list; an old page would be from another state.
        (Some(Walk::Fetched), _) | (_, Accept::AnyAge) => None,
        (_, Accept::Nothing) => Some(Accept::UpTo(beyond)),
        (_, Accept::UpTo(most)) => Some(Accept::UpTo(most.saturating_add(beyond))),
    }
}

/// How many walks are remembered. At most some hundred run in parallel.
const REMEMBERED: usize = 4096;

/// Remembers where the first page of each walk came from.
#[derive(Debug, Default)]
pub(crate) struct Walks {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    clock: u64,
    walks: HashMap<u64, (Walk, u64)>,
}

impl Walks {
    /// What later pages must follow; `None` for a first page, and if nothing was decided yet.
    pub fn decided(&self, chain: Option<Chain>) -> Option<Walk> {
        let chain = chain.filter(|chain| chain.page > 0)?;
        let mut state = lock(&self.state);
        state.clock += 1;
        let now = state.clock;
        let (walk, used) = state.walks.get_mut(&chain.id)?;
        *used = now;
        Some(*walk)
    }

    /// Records where the first page of a walk came from.
    pub fn decide(&self, id: u64, walk: Walk) {
        let mut state = lock(&self.state);
        if state.walks.len() >= REMEMBERED {
            // Forget the least recently used half: these walks have ended.
            let mut uses: Vec<u64> = state.walks.values().map(|(_, used)| *used).collect();
            let (_, middle, _) = uses.select_nth_unstable(REMEMBERED / 2);
            let middle = *middle;
            state.walks.retain(|_, (_, used)| *used > middle);
        }
        state.clock += 1;
        let now = state.clock;
        state.walks.insert(id, (walk, now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::policy;

    const TEN: Duration = Duration::from_secs(10);

    #[test]
    fn the_precedence() {
        let hour = Accept::UpTo(Duration::from_secs(3600));
        let ask = |offline, refresh, walk, max_age, freshness| {
            let mut request = Request::helix("videos");
            request.freshness = freshness;
            let options = CacheOptions {
                offline,
                refresh,
                max_age,
                stale_if_error: None,
            };
            accept(options, walk, &request, &policy(&request))
        };
        use Freshness::{Endpoint, Fresh, Immutable, MaxAge};
        let (stored, fetched) = (Some(Walk::Stored), Some(Walk::Fetched));
        for (offline, refresh, walk, max_age, freshness, expected) in [
            (false, false, None, None, Endpoint, hour),
            (false, false, None, None, Fresh, Accept::Nothing),
            (false, false, None, None, MaxAge(10), Accept::UpTo(TEN)),
            (false, false, None, None, Immutable, Accept::AnyAge),
            (false, false, None, Some(TEN), Endpoint, Accept::UpTo(TEN)),
            (false, false, None, Some(TEN), Fresh, Accept::Nothing),
            (false, false, None, Some(TEN), Immutable, Accept::UpTo(TEN)),
            (false, false, stored, Some(TEN), Fresh, Accept::Nothing),
            (false, false, fetched, Some(TEN), Immutable, Accept::Nothing),
            (false, true, None, Some(TEN), Immutable, Accept::Nothing),
            (false, true, fetched, Some(TEN), Immutable, Accept::Nothing),
            // The walk began with a stored page despite `refresh`: the service failed, so an old page was used.
            (false, true, stored, Some(TEN), Immutable, Accept::AnyAge),
            (true, true, fetched, Some(TEN), Fresh, Accept::AnyAge),
        ] {
            assert_eq!(ask(offline, refresh, walk, max_age, freshness), expected);
        }
    }

    #[test]
    fn what_is_taken_as_a_fallback() {
        let options = CacheOptions {
            stale_if_error: Some(TEN),
            ..CacheOptions::default()
        };
        let twenty = Some(Accept::UpTo(2 * TEN));
        for (options, walk, accept, expected) in [
            (options, None, Accept::UpTo(TEN), twenty),
            (options, Some(Walk::Stored), Accept::UpTo(TEN), twenty),
            (options, None, Accept::Nothing, Some(Accept::UpTo(TEN))),
            (options, Some(Walk::Fetched), Accept::Nothing, None),
            (options, None, Accept::AnyAge, None),
            (CacheOptions::default(), None, Accept::UpTo(TEN), None),
        ] {
            assert_eq!(fallback(options, walk, accept), expected);
        }
    }

    #[test]
    fn an_unknown_age_is_too_old() {
        assert!(Accept::UpTo(TEN).allows(Some(TEN)));
        assert!(!Accept::UpTo(TEN).allows(None));
        assert!(Accept::AnyAge.allows(None));
        assert!(!Accept::Nothing.allows(Some(Duration::ZERO)));
    }

    #[test]
    fn walks_are_remembered_and_bounded() {
        let walks = Walks::default();
        walks.decide(0, Walk::Stored);
        let later = |id| Some(Chain { id, page: 9 });
        for id in 1..20_000 {
            walks.decide(id, Walk::Fetched);
            // A walk that is still running is used again and again.
            assert_eq!(walks.decided(later(0)), Some(Walk::Stored));
        }
        assert_eq!(walks.decided(later(19_999)), Some(Walk::Fetched));
        assert_eq!(walks.decided(later(1)), None);
        assert_eq!(walks.decided(Some(Chain { id: 0, page: 0 })), None);
        assert!(lock(&walks.state).walks.len() <= REMEMBERED);
    }
}
