//! The kinds of faults: the name of each on a command line, and what it does.

/// Defines [`Fault`] with a name and a description for each kind.
macro_rules! kinds {
    ($($kind:ident $name:literal $about:literal)+) => {
        /// What can go wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Fault {
            $(#[doc = $about] $kind,)+
        }

        impl Fault {
            /// Every kind, in the order of the documentation.
            pub(crate) const ALL: [Fault; [$($name),+].len()] = [$(Fault::$kind),+];

            /// Its name on a command line.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Fault::$kind => $name,)+ }
            }

            /// What it does, in a few words.
            pub(crate) const fn about(self) -> &'static str {
                match self { $(Fault::$kind => $about,)+ }
            }
        }
    };
}

kinds! {
    TooManyRequests "429" "the rate limit is exceeded"
    InternalError "500" "a server error"
    Unavailable "503" "a server error"
    Reset "reset" "the connection is reset before the response"
    Cut "cut" "the connection closes in the middle of the body"
    Stall "stall" "the headers, and then no body"
    Slow "slow" "the body takes two seconds"
    Html "html" "status 200 and a page of HTML"
    Expired "expired" "401 from Helix, as if the token had just expired"
    Gone "gone" "an account is missing from `users`"
    Duplicate "duplicate" "a page starts with rows of the one before it"
    Shift "shift" "the same, and the page is one row short"
    EmptyLast "empty-last" "the last page has a cursor to an empty one"
    Loop "loop" "a page has the cursor that it was asked with"
    NoRows "no-rows" "an empty page with a cursor, then the actual page"
    OauthInternalError "oauth-500" "a server error of the sign-in service"
    GqlNull "gql-null" "`comments` is null, without an error"
    GqlError "gql-error" "`service error`, and null"
    GqlTimeout "gql-timeout" "`service timeout`, and null"
    GqlDataNull "gql-data-null" "`data` is null, without an error"
    GqlUnknown "gql-unknown" "`PersistedQueryNotFound` for a known hash"
    GqlIntegrity "gql-integrity" "cursors are refused to one client id"
    GqlIntegrityAll "gql-integrity-all" "cursors are refused to every client id"
    LegacyErrorWith200 "legacy-200-error" "an error in the body, and status 200"
    Outage "outage" "one of 408, 425, 500 to 504 and 520 to 527"
    False429 "false-429" "429 although points are left, or without headers"
    ResetInMillis "reset-ms" "429 from Helix with the reset in milliseconds"
    Echo "echo" "a server error that repeats the credentials"
    EchoLocation "echo-location" "a redirection to a URL with the credentials"
    OauthOutage "oauth-outage" "404, 408, 429, 5xx or HTML from the sign-in service"
    OauthOdd "oauth-odd" "unusual types in answers of the sign-in service"
    OauthLost "oauth-lost" "a token is renewed, and the answer is lost"
    OauthPoll "oauth-poll" "a poll of a device ends in an error, HTML or a reset"
    OauthDevice "oauth-device" "`invalid device code` before the first pending answer"
    OauthScope "oauth-scope" "`scope` missing, empty or `[\"\"]` in an answer with tokens"
    Mark "bom" "a byte order mark before the body"
    GzipMembers "gzip-members" "a gzip body of two members"
    MediaType "media-type" "a wrong Content-Type"
    NullList "null-list" "the list of rows is null or missing"
    EarlyEnd "early-end" "a page says that it is the last, and is not"
    EmptyPage "empty-page" "a page without its rows, with or without a cursor"
    TotalDrift "total-drift" "a total that differs from the list"
    OddTotal "odd-total" "a total that is null, a text, negative or missing"
    OddEnvelope "odd-envelope" "one value outside the rows is replaced or removed"
    GqlPath "gql-path" "an error whose path names a null beside good data"
    GqlUnknownText "gql-unknown-text" "`service unavailable` and other texts, with status 200"
    GqlStatus "gql-status" "the errors of GraphQL with status 400 or 403"
    Endless "endless" "rows repeat for ever under new cursors"
    LateRepeat "late-repeat" "rows return twelve or more pages later"
    ShortPage "short-page" "a page has fewer rows than asked for"
    LongPage "long-page" "a page has 30 more rows than asked for"
    Disorder "disorder" "the rows of a page are out of order"
    OddField "odd-field" "one field of a row is null, missing or of a wrong type"
    OddValue "odd-value" "one field of a row is empty, -1, 0 or another text"
    OddKey "odd-key" "the key of a row is null, missing or of a wrong type"
    Blank "blank" "the id and the names of a row are empty"
    ZeroTime "zero-time" "a time is zero, empty or unreadable, a length 0s"
    BadText "bad-text" "a text has an unpaired surrogate or bad UTF-8"
    RefusedId "refused-id" "`users` refuses every batch with the account"
}

impl Fault {
    /// The faults that change the JSON of an answer after a service has made it.
    pub(crate) const IN_JSON: [Fault; 15] = [
        Fault::NullList,
        Fault::EarlyEnd,
        Fault::EmptyPage,
        Fault::TotalDrift,
        Fault::OddTotal,
        Fault::OddEnvelope,
        Fault::GqlPath,
        Fault::GqlUnknownText,
        Fault::Disorder,
        Fault::OddField,
        Fault::OddValue,
        Fault::OddKey,
        Fault::Blank,
        Fault::ZeroTime,
        Fault::BadText,
    ];
}
