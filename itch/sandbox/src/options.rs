//! The options of a sandbox: port, seed, delays, faults and rate limit.

use std::time::Duration;

use crate::{faults::Faults, limit};

/// The options of a sandbox.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port on 127.0.0.1; 0 takes any free port.
    pub port: u16,
    /// The seed of all data, and of the choice of requests that fail.
    pub seed: u64,
    /// The minimum time before every response.
    pub latency: Duration,
    /// The maximum additional time, chosen at random.
    pub jitter: Duration,
    /// Which faults occur, and how often.
    pub faults: Faults,
    /// Points per minute for each app and each user, counted like Helix does. `None`: there is no limit, and responses
    /// have no rate limit headers.
    pub rate_limit: Option<u32>,
}

impl Default for Options {
    /// Any port, seed 1, no delays, no faults, Twitch's limit of 800 points per minute.
    fn default() -> Options {
        Options {
            port: 0,
            seed: 1,
            latency: Duration::ZERO,
            jitter: Duration::ZERO,
            faults: Faults::default(),
            rate_limit: Some(limit::DEFAULT_LIMIT),
        }
    }
}
