//! Opens a cache by its name, for the host and for programs that use itch as a library.

use std::sync::Arc;

use itch_api::{Error, ErrorKind, Result};

use super::{Registered, Registry};
use crate::abi::{LogHost, drive};
use crate::{CacheSettings, CacheSpec, CacheStore};

impl Registry {
    /// The cache backend with this name or full name. For an unknown name, returns an error of kind
    /// [`ErrorKind::Usage`] that lists the known ones.
    pub fn known_cache(&self, name: &str) -> Result<(&CacheSpec, &Registered)> {
        self.cache(name).ok_or_else(|| {
            let known: Vec<&str> = self.caches().map(|(spec, _)| spec.name.as_str()).collect();
            let message = format!("there is no cache `{}`; known: {}", name.escape_debug(), known.join(", "));
            Error::new(ErrorKind::Usage, message).hint("itch plugins list")
        })
    }

    /// Opens the cache backend with this name or full name. Log lines of the store go to the log of the settings.
    ///
    /// ```
    /// use itch_plugin::{CacheSettings, Registry};
    ///
    /// let error = Registry::linked_in().open_cache("nowhere", &CacheSettings::default()).err();
    /// assert!(error.is_some_and(|error| error.message.contains("there is no cache `nowhere`")));
    /// ```
    pub fn open_cache(&self, name: &str, settings: &CacheSettings) -> Result<Box<dyn CacheStore>> {
        let (_, unit) = self.known_cache(name)?;
        let log = settings.log.clone();
        let host = LogHost::new(move |level, message: &str| log.line(level, message));
        drive::open_cache(unit.item, Arc::new(host), settings)
    }
}
