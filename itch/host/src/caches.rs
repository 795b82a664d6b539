//! Opening the cache backends that `-c` names, through the same boundary as a third party's.

use std::sync::Arc;

use itch_api::{Error, ErrorKind, Fact, Request, Response, Result, Ticket, Transport};
use itch_plugin::abi::RunHost;
use itch_plugin::abi::drive::open_cache;
use itch_plugin::{CacheSettings, CacheStore, LogLevel, Registry};

use crate::environment;
use crate::failure::usage;
use crate::talk::Talk;

/// Opens stores in the order named. One that cannot be opened is left out with a warning, unless `strict`.
pub(crate) fn open(
    registry: &Registry,
    names: &[String],
    max_bytes: Option<u64>,
    strict: bool,
    talk: &Talk,
) -> Result<Vec<(String, Box<dyn CacheStore>)>> {
    let mut stores = Vec::new();
    for name in names {
        let Some((spec, unit)) = registry.cache(name) else {
            let known: Vec<&str> = registry
                .caches()
                .map(|(spec, _)| spec.name.as_str())
                .collect();
            return Err(usage(format!(
                "there is no cache `{}`; known: {}",
                name.escape_debug(),
                known.join(", ")
            ))
            .hint("itch plugins list"));
        };
        let read = |name: &String| Some((name.clone(), environment::read(name)?));
        let settings = CacheSettings {
            variables: spec
                .variables
                .iter()
                .filter_map(|variable| read(&variable.name))
                .collect(),
            max_bytes,
        };
        match open_cache(unit.item, Arc::new(CacheHost::default()), &settings) {
            Ok(store) => stores.push((name.clone(), store)),
            Err(error) if strict => {
                return Err(Error {
                    kind: ErrorKind::Service,
                    ..error
                }
                .context(format!("the cache `{name}` cannot be used")));
            }
            Err(error) => talk.warning(&format!("cache {name}: {error:#}; going on without it")),
        }
    }
    Ok(stores)
}

/// The host of a cache's run: it may log, and has nothing to fetch or to print.
struct CacheHost {
    transport: Arc<dyn Transport>,
}

impl Default for CacheHost {
    fn default() -> CacheHost {
        CacheHost {
            transport: Arc::new(NoTransport),
        }
    }
}

impl RunHost for CacheHost {
    fn transport(&self) -> &Arc<dyn Transport> {
        &self.transport
    }

    fn emit(&self, _: &[u8], _: u32) -> Result<()> {
        Err(not_for_caches())
    }

    fn progress(&self, _: u64, _: Option<u64>) {}

    fn log(&self, level: LogLevel, message: &str) {
        crate::sink::log(level, message);
    }
}

struct NoTransport;

impl Transport for NoTransport {
    fn start(&self, _: Request) -> Result<Ticket> {
        Err(not_for_caches())
    }

    fn wait(&self, _: Ticket) -> Result<Response> {
        Err(not_for_caches())
    }

    fn wait_any(&self, _: &[Ticket]) -> Result<usize> {
        Err(not_for_caches())
    }

    fn abandon(&self, _: Ticket) {}

    fn note(&self, _: Fact) {}

    fn cancelled(&self) -> bool {
        false
    }
}

fn not_for_caches() -> Error {
    Error::new(
        ErrorKind::Unsupported,
        "a cache backend neither fetches nor prints",
    )
}
