//! Facts about a run, noted where they are seen; the host alone makes the verdict of them.

use serde::{Deserialize, Serialize};

/// Something seen on the wire that bears on whether a report is complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Fact {
    /// The service says how many there are. Noted again at the end of a walk, since lists change meanwhile:
    /// the smaller number counts.
    Expected {
        /// Of what, in the plural.
        what: String,
        /// How many.
        n: u64,
    },
    /// Rows that came a second time and were left out.
    Repeated {
        /// How many.
        n: u64,
    },
    /// Things that are gone, such as deleted accounts. Counted, never a gap.
    Missing {
        /// Of what, in the plural.
        what: String,
        /// How many.
        n: u64,
        /// A few names.
        #[serde(default)]
        examples: Vec<String>,
    },
    /// A cursor came again: the walk was ended there.
    Looped,
    /// A part that should be there and is not.
    Gap {
        /// Where the gap begins, in the report's own terms.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<String>,
        /// Where it ends.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<String>,
        /// Why, in a few words.
        reason: String,
    },
    /// Faults on the way that were made good.
    Recovered {
        /// How many.
        n: u64,
    },
}
