//! The exit codes of the program. Those of errors are in one table with their kinds ([`itch_api::ErrorKind`]).

pub(crate) use itch_output::{EXIT_GAPS, EXIT_INTERRUPTED};

/// Success.
pub(crate) const DONE: u8 = 0;
/// The command line is wrong.
pub(crate) const USAGE: u8 = 2;

/// Each exit code and its meaning, as shown in the help.
pub(crate) const MEANINGS: [(u8, &str); 8] = [
    (DONE, "success, also if nothing was found or the reader closed the pipe"),
    (1, "failure, such as a full disk or a broken plugin"),
    (USAGE, "invalid command line or input"),
    (EXIT_GAPS, "finished, but a part is known to be missing"),
    (4, "sign-in failed, or a scope or role is missing"),
    (5, "not found"),
    (6, "the service failed, the rate limit was reached, or --offline lacks a response"),
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
