//! The channels that exist by name for every seed, and the number of followers of all others.

use super::{
    accounts::{UserId, registered_at},
    seed::Seed,
    time::{HOUR, PRESENT, Seconds, date},
};

/// A channel with a login, an id and a number of followers that clients may rely on.
#[derive(Debug)]
pub(crate) struct NamedChannel {
    pub(crate) id: UserId,
    pub(crate) login: &'static str,
    pub(crate) display_name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) broadcaster_type: &'static str,
    pub(crate) created_at: Seconds,
    /// Midnight of the first day with a follower or a stream.
    pub(crate) opened_at: Seconds,
    pub(crate) followers: u32,
    /// On how many of 100 days the channel streams; 0 if it never did and has no videos.
    pub(crate) streams: u8,
    /// Whether the channel is live at the sandbox's present.
    pub(crate) live: bool,
    /// Whether `burkeblack` is a moderator.
    pub(crate) moderated: bool,
}

/// The old archives give this id to `burkeblack`.
pub(crate) const BURKEBLACK: UserId = 76_725_499;
pub(crate) const PLAIN_VIEWER: UserId = 130_000_000;
/// The owner of the videos that are the same for every seed.
pub(crate) const CHAT_REPLAYS: UserId = 120_000_000;

/// How many channels at the start of [`NAMED`] may have broadcasts by a calendar.
pub(crate) const BROADCASTERS: usize = 8;

pub(crate) static NAMED: [NamedChannel; 9] = [
    NamedChannel {
        id: BURKEBLACK,
        login: "burkeblack",
        display_name: "BurkeBlack",
        description: "Captain of the loudest ship on Twitch. Grog, games and good company. ☠",
        broadcaster_type: "partner",
        // Before the registration of this id, because it has followers since 2013.
        created_at: date(2012, 11, 3) + 70_449,
        opened_at: date(2013, 2, 9),
        followers: 250_000,
        streams: 66,
        live: true,
        moderated: true,
    },
    NamedChannel {
        id: 30_000_000,
        login: "followers_10m",
        display_name: "Followers_10M",
        description: "Ten million followers: a walk that takes a while.",
        broadcaster_type: "partner",
        created_at: date(2012, 2, 14) + 31_415,
        opened_at: date(2013, 1, 5),
        followers: 10_000_000,
        streams: 80,
        live: true,
        moderated: true,
    },
    NamedChannel {
        login: "followers_0",
        display_name: "Followers_0",
        description: "Nobody follows this channel.",
        ..SMALL
    },
    NamedChannel {
        id: 100_000_003,
        login: "followers_3",
        display_name: "Followers_3",
        description: "Three followers: the first page is the last.",
        followers: 3,
        ..SMALL
    },
    NamedChannel {
        id: 100_000_100,
        login: "followers_100",
        display_name: "Followers_100",
        description: "One hundred followers: exactly one full page.",
        followers: 100,
        ..SMALL
    },
    NamedChannel {
        id: 100_000_200,
        login: "followers_200",
        display_name: "Followers_200",
        description: "Two hundred followers: exactly two full pages.",
        followers: 200,
        ..SMALL
    },
    NamedChannel {
        id: 110_000_000,
        login: "not_moderated",
        display_name: "Not_Moderated",
        description: "burkeblack is no moderator here: the followers are counted, not listed.",
        broadcaster_type: "affiliate",
        followers: 4_321,
        streams: 30,
        moderated: false,
        ..SMALL
    },
    NamedChannel {
        id: PLAIN_VIEWER,
        login: "just_a_viewer",
        display_name: "Just_A_Viewer",
        description: "Watches, and moderates nothing.",
        followers: 12,
        moderated: false,
        ..SMALL
    },
    NamedChannel {
        id: CHAT_REPLAYS,
        login: "chat_replays",
        display_name: "Chat_Replays",
        description: "Videos whose chat is worth a look.",
        broadcaster_type: "affiliate",
        opened_at: date(2016, 1, 1),
        followers: 64,
        ..SMALL
    },
];

const SMALL: NamedChannel = NamedChannel {
    id: 100_000_000,
    login: "",
    display_name: "",
    description: "",
    broadcaster_type: "",
    created_at: date(2015, 2, 18) + 43_210,
    opened_at: date(2018, 5, 1),
    followers: 0,
    streams: 0,
    live: false,
    moderated: true,
};

/// The index of a channel in [`NAMED`].
pub(crate) fn slot(id: UserId) -> Option<usize> {
    NAMED.iter().position(|channel| channel.id == id)
}

pub(crate) fn named(id: UserId) -> Option<&'static NamedChannel> {
    NAMED.iter().find(|channel| channel.id == id)
}

/// The time from which on an account that is not a named channel may be followed.
pub(crate) fn open_since(id: UserId) -> Seconds {
    // Before 2011 there are too few ids to choose followers from.
    (registered_at(id) + HOUR).max(date(2011, 6, 1))
}

/// The number of followers of an account that is not a named channel: half have at most three followers, and one in
/// thousands has thousands.
pub(crate) fn ordinary_followers(seed: Seed, id: UserId) -> u32 {
    if open_since(id) > PRESENT - HOUR {
        return 0;
    }
    let seed = seed.child("popularity").of(id.into());
    let level = seed.draw(0).trailing_zeros().min(12);
    seed.below(1, 4 << level) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_channels_were_created_before_anyone_followed_them() {
        for channel in &NAMED {
            assert!(channel.created_at <= registered_at(channel.id), "{}", channel.login);
            assert!(channel.created_at < channel.opened_at, "{}", channel.login);
            assert_eq!(channel.display_name.to_ascii_lowercase(), channel.login);
            assert_eq!(NAMED.iter().filter(|other| other.id == channel.id).count(), 1);
        }
    }

    #[test]
    fn most_accounts_have_few_followers_and_some_have_many() {
        let count = |id| ordinary_followers(Seed::new(1), id);
        let counts: Vec<u32> = (5_000_000..1_400_000_000).step_by(99_991).map(count).collect();
        let few = counts.iter().filter(|&&count| count <= 3).count();
        assert!(few * 2 > counts.len(), "{few} of {}", counts.len());
        assert!(counts.iter().any(|&count| count > 4_000));
        assert!(counts.iter().all(|&count| count < 16_384));
    }
}
