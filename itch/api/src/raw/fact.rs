//! Facts about a run, recorded where they are observed. Only the host turns them into a verdict.

use serde::{Deserialize, Serialize};

use super::Request;

/// An observation that affects whether a report is complete.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Fact {
    /// The total that the service reports. Recorded again at the end of a walk, since lists change meanwhile: the
    /// smaller number counts.
    Expected {
        /// Of what, in the plural.
        what: String,
        /// How many.
        n: u64,
    },
    /// Repeated rows that were left out.
    Repeated {
        /// How many.
        n: u64,
    },
    /// Things that no longer exist, such as deleted accounts. They are counted but are not a gap.
    Missing {
        /// Of what, in the plural.
        what: String,
        /// How many.
        n: u64,
        /// A few of their names.
        #[serde(default)]
        examples: Vec<String>,
        /// What happened to their rows, in a few words: "created empty".
        #[serde(default, skip_serializing_if = "Option::is_none")]
        remark: Option<String>,
    },
    /// The total that the service reports changed during a walk. So many rows may be missing without a gap, in addition
    /// to the usual tolerance.
    Moved {
        /// Of what, in the plural: as in [`Fact::Expected`].
        what: String,
        /// The difference between the first total and the last.
        by: u64,
    },
    /// Values or whole rows that could not be read. A value's cell is empty, a row is left out: the result is not
    /// complete.
    Unreadable {
        /// The column or field in backquotes (`` `created` ``), or `rows`.
        what: String,
        /// How many.
        n: u64,
        /// A few of them, with their place and what was found there: `page 2, row 5: null`.
        #[serde(default)]
        examples: Vec<String>,
    },
    /// Repeated rows were searched for among this many previous rows only, since the list is longer than that.
    SearchedBack {
        /// How many rows.
        rows: u64,
    },
    /// An answer turned out to be bad, so a stored copy of it must not be used again. A client removes the copy; the
    /// verdict ignores this fact.
    Discard {
        /// The request that it answered.
        request: Box<Request>,
    },
    /// A cursor was repeated, so the walk ended there.
    Looped,
    /// An expected part is missing.
    Gap {
        /// Where the gap begins, in the units of the report.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
        /// Where it ends.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<String>,
        /// Why, in a few words.
        reason: String,
    },
    /// Errors during the run from which it recovered.
    Recovered {
        /// How many.
        n: u64,
    },
}

/// The largest number of examples for missing or unreadable things.
const EXAMPLES: usize = 3;

impl Fact {
    /// Adds a fact to those already recorded. Counts of the same thing are added up, so that the list does not grow
    /// with the length of a walk.
    pub fn add_to(self, facts: &mut Vec<Fact>) {
        let merged = facts.iter_mut().any(|known| known.absorb(&self));
        if !merged {
            facts.push(self);
        }
    }

    /// Moves the remark that plugins built for ABI 1.0 put in brackets after the name (`accounts (created empty)`)
    /// into the `remark` field.
    pub fn with_remark_apart(self) -> Fact {
        match self {
            Fact::Missing {
                what,
                n,
                examples,
                remark: None,
            } => {
                let split = what.strip_suffix(')').and_then(|what| what.split_once(" ("));
                let (what, remark) = match split {
                    Some((name, remark)) => (name.to_owned(), Some(remark.to_owned())),
                    None => (what, None),
                };
                Fact::Missing {
                    what,
                    n,
                    examples,
                    remark,
                }
            }
            fact => fact,
        }
    }

    /// Merges another fact about the same thing; returns whether it was one.
    fn absorb(&mut self, other: &Fact) -> bool {
        match (self, other) {
            (Fact::Expected { what, n }, Fact::Expected { what: same, n: new }) if what == same => {
                *n = (*n).min(*new);
            }
            (Fact::Repeated { n }, Fact::Repeated { n: more })
            | (Fact::Recovered { n }, Fact::Recovered { n: more }) => *n = n.saturating_add(*more),
            (
                Fact::Missing {
                    what,
                    n,
                    examples,
                    remark,
                },
                Fact::Missing {
                    what: same,
                    n: more,
                    examples: names,
                    remark: same_remark,
                },
            ) if what == same && remark == same_remark => {
                *n = n.saturating_add(*more);
                let room = EXAMPLES.saturating_sub(examples.len());
                examples.extend(names.iter().take(room).cloned());
            }
            (
                Fact::Unreadable { what, n, examples },
                Fact::Unreadable {
                    what: same,
                    n: more,
                    examples: others,
                },
            ) if what == same => {
                *n = n.saturating_add(*more);
                let room = EXAMPLES.saturating_sub(examples.len());
                examples.extend(others.iter().take(room).cloned());
            }
            (Fact::Moved { what, by }, Fact::Moved { what: same, by: new }) if what == same => *by = (*by).max(*new),
            (Fact::SearchedBack { rows }, Fact::SearchedBack { rows: new }) => *rows = (*rows).min(*new),
            (Fact::Looped, Fact::Looped) => {}
            _ => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_does_not_grow_with_the_walk() {
        let expected = |n| Fact::Expected {
            what: "followers".to_owned(),
            n,
        };
        let missing = |n, name: &str| Fact::Missing {
            what: "accounts".to_owned(),
            n,
            examples: vec![name.to_owned()],
            remark: None,
        };
        let gap = Fact::Gap {
            from: None,
            to: None,
            reason: "r".to_owned(),
        };
        let mut facts = Vec::new();
        for fact in [
            expected(9),
            missing(1, "a"),
            expected(7),
            missing(2, "b"),
            gap.clone(),
            gap.clone(),
            expected(8),
        ] {
            fact.add_to(&mut facts);
        }
        let both = Fact::Missing {
            what: "accounts".to_owned(),
            n: 3,
            examples: vec!["a".to_owned(), "b".to_owned()],
            remark: None,
        };
        assert_eq!(facts, [expected(7), both, gap.clone(), gap]);
    }

    #[test]
    fn what_is_gone_with_another_remark_is_counted_apart() {
        let missing = |remark: Option<&str>| Fact::Missing {
            what: "accounts".to_owned(),
            n: 1,
            examples: Vec::new(),
            remark: remark.map(str::to_owned),
        };
        let mut facts = Vec::new();
        missing(None).add_to(&mut facts);
        missing(Some("created empty")).add_to(&mut facts);
        assert_eq!(facts, [missing(None), missing(Some("created empty"))]);
    }

    #[test]
    fn a_remark_of_the_first_version_is_read() {
        let read = |text: &str| serde_json::from_str::<Fact>(text).unwrap().with_remark_apart();
        let old = read(r#"{"fact":"missing","what":"accounts (created empty)","n":2}"#);
        let new = read(r#"{"fact":"missing","what":"accounts","n":2,"remark":"created empty"}"#);
        assert_eq!(old, new);
        let plain = read(r#"{"fact":"missing","what":"accounts","n":2}"#);
        assert!(matches!(plain, Fact::Missing { remark: None, .. }));
    }
}
