//! The reports of the matrix, with channels that are small enough for hundreds of runs.

/// The service that a report reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// The API of today.
    Helix,
    /// The private service for chat.
    Gql,
    /// The services of 2016.
    Legacy,
}

/// How many requests a run sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// A few.
    Small,
    /// The pages of a short list.
    List,
    /// More than a dozen pages.
    Long,
}

/// A report with its arguments.
#[derive(Debug)]
pub struct Case {
    /// Its name in the matrix.
    pub name: &'static str,
    /// The command line after the common options.
    pub arguments: &'static [&'static str],
    /// The column that identifies a row.
    pub key: &'static str,
    /// The service.
    pub service: Service,
    /// The number of requests.
    pub size: Size,
}

/// How many rows beyond the limit an undisturbed run prints: those that may take the place of rows that are lost.
const BEYOND: usize = 200;

impl Case {
    /// The limit of rows.
    pub fn limit(&self) -> Option<usize> {
        let place = self.arguments.iter().position(|argument| *argument == "-l")?;
        self.arguments[place + 1].parse().ok()
    }

    /// The arguments with a higher limit.
    pub fn beyond_limit(&self) -> Vec<String> {
        let limit = self.limit().map(|limit| limit.to_string());
        let raised = |argument: &&str| match self.limit().filter(|_| limit.as_deref() == Some(*argument)) {
            Some(limit) => (limit + BEYOND).to_string(),
            None => (*argument).to_owned(),
        };
        self.arguments.iter().map(raised).collect()
    }
}

const fn case(
    name: &'static str,
    service: Service,
    size: Size,
    key: &'static str,
    arguments: &'static [&'static str],
) -> Case {
    Case {
        name,
        arguments,
        key,
        service,
        size,
    }
}

const FOLLOWERS: &str = "name,created,followed,delta,id,display_name";
const STREAMS: &str = "start,end,id,title,views,duration";

/// All reports on both sources.
pub const CASES: &[Case] = &[
    case(
        "created",
        Service::Helix,
        Size::Small,
        "name",
        &[
            "created",
            "--columns",
            "name,created,id,display_name",
            "burkeblack",
            "followers_3",
            "followers_200",
            "chat_replays",
        ],
    ),
    case(
        "num-followers",
        Service::Helix,
        Size::Small,
        "name",
        &[
            "num-followers",
            "burkeblack",
            "followers_3",
            "followers_200",
            "chat_replays",
        ],
    ),
    case(
        "followers",
        Service::Helix,
        Size::List,
        "id",
        &["followers", "--columns", FOLLOWERS, "followers_200"],
    ),
    case(
        "followers --since",
        Service::Helix,
        Size::List,
        "id",
        &[
            "followers",
            "--columns",
            FOLLOWERS,
            "--since",
            "2026-10-20",
            "burkeblack",
        ],
    ),
    case(
        "followers (long)",
        Service::Helix,
        Size::Long,
        "id",
        &["followers", "--columns", FOLLOWERS, "-l", "1600", "burkeblack"],
    ),
    case(
        "following",
        Service::Helix,
        Size::List,
        "id",
        &[
            "following",
            "--columns",
            "name,channel,created,followed,delta,id,display_name",
            "burkeblack",
        ],
    ),
    case("num-following", Service::Helix, Size::Small, "name", &["num-following", "burkeblack"]),
    case(
        "chatters",
        Service::Helix,
        Size::List,
        "id",
        &["chatters", "--columns", "name,role,id,display_name", "burkeblack"],
    ),
    case(
        "streams",
        Service::Helix,
        Size::List,
        "id",
        &["streams", "--columns", STREAMS, "-l", "250", "burkeblack"],
    ),
    case("streams (long)", Service::Helix, Size::Long, "id", &["streams", "--columns", STREAMS, "burkeblack"]),
    case("chat-replay", Service::Gql, Size::List, "id", &["chat-replay", "2700000005"]),
    case("chat-replay (long)", Service::Gql, Size::Long, "id", &["chat-replay", "2700000001"]),
    case(
        "legacy created",
        Service::Legacy,
        Size::Small,
        "name",
        &[
            "--source",
            "legacy",
            "created",
            "burkeblack",
            "followers_3",
            "followers_200",
        ],
    ),
    case(
        "legacy num-followers",
        Service::Legacy,
        Size::Small,
        "name",
        &[
            "--source",
            "legacy",
            "num-followers",
            "burkeblack",
            "followers_3",
            "followers_200",
        ],
    ),
    case(
        "legacy followers",
        Service::Legacy,
        Size::List,
        "name",
        &["--source", "legacy", "followers", "followers_200"],
    ),
    case(
        "legacy following",
        Service::Legacy,
        Size::List,
        "channel",
        &["--source", "legacy", "following", "burkeblack"],
    ),
    case(
        "legacy num-following",
        Service::Legacy,
        Size::Small,
        "name",
        &["--source", "legacy", "num-following", "burkeblack"],
    ),
    case(
        "legacy chatters",
        Service::Legacy,
        Size::Small,
        "name",
        &["--source", "legacy", "chatters", "burkeblack"],
    ),
    case(
        "legacy streams",
        Service::Legacy,
        Size::List,
        "start",
        &["--source", "legacy", "streams", "burkeblack"],
    ),
    case(
        "legacy chat-replay",
        Service::Legacy,
        Size::List,
        "id",
        &["--source", "legacy", "chat-replay", "v2700000005"],
    ),
];
