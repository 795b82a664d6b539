//! How a sandbox behaves: port, seed, delays, faults and limit.

use std::time::Duration;

use crate::{faults::Faults, limit};

/// How the sandbox behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port on 127.0.0.1; 0 takes any that is free.
    pub port: u16,
    /// Decides all data, and which requests the faults strike.
    pub seed: u64,
    /// How long every answer takes at least.
    pub latency: Duration,
    /// How much longer it may take.
    pub jitter: Duration,
    /// What goes wrong, and how often.
    pub faults: Faults,
    /// Points per minute for each app and each user, as Helix counts them. `None`: there is no
    /// limit, and answers do not mention one.
    pub rate_limit: Option<u32>,
}

impl Default for Options {
    /// Any port, seed 1, at once, no faults, Twitch's limit of 800 points per minute.
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
