//! The simulated data: accounts, follows, broadcasts. Everything is computed from a seed; only small tables such as
//! calendars are stored.

mod accounts;
mod calendar;
mod channels;
mod chat;
mod fixed;
mod followed;
mod followers;
mod messages;
mod names;
mod phrases;
mod room;
mod seed;
mod sign_ins;
mod time;
mod timeline;
mod video;
mod videos;
mod wave;
mod words;

use std::collections::HashMap;

pub(crate) use self::{
    accounts::UserId,
    channels::{BURKEBLACK, PLAIN_VIEWER, named},
    chat::{Chat, Comment},
    followers::{Follow, Followers},
    messages::{Emote, Fragment},
    names::Name,
    room::{Role, Room},
    seed::{Permutation, Seed, mix},
    time::{DAY, PRESENT, Seconds, video_duration},
    timeline::Millis,
    video::{Game, Stream, Video, VideoKind},
    videos::{GAMES, VideoKey},
};
use self::{
    accounts::{FIRST_ID, LAST_ID, registered_at},
    calendar::Calendar,
    channels::{NAMED, open_since, ordinary_followers, slot},
    followed::Followed,
    followers::{Guest, Pace},
    names::NAME_BITS,
    time::{rfc3339, rfc3339_millis},
    wave::{WAVE_SIZE, Wave},
};

/// One account in a thousand is gone: banned or deleted, but still listed among followers.
const GONE_ONE_IN: u64 = 1_000;

#[derive(Debug)]
pub(crate) struct World {
    seed: Seed,
    /// How much later everything happens for clients. Inside, the present is always [`PRESENT`].
    shift: Seconds,
    names: Permutation,
    /// By the slot of the named channel; the same for the videos and the rooms.
    calendars: Vec<Calendar>,
    videos: Vec<Vec<VideoKey>>,
    rooms: Vec<Room>,
    streams: Vec<Stream>,
    wave: Wave,
    followed: HashMap<UserId, Vec<Follow>>,
    guests: HashMap<UserId, Guest>,
}

impl World {
    pub(crate) fn new(seed: u64) -> World {
        let seed = Seed::new(seed).child("world");
        let calendars: Vec<Calendar> = NAMED
            .iter()
            .map(|channel| Calendar::new(seed, channel, organic_followers(channel.id, channel.followers)))
            .collect();
        let first = &NAMED[0];
        let wave = Wave::new(&calendars[0], organic_followers(first.id, first.followers));
        let mut world = World {
            seed,
            shift: 0,
            names: Permutation::new(seed.child("names"), NAME_BITS),
            calendars,
            videos: Vec::new(),
            rooms: Vec::new(),
            streams: Vec::new(),
            wave,
            followed: HashMap::new(),
            guests: HashMap::new(),
        };
        world.videos = (0..NAMED.len()).map(|slot| videos::list(&world, slot)).collect();
        world.streams = videos::live(&world);
        Followed {
            lists: world.followed,
            guests: world.guests,
        } = Followed::new(&world);
        world.rooms = NAMED.iter().map(|channel| Room::new(&world, channel)).collect();
        world
    }

    /// The same world, in which everything happens so much later, or earlier if it is negative.
    pub(crate) fn later(self, shift: Seconds) -> World {
        World { shift, ..self }
    }

    /// A time as clients see it.
    pub(crate) fn shown(&self, moment: Seconds) -> Seconds {
        moment + self.shift
    }

    /// A time as clients see it, in RFC 3339 with whole seconds.
    pub(crate) fn rfc3339(&self, moment: Seconds) -> String {
        rfc3339(self.shown(moment))
    }

    /// The same for milliseconds since 1970.
    pub(crate) fn rfc3339_millis(&self, moment: i64) -> String {
        rfc3339_millis(moment + self.shift * 1_000)
    }

    /// Whether there is, or was, an account with this id.
    fn was_registered(&self, id: UserId) -> bool {
        (FIRST_ID..=LAST_ID).contains(&id)
    }

    /// Whether the account is banned or deleted. It is still listed among the followers of others.
    pub(crate) fn is_gone(&self, id: UserId) -> bool {
        self.seed.child("gone").below(id.into(), GONE_ONE_IN) == 0
            && named(id).is_none()
            && !self.guests.contains_key(&id)
            && !self.followers(BURKEBLACK).is_in_wave(id)
    }

    /// Whether `users` returns this id.
    pub(crate) fn exists(&self, id: UserId) -> bool {
        self.was_registered(id) && !self.is_gone(id)
    }

    /// The id of a login; the account may be gone.
    pub(crate) fn id_of(&self, login: &str) -> Option<UserId> {
        if let Some(channel) = NAMED.iter().find(|channel| channel.login == login) {
            return Some(channel.id);
        }
        let id = self.names.backward(names::read(login)?);
        // The login that the number of a named channel spells does not exist.
        (self.was_registered(id) && named(id).is_none()).then_some(id)
    }

    /// Login and display name.
    pub(crate) fn names_of(&self, id: UserId) -> (String, String) {
        if let Some(channel) = named(id) {
            return (channel.login.to_owned(), channel.display_name.to_owned());
        }
        let name: Name = names::spell(self.names.forward(id));
        let display_name = name.display_name(self.seed.child("display name").of(id.into()));
        (name.login, display_name)
    }

    pub(crate) fn created_at(&self, id: UserId) -> Seconds {
        named(id).map_or_else(|| registered_at(id), |channel| channel.created_at)
    }

    /// `partner`, `affiliate` or nothing.
    pub(crate) fn broadcaster_type(&self, id: UserId) -> &'static str {
        match named(id) {
            Some(channel) => channel.broadcaster_type,
            // Fifty followers are one of the conditions of affiliates.
            None if ordinary_followers(self.seed, id) >= 50 => "affiliate",
            None => "",
        }
    }

    /// `staff`, `admin`, `global_mod` or nothing.
    pub(crate) fn user_type(&self, id: UserId) -> &'static str {
        let staff = self.rooms.iter().flat_map(|room| &room.staff);
        match staff.into_iter().find(|(user, _)| *user == id) {
            Some((_, Role::Staff)) => "staff",
            Some((_, Role::Admin)) => "admin",
            Some((_, Role::GlobalModerator)) => "global_mod",
            _ => "",
        }
    }

    /// The people in the chat of a channel, if it is a named one.
    pub(crate) fn room(&self, id: UserId) -> Option<&Room> {
        slot(id).map(|slot| &self.rooms[slot])
    }

    /// The followers of a channel; empty if the channel does not exist or is gone.
    pub(crate) fn followers(&self, id: UserId) -> Followers<'_> {
        let (total, pace) = match slot(id) {
            Some(slot) => {
                let wave = (id == BURKEBLACK).then_some(&self.wave);
                (NAMED[slot].followers, Pace::Calendar(&self.calendars[slot], wave))
            }
            None if self.was_registered(id) => {
                (ordinary_followers(self.seed, id), Pace::Even { since: open_since(id) })
            }
            None => (0, Pace::Even { since: PRESENT }),
        };
        Followers::new(self, id, total, pace)
    }

    /// The videos of a channel, newest first.
    pub(crate) fn videos_of(&self, id: UserId) -> &[VideoKey] {
        slot(id).map_or(&[], |slot| &self.videos[slot])
    }

    /// The archive of the last broadcast of a channel, which may still be live.
    pub(crate) fn last_broadcast(&self, id: UserId) -> Option<Video> {
        let archive = |key: &&VideoKey| key.kind() == VideoKind::Archive;
        Some(self.videos_of(id).iter().find(archive)?.video(self))
    }

    /// The videos of all channels.
    pub(crate) fn all_videos(&self) -> impl Iterator<Item = VideoKey> {
        self.videos.iter().flatten().copied()
    }

    pub(crate) fn video(&self, id: u64) -> Option<Video> {
        VideoKey::find(self, id).map(|key| key.video(self))
    }

    /// The comments of a video.
    pub(crate) fn chat(&self, video: Video) -> Chat<'_> {
        Chat::new(self, video)
    }

    /// Every channel that an account is known to follow, newest first: the complete list for a token owner, and only
    /// the named channels for all others.
    pub(crate) fn known_followed_by(&self, id: UserId) -> Vec<Follow> {
        if let Some(list) = self.followed.get(&id) {
            return list.clone();
        }
        let mut found: Vec<Follow> = NAMED
            .iter()
            .filter_map(|channel| {
                let followers = self.followers(channel.id);
                let Follow { followed_at, .. } = followers.get(followers.index_of(id)?);
                Some(Follow {
                    user: channel.id,
                    followed_at,
                })
            })
            .collect();
        found.sort_by_key(|follow| std::cmp::Reverse(follow.followed_at));
        found
    }

    /// The live streams, by number of viewers.
    pub(crate) fn streams(&self) -> &[Stream] {
        &self.streams
    }
}

/// The followers of a named channel without the wave.
fn organic_followers(id: UserId, followers: u32) -> u32 {
    if id == BURKEBLACK {
        followers - WAVE_SIZE
    } else {
        followers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_login() {
        let world = World::new(9);
        let ids = (FIRST_ID..=LAST_ID)
            .step_by(29_989)
            .chain(NAMED.iter().map(|named| named.id));
        for id in ids {
            let (login, display_name) = world.names_of(id);
            assert_eq!(world.id_of(&login), Some(id), "{login}");
            assert!(!display_name.is_empty());
        }
        assert_eq!(world.id_of("nobody_has_this_login"), None);
        assert_eq!(world.id_of(""), None);
    }

    #[test]
    fn a_named_channel_keeps_no_second_login() {
        let world = World::new(1);
        let spelled = names::spell(world.names.forward(BURKEBLACK)).login;
        assert_eq!(world.id_of(&spelled), None);
        assert_eq!(world.id_of("burkeblack"), Some(BURKEBLACK));
    }

    #[test]
    fn one_account_in_a_thousand_is_gone_but_none_of_the_wave() {
        let world = World::new(1);
        let followers = world.followers(BURKEBLACK);
        let users: Vec<UserId> = (0..followers.total)
            .step_by(2)
            .map(|index| followers.get(index).user)
            .collect();
        let gone = users.iter().filter(|&&user| world.is_gone(user)).count();
        assert!((90..160).contains(&gone), "{gone} of {}", users.len());
        let wave: Vec<UserId> = users
            .iter()
            .copied()
            .filter(|&user| followers.is_in_wave(user))
            .collect();
        assert!((1_590..=1_610).contains(&wave.len()), "{}", wave.len());
        assert!(wave.iter().all(|&user| world.exists(user)));
        assert!(!world.exists(0) && !world.exists(FIRST_ID - 1) && !world.exists(LAST_ID + 1));
    }

    #[test]
    fn a_video_is_found_by_its_id_and_lists_are_in_order() {
        let world = World::new(1);
        let mut kinds = [0; 3];
        let mut ids = std::collections::HashSet::new();
        for channel in &NAMED {
            let videos: Vec<Video> = world
                .videos_of(channel.id)
                .iter()
                .map(|key| key.video(&world))
                .collect();
            assert!(videos.is_sorted_by(|a, b| a.created_at >= b.created_at));
            for video in &videos {
                assert_eq!(world.video(video.id).map(|found| found.created_at), Some(video.created_at));
                assert!(video.created_at + video.length <= PRESENT);
                assert!(ids.insert(video.id));
                assert_eq!(video.stream_id.is_some(), video.kind == VideoKind::Archive);
                for (offset, duration) in &video.muted {
                    assert!(offset + duration <= video.length, "{video:?}");
                }
                kinds[video.kind as usize] += 1;
            }
        }
        assert!(kinds.iter().all(|&count| count > 100), "{kinds:?}");
        assert!(world.video(1).is_none() && world.video(u64::MAX).is_none());
    }

    #[test]
    fn what_is_live_has_an_archive_that_grows() {
        let world = World::new(1);
        assert_eq!(world.streams().len(), 3);
        for stream in world.streams() {
            let archive = world.videos_of(stream.channel)[0].video(&world);
            assert_eq!(archive.stream_id, Some(stream.id));
            assert_eq!(archive.created_at, stream.started_at);
            assert!(archive.growing);
        }
    }

    #[test]
    fn another_day_moves_everything() {
        let (plain, later) = (World::new(1), World::new(1).later(3 * DAY));
        assert_eq!(plain.rfc3339(PRESENT), "2026-11-01T00:00:00Z");
        assert_eq!(later.rfc3339(PRESENT), "2026-11-04T00:00:00Z");
        assert_eq!(later.rfc3339_millis(PRESENT * 1_000 + 70), "2026-11-04T00:00:00.07Z");
        assert_eq!(later.shown(PRESENT), PRESENT + 3 * DAY);
        assert_eq!(plain.followers(BURKEBLACK).get(7), later.followers(BURKEBLACK).get(7));
    }

    #[test]
    fn seeds_differ() {
        let follow = |seed| World::new(seed).followers(BURKEBLACK).get(0);
        assert_eq!(follow(1), follow(1));
        assert_ne!(follow(1), follow(2));
    }
}
