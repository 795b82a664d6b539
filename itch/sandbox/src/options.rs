//! The options of a sandbox: port, seed, day, delays, faults, rate limit, and lifetimes.

use std::time::Duration;

use crate::{day::Day, faults::Faults, limit};

/// The options of a sandbox.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port on 127.0.0.1; 0 takes any free port.
    pub port: u16,
    /// The seed of all data, and of the choice of requests that fail.
    pub seed: u64,
    /// The day at whose first moment all data end.
    pub day: Day,
    /// The minimum time before every response.
    pub latency: Duration,
    /// The maximum additional time, chosen at random.
    pub jitter: Duration,
    /// Which faults occur, and how often.
    pub faults: Faults,
    /// Points per minute for each app and each user, counted like Helix does. `None`: there is no limit, and responses
    /// have no rate limit headers.
    pub rate_limit: Option<u32>,
    /// How long a user token is valid that the sandbox issues; the ones that always exist do not expire.
    pub token_life: Duration,
    /// How long a device code is valid.
    pub device_life: Duration,
    /// How long a device waits between two polls; one that asks earlier gets no token.
    pub device_interval: Duration,
}

impl Default for Options {
    /// Any port, seed 1, 2026-11-01, no delays, no faults, Twitch's limit of 800 points per minute and its lifetimes.
    fn default() -> Options {
        Options {
            port: 0,
            seed: 1,
            day: Day::default(),
            latency: Duration::ZERO,
            jitter: Duration::ZERO,
            faults: Faults::default(),
            rate_limit: Some(limit::DEFAULT_LIMIT),
            token_life: Duration::from_secs(14_124),
            device_life: Duration::from_secs(1_800),
            device_interval: Duration::from_secs(5),
        }
    }
}
