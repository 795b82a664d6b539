//! The exit codes of the program. Those of errors stand in one table with their kinds ([`itch_api::ErrorKind`]).

pub(crate) use itch_output::{EXIT_GAPS, EXIT_INTERRUPTED};

/// Everything was done.
pub(crate) const DONE: u8 = 0;
/// The command line is wrong.
pub(crate) const USAGE: u8 = 2;

/// Each exit code and what it means, as `--help` says it.
pub(crate) const MEANINGS: [(u8, &str); 8] = [
    (DONE, "done, also for nothing found and for a reader that closed the pipe"),
    (1, "failed: a full disk, a broken plugin"),
    (USAGE, "wrong usage"),
    (EXIT_GAPS, "done, but a part is known to be missing"),
    (4, "sign-in, scope or role missing"),
    (5, "not found"),
    (6, "the service or the rate limit gave out, or the cache lacks an answer while offline"),
    (EXIT_INTERRUPTED, "interrupted"),
];

#[cfg(test)]
mod tests {
    use itch_api::ErrorKind;

    use super::MEANINGS;

    #[test]
    fn every_kind_of_error_has_a_code_that_is_explained() {
        for (kind, code) in [
            (ErrorKind::Failed, 1),
            (ErrorKind::Usage, 2),
            (ErrorKind::SignIn, 4),
            (ErrorKind::NotFound, 5),
            (ErrorKind::Service, 6),
            (ErrorKind::RateLimited, 6),
            (ErrorKind::OfflineMiss, 6),
            (ErrorKind::BadData, 6),
            (ErrorKind::Unsupported, 2),
            (ErrorKind::Panic, 1),
            (ErrorKind::Cancelled, 130),
        ] {
            assert_eq!(kind.exit_code(), code, "{kind:?}");
            assert!(MEANINGS.iter().any(|(known, _)| *known == code), "{kind:?}");
        }
    }
}
