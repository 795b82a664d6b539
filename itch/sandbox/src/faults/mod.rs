//! Injected faults: the kinds, the rate of each, and whether one occurs for a given request or row.

mod kind;

use std::{fmt, str::FromStr};

pub(crate) use self::kind::Fault;
use crate::world::Seed;

/// The rate of each fault, parsed from a list such as `429=0.02,reset=0.01`. The [crate documentation](crate#faults)
/// describes each of them.
///
/// ```
/// let faults: itch_sandbox::Faults = "429=0.02, reset=0.01".parse()?;
/// assert_eq!(faults.to_string(), "429=0.02,reset=0.01");
///
/// let error = "resett=0.01".parse::<itch_sandbox::Faults>().unwrap_err();
/// assert!(error.to_string().starts_with("unknown fault `resett`, the known ones are 429, 500,"));
/// # Ok::<(), itch_sandbox::ParseFaultsError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Faults {
    rates: [f64; Fault::ALL.len()],
}

impl Faults {
    /// The name of each kind of fault, and what it does in a few words.
    pub fn kinds() -> impl Iterator<Item = (&'static str, &'static str)> {
        Fault::ALL.into_iter().map(|fault| (fault.name(), fault.about()))
    }

    /// The kinds as the lines of a help text.
    pub fn help() -> String {
        let lines = Faults::kinds().map(|(name, about)| format!("  {name:<18}{about}\n"));
        lines.collect()
    }

    /// Whether any of these faults can occur.
    pub(crate) fn any(&self, faults: &[Fault]) -> bool {
        faults.iter().any(|fault| self.rates[*fault as usize] > 0.0)
    }

    /// Whether a fault occurs for the item with this index. The same arguments always give the same result.
    pub(crate) fn strike(&self, fault: Fault, seed: Seed, index: u64) -> bool {
        let rate = self.rates[fault as usize];
        rate > 0.0 && seed.child("fault").child(fault.name()).unit(index) < rate
    }
}

impl Default for Faults {
    /// No faults.
    fn default() -> Faults {
        Faults {
            rates: [0.0; Fault::ALL.len()],
        }
    }
}

impl FromStr for Faults {
    type Err = ParseFaultsError;

    fn from_str(list: &str) -> Result<Faults, ParseFaultsError> {
        let mut faults = Faults::default();
        for entry in list.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let Some((name, rate)) = entry.split_once('=') else {
                return Err(ParseFaultsError::MissingRate {
                    fault: entry.to_owned(),
                });
            };
            let (name, rate) = (name.trim(), rate.trim());
            let Some(fault) = Fault::ALL.into_iter().find(|fault| fault.name() == name) else {
                return Err(ParseFaultsError::Unknown { fault: name.to_owned() });
            };
            match rate.parse() {
                Ok(value @ 0.0..=1.0) => faults.rates[fault as usize] = value,
                _ => {
                    let (fault, rate) = (name.to_owned(), rate.to_owned());
                    return Err(ParseFaultsError::InvalidRate { fault, rate });
                }
            }
        }
        Ok(faults)
    }
}

/// The list that parses to the same faults.
impl fmt::Display for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ordered = Fault::ALL.into_iter().zip(self.rates).filter(|(_, rate)| *rate > 0.0);
        for (index, (fault, rate)) in ordered.enumerate() {
            let comma = if index > 0 { "," } else { "" };
            write!(formatter, "{comma}{}={rate}", fault.name())?;
        }
        Ok(())
    }
}

/// Why a list of faults could not be parsed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseFaultsError {
    /// There is no fault with this name.
    #[error("unknown fault `{fault}`, the known ones are {}", Fault::ALL.map(Fault::name).join(", "))]
    Unknown {
        /// The name that was given.
        fault: String,
    },
    /// A name without a rate.
    #[error("fault `{fault}` has no rate: write `{fault}=0.01` for a chance of 1 in 100")]
    MissingRate {
        /// The entry that was given.
        fault: String,
    },
    /// The rate is not a number between 0 and 1.
    #[error("the rate of fault `{fault}` must be a number from 0 to 1, not `{rate}`")]
    InvalidRate {
        /// The name of the fault.
        fault: String,
        /// The rate that was given.
        rate: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_parsed_and_written_back() {
        let all = Fault::ALL.map(|fault| format!("{}=0.5", fault.name())).join(",");
        assert_eq!(all.parse::<Faults>().unwrap().to_string(), all);
        assert_eq!("".parse(), Ok(Faults::default()));
        assert_eq!(" reset = 1 , 429=0,".parse::<Faults>().unwrap().to_string(), "reset=1");
    }

    #[test]
    fn a_bad_list_names_the_culprit() {
        let message = |list: &str| list.parse::<Faults>().unwrap_err().to_string();
        let names = Faults::kinds().map(|(name, _)| name).collect::<Vec<_>>().join(", ");
        assert!(names.starts_with("429, 500, 503, reset, "), "{names}");
        assert_eq!(message("404=0.1"), format!("unknown fault `404`, the known ones are {names}"));
        assert!(message("reset").starts_with("fault `reset` has no rate"));
        for rate in ["1.1", "-0.1", "NaN", "often", ""] {
            assert_eq!(
                message(&format!("cut={rate}")),
                format!("the rate of fault `cut` must be a number from 0 to 1, not `{rate}`")
            );
        }
    }

    #[test]
    fn a_fault_strikes_at_its_rate_and_always_at_the_same_places() {
        let faults: Faults = "cut=0.1,reset=1".parse().unwrap();
        let seed = Seed::new(1);
        let struck: Vec<u64> = (0..10_000)
            .filter(|&index| faults.strike(Fault::Cut, seed, index))
            .collect();
        assert!((900..1_100).contains(&struck.len()), "{}", struck.len());
        assert!(struck.iter().all(|&index| faults.strike(Fault::Cut, seed, index)));
        assert!((0..1_000).all(|index| faults.strike(Fault::Reset, seed, index)));
        assert!((0..1_000).all(|index| !faults.strike(Fault::Stall, seed, index)));
    }
}
