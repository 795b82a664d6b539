//! The comments of a video: authors, texts and times.

use super::{
    World,
    accounts::{FIRST_ID, UserId, last_registered},
    channels::named,
    messages::{self, Fragment},
    room::Room,
    seed::Seed,
    time::{DAY, Seconds},
    timeline::{Millis, Timeline},
    video::Video,
};

/// The creation time of a comment is this much later than its offset.
const STAMP_DELAY: Millis = 700;

/// The number of regular viewers, who come to every broadcast of a channel.
const REGULAR_CHATTERS: u64 = 600;

/// Any page of a video's comments can be computed alone: each comment is a function of the video and an index.
#[derive(Debug)]
pub(crate) struct Chat<'w> {
    pub(crate) video: Video,
    world: &'w World,
    seed: Seed,
    room: Option<&'w Room>,
    timeline: Timeline,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Comment {
    pub(crate) id: [u8; 16],
    pub(crate) author: UserId,
    /// The account was banned or deleted since then.
    pub(crate) author_gone: bool,
    pub(crate) offset: Millis,
    pub(crate) fragments: Vec<Fragment>,
    /// Set and version of each badge.
    pub(crate) badges: Vec<(&'static str, u32)>,
    /// One badge without a set, as Twitch sends at times.
    pub(crate) empty_badge: bool,
    pub(crate) color: Option<String>,
    pub(crate) subscriber: bool,
    pub(crate) moderator: bool,
}

impl<'w> Chat<'w> {
    pub(super) fn new(world: &'w World, video: Video) -> Chat<'w> {
        let seed = world.seed.child("chat").of(video.id);
        let span = video.span() as Millis * 1_000;
        let timeline = Timeline::new(seed.child("time"), video.comments, span, video.burst);
        Chat {
            room: world.room(video.channel),
            video,
            world,
            seed,
            timeline,
        }
    }

    pub(crate) fn count(&self) -> u32 {
        self.timeline.count()
    }

    /// The offset of a comment from the start of the video.
    pub(crate) fn offset(&self, index: u32) -> Millis {
        self.timeline.at(index)
    }

    /// The index of the first comment at or after an offset.
    pub(crate) fn first_at(&self, offset: Millis) -> u32 {
        self.timeline.first_at(offset)
    }

    /// The creation time of a comment with this offset, in milliseconds since 1970.
    pub(crate) fn stamp(&self, offset: Millis) -> i64 {
        self.video.created_at * 1_000 + (offset + STAMP_DELAY) as i64
    }

    /// The index of the comment with this id and offset.
    pub(crate) fn find(&self, id: [u8; 16], offset: Millis) -> Option<u32> {
        (self.first_at(offset)..self.count())
            .take_while(|&index| self.offset(index) == offset)
            .find(|&index| self.id(index) == id)
    }

    /// A version 4 UUID.
    pub(crate) fn id(&self, index: u32) -> [u8; 16] {
        let seed = self.seed.child("id");
        let half = |draw| u128::from(seed.draw(u64::from(index) << 1 | draw));
        let mut id = (half(0) << 64 | half(1)).to_be_bytes();
        id[6] = id[6] & 0x0f | 0x40;
        id[8] = id[8] & 0x3f | 0x80;
        id
    }

    pub(crate) fn comment(&self, index: u32) -> Comment {
        let seed = self.seed.child("comment").of(index.into());
        let author = self.author(seed);
        let is_in = |list: fn(&Room) -> &Vec<UserId>| self.room.is_some_and(|room| list(room).contains(&author));
        let (moderator, vip) = (is_in(|room| &room.moderators), is_in(|room| &room.vips));
        // Chosen per account.
        let habits = self.world.seed.child("habits").of(author.into());
        let mut badges = Vec::new();
        if author == self.video.channel {
            badges.push(("broadcaster", 1));
        }
        if moderator {
            badges.push(("moderator", 1));
        }
        if vip {
            badges.push(("vip", 1));
        }
        let subscriber = habits.below(0, 5) < 2;
        if subscriber {
            badges.push(("subscriber", habits.choose(1, &[0, 3, 6, 12, 24, 2_012])));
        }
        if habits.below(2, 6) == 0 {
            badges.push(("premium", 1));
        }
        let color = match habits.below(3, 9) {
            0 => None,
            1..6 => Some(habits.choose(4, &COLORS).to_owned()),
            _ => Some(format!("#{:06X}", habits.below(4, 1 << 24))),
        };
        let name = || {
            let somebody = self.author(self.seed.child("addressee").of(index.into()));
            self.world.names_of(somebody).1
        };
        Comment {
            id: self.id(index),
            author,
            author_gone: seed.below(10, 1_000) < 3 || self.world.is_gone(author),
            offset: self.offset(index),
            fragments: messages::message(seed.child("message"), name),
            badges,
            empty_badge: seed.below(11, 150) == 0,
            color,
            subscriber,
            moderator,
        }
    }

    fn author(&self, seed: Seed) -> UserId {
        let (role, draw) = (seed.below(0, 100), seed.draw(1));
        let room = self.room.map(|room| match role {
            1..5 => room.moderators.as_slice(),
            5..8 => room.vips.as_slice(),
            _ => &[],
        });
        let chosen = room
            .filter(|people| !people.is_empty())
            .map(|people| people[(draw % people.len() as u64) as usize])
            .filter(|&user| self.world.created_at(user) < self.video.created_at);
        if let Some(user) = chosen {
            return user;
        }
        match role {
            0 => self.video.channel,
            1..60 => {
                // Some write more than others.
                let regular = seed.below(2, REGULAR_CHATTERS).min(seed.below(3, REGULAR_CHATTERS));
                let since = named(self.video.channel).map_or(0, |channel| channel.opened_at);
                let regulars = self.world.seed.child("regulars");
                registered_by(since, regulars.of(self.video.channel.into()), regular)
            }
            _ => {
                let visitor = seed.below(2, u64::from(self.count()) / 6 + 10);
                let by = self.video.created_at - DAY;
                registered_by(by, self.seed.child("visitors"), visitor)
            }
        }
    }
}

/// An account that existed at a time.
fn registered_by(moment: Seconds, seed: Seed, index: u64) -> UserId {
    FIRST_ID + seed.below(index, (last_registered(moment) - FIRST_ID).into()) as UserId
}

/// The default name colours of Twitch.
const COLORS: [&str; 15] = [
    "#FF0000", "#0000FF", "#00FF00", "#B22222", "#FF7F50", "#9ACD32", "#FF4500", "#2E8B57", "#DAA520", "#D2691E",
    "#5F9EA0", "#1E90FF", "#FF69B4", "#8A2BE2", "#00FF7F",
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{super::fixed::FIXED, *};

    #[test]
    fn a_comment_is_the_same_whoever_asks_and_is_found_by_id_and_offset() {
        let (one, other) = (World::new(4), World::new(4));
        for fixed in &FIXED {
            let chat = one.chat(one.video(fixed.id).unwrap());
            let again = other.chat(other.video(fixed.id).unwrap());
            assert_eq!(chat.count(), fixed.comments);
            let step = (fixed.comments as usize / 300).max(1);
            for index in (0..fixed.comments).rev().step_by(step) {
                let comment = chat.comment(index);
                assert_eq!(comment, again.comment(index));
                assert_eq!(chat.find(comment.id, comment.offset), Some(index));
                assert_eq!(chat.find(comment.id, comment.offset + 1), None);
                assert!(one.created_at(comment.author) < chat.video.created_at);
            }
        }
    }

    #[test]
    fn comments_have_all_that_chat_has() {
        let world = World::new(1);
        let chat = world.chat(world.video(2_700_000_060).unwrap());
        let comments: Vec<Comment> = (0..20_000).map(|index| chat.comment(index)).collect();
        let ids: HashSet<[u8; 16]> = comments.iter().map(|comment| comment.id).collect();
        assert_eq!(ids.len(), comments.len());
        let share =
            |test: fn(&Comment) -> bool| comments.iter().filter(|comment| test(comment)).count() as f64 / 20_000.0;
        assert!((0.002..0.02).contains(&share(|comment| comment.author_gone)));
        assert!((0.003..0.01).contains(&share(|comment| comment.empty_badge)));
        assert!((0.05..0.2).contains(&share(|comment| comment.color.is_none())));
        assert!(share(|comment| comment.badges.is_empty()) > 0.3);
        assert!(share(|comment| comment.moderator) > 0.01);
    }

    #[test]
    fn every_archive_has_comments_and_no_upload_has_any() {
        let world = World::new(1);
        for key in world.all_videos().step_by(37) {
            let video = key.video(&world);
            let (kind, id) = (video.kind, video.id);
            let count = world.chat(video).count();
            match kind {
                super::super::VideoKind::Upload => assert_eq!(count, 0),
                _ if id == 2_700_000_000 => assert_eq!(count, 0),
                super::super::VideoKind::Archive => assert!(count > 50, "{id} has {count}"),
                super::super::VideoKind::Highlight => {}
            }
        }
    }
}
