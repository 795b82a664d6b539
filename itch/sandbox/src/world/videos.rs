//! The videos of the named channels: an archive of every broadcast, some highlights and uploads.

use super::{
    World,
    calendar::{Broadcast, Calendar, Day, LAST_DAY},
    channels::{BROADCASTERS, CHAT_REPLAYS, NAMED, NamedChannel},
    fixed::{FIXED, FixedVideo},
    seed::Seed,
    time::{DAY, HOUR, Seconds, date},
    video::{Game, LAG, Stream, Video, VideoKind},
};

/// Identifies a video.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VideoKey {
    Dated(DatedVideo),
    Fixed(&'static FixedVideo),
}

/// A channel has at most one video of each kind per day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DatedVideo {
    slot: u8,
    kind: VideoKind,
    day: Day,
}

/// Ids grow by this much per day; each channel and kind has its own part of this range.
const IDS_PER_DAY: u64 = 440_000;
const IDS_PER_KEY: u64 = IDS_PER_DAY / (BROADCASTERS * VideoKind::ALL.len()) as u64;
const FIRST_VIDEO_ID: u64 = 100_000_000;
const FIRST_DAY: Day = date(2012, 1, 1) / DAY;

impl VideoKey {
    /// The video with this id.
    pub(super) fn find(world: &World, id: u64) -> Option<VideoKey> {
        match FIXED.iter().find(|video| video.id == id) {
            Some(video) => Some(VideoKey::Fixed(video)),
            None => DatedVideo::find(world, id).map(VideoKey::Dated),
        }
    }

    pub(crate) fn kind(self) -> VideoKind {
        match self {
            VideoKey::Dated(dated) => dated.kind,
            VideoKey::Fixed(video) => video.kind,
        }
    }

    pub(crate) fn created_at(self, world: &World) -> Seconds {
        match self {
            VideoKey::Dated(dated) => dated.created_at(world),
            VideoKey::Fixed(video) => video.created_at,
        }
    }

    pub(crate) fn views(self, world: &World) -> u64 {
        match self {
            VideoKey::Dated(dated) => dated.views(world),
            VideoKey::Fixed(video) => u64::from(video.comments) / 4 + 1,
        }
    }

    pub(crate) fn game(self, world: &World) -> Game {
        match self {
            VideoKey::Dated(dated) => game(world, dated.slot, dated.day),
            VideoKey::Fixed(_) => FIXED_GAME,
        }
    }

    pub(crate) fn video(self, world: &World) -> Video {
        let video = match self {
            VideoKey::Dated(dated) => return dated.video(world),
            VideoKey::Fixed(video) => video,
        };
        Video {
            id: video.id,
            channel: CHAT_REPLAYS,
            kind: video.kind,
            created_at: video.created_at,
            length: video.length,
            stream_id: (video.kind == VideoKind::Archive).then(|| video.stream_id()),
            title: video.title,
            views: self.views(world),
            muted: Vec::new(),
            growing: video.growing,
            game: FIXED_GAME,
            has_creator: video.has_creator,
            broadcast_id: video.stream_id(),
            comments: video.comments,
            burst: video.burst,
        }
    }
}

impl DatedVideo {
    fn seed(self, world: &World) -> Seed {
        world.seed.child("video").of(self.part()).of(self.day as u64)
    }

    /// The part of the day's ids that belongs to its channel and kind.
    fn part(self) -> u64 {
        u64::from(self.slot) * VideoKind::ALL.len() as u64 + self.kind as u64
    }

    fn id(self, world: &World) -> u64 {
        FIRST_VIDEO_ID
            + (self.day - FIRST_DAY) as u64 * IDS_PER_DAY
            + self.part() * IDS_PER_KEY
            + self.seed(world).below(0, IDS_PER_KEY)
    }

    /// The video with this id.
    fn find(world: &World, id: u64) -> Option<DatedVideo> {
        let place = id.checked_sub(FIRST_VIDEO_ID)?;
        let part = (place % IDS_PER_DAY / IDS_PER_KEY) as usize;
        let key = DatedVideo {
            slot: u8::try_from(part / VideoKind::ALL.len()).ok()?,
            kind: VideoKind::ALL[part % VideoKind::ALL.len()],
            day: FIRST_DAY + Day::try_from(place / IDS_PER_DAY).ok()?,
        };
        let calendar = world.calendars.get(usize::from(key.slot))?;
        (exists(world, calendar, key) && key.id(world) == id).then_some(key)
    }

    fn channel(self) -> &'static NamedChannel {
        &NAMED[usize::from(self.slot)]
    }

    fn created_at(self, world: &World) -> Seconds {
        let seed = self.seed(world);
        let broadcast = world.calendars[usize::from(self.slot)].broadcast(self.day);
        match (self.kind, broadcast) {
            (VideoKind::Archive, Some(broadcast)) => broadcast.started_at,
            (VideoKind::Highlight, Some(broadcast)) => {
                broadcast.ended_at() + HOUR + seed.below(1, 8 * HOUR as u64) as Seconds
            }
            _ => self.day * DAY + 9 * HOUR + seed.below(1, 8 * HOUR as u64) as Seconds,
        }
    }

    fn views(self, world: &World) -> u64 {
        let seed = self.seed(world);
        let scale = u64::from(self.channel().followers) / 400 + 10;
        // One video in sixteen has far more views.
        let luck = if seed.below(2, 16) == 0 { 12 } else { 1 };
        scale / 4 + seed.below(3, scale * luck)
    }

    fn video(self, world: &World) -> Video {
        let seed = self.seed(world);
        let broadcast = world.calendars[usize::from(self.slot)].broadcast(self.day);
        let growing = self.kind == VideoKind::Archive && self.channel().live && self.day == LAST_DAY;
        let length = match (self.kind, broadcast) {
            (VideoKind::Archive, Some(broadcast)) if growing => broadcast.length - LAG,
            (VideoKind::Archive, Some(broadcast)) => broadcast.length,
            (VideoKind::Highlight, _) => 20 + seed.below(4, 40 * 60) as Seconds,
            _ => 40 + seed.below(4, 25 * 60) as Seconds,
        };
        let muted = match self.kind {
            VideoKind::Archive if seed.below(5, 5) == 0 => {
                // Twitch mutes in segments of three minutes.
                let part = |draw| 180 * seed.below(draw, (length / 360) as u64) as Seconds;
                let (first, second) = (part(6), part(7) + length / 2 / 180 * 180);
                vec![(first, 180), (second, 180)]
            }
            _ => Vec::new(),
        };
        Video {
            id: self.id(world),
            channel: self.channel().id,
            kind: self.kind,
            created_at: self.created_at(world),
            length,
            stream_id: (self.kind == VideoKind::Archive).then(|| stream_id(world, self.slot, self.day)),
            title: title(world, self.slot, self.day, self.kind),
            views: self.views(world),
            muted,
            growing,
            game: game(world, self.slot, self.day),
            has_creator: true,
            broadcast_id: stream_id(world, self.slot, self.day),
            comments: self.comments(world, length + if growing { LAG } else { 0 }),
            burst: None,
        }
    }

    /// Larger channels have more comments, but not in proportion. Uploads have no chat.
    fn comments(self, world: &World, span: Seconds) -> u32 {
        if self.kind == VideoKind::Upload {
            return 0;
        }
        let mood = 50 + self.seed(world).below(8, 100);
        (span as u64 * u64::from(self.channel().followers.isqrt()) * mood / 100_000) as u32
    }
}

fn exists(world: &World, calendar: &Calendar, key: DatedVideo) -> bool {
    if key.channel().streams == 0 || !calendar.days().contains(&key.day) {
        return false;
    }
    let seed = world.seed.child("cutting").of(key.slot.into()).of(key.day as u64);
    match key.kind {
        VideoKind::Archive => calendar.broadcast(key.day).is_some(),
        // A highlight is made on one of the days after the broadcast, which has to be in the past.
        VideoKind::Highlight => {
            calendar.broadcast(key.day).is_some() && seed.below(0, 9) == 0 && key.day < LAST_DAY - 2
        }
        VideoKind::Upload => seed.below(1, 40) == 0,
    }
}

/// All videos of the channel in a slot, newest first.
pub(super) fn list(world: &World, slot: usize) -> Vec<VideoKey> {
    let calendar = &world.calendars[slot];
    let dated = calendar
        .days()
        .flat_map(|day| {
            VideoKind::ALL.map(|kind| DatedVideo {
                slot: slot as u8,
                kind,
                day,
            })
        })
        .filter(|&key| exists(world, calendar, key))
        .map(VideoKey::Dated);
    let fixed = FIXED
        .iter()
        .filter(|_| NAMED[slot].id == CHAT_REPLAYS)
        .map(VideoKey::Fixed);
    let mut videos: Vec<(Seconds, VideoKey)> = dated.chain(fixed).map(|key| (key.created_at(world), key)).collect();
    videos.sort_by_key(|(created_at, _)| std::cmp::Reverse(*created_at));
    videos.into_iter().map(|(_, key)| key).collect()
}

/// The live streams, by number of viewers.
pub(super) fn live(world: &World) -> Vec<Stream> {
    let mut streams: Vec<Stream> = NAMED
        .iter()
        .enumerate()
        .filter(|(_, channel)| channel.live)
        .filter_map(|(slot, channel)| {
            let Broadcast { day, started_at, .. } = world.calendars[slot].broadcast(LAST_DAY)?;
            let viewers = u64::from(channel.followers) / 180;
            let seed = world.seed.child("viewers");
            Some(Stream {
                id: stream_id(world, slot as u8, day),
                channel: channel.id,
                title: title(world, slot as u8, day, VideoKind::Archive),
                game: game(world, slot as u8, day),
                viewers: viewers / 2 + seed.below(slot as u64, viewers),
                started_at,
            })
        })
        .chain(FIXED.iter().filter(|video| video.growing).map(|video| Stream {
            id: video.stream_id(),
            channel: CHAT_REPLAYS,
            title: video.title,
            game: FIXED_GAME,
            viewers: 15,
            started_at: video.created_at,
        }))
        .collect();
    streams.sort_by_key(|stream| std::cmp::Reverse(stream.viewers));
    streams
}

/// Equal to the stream id of the archive, so that one can be found from the other.
fn stream_id(world: &World, slot: u8, day: Day) -> u64 {
    let part = 2_000_000 / BROADCASTERS as u64;
    let seed = world.seed.child("stream").of(slot.into());
    30_000_000_000 + (day - FIRST_DAY) as u64 * 2_000_000 + u64::from(slot) * part + seed.below(day as u64, part)
}

fn game(world: &World, slot: u8, day: Day) -> Game {
    // A game is played for several days in a row.
    world
        .seed
        .child("game")
        .of(slot.into())
        .choose((day / 4) as u64, &GAMES)
}

fn title(world: &World, slot: u8, day: Day, kind: VideoKind) -> &'static str {
    let seed = world.seed.child("title").of(slot.into());
    match kind {
        VideoKind::Archive if seed.child("guest").below(day as u64, 7) == 0 => seed.choose(day as u64, &GUEST_TITLES),
        VideoKind::Archive => seed.choose(day as u64, &TITLES),
        VideoKind::Highlight => seed.choose(day as u64, &HIGHLIGHT_TITLES),
        VideoKind::Upload => seed.choose(day as u64, &UPLOAD_TITLES),
    }
}

const fn known(id: &'static str, name: &'static str) -> Game {
    Game { id, name }
}

pub(crate) const GAMES: [Game; 10] = [
    known("490377", "Sea of Thieves"),
    known("509658", "Just Chatting"),
    known("508455", "Valheim"),
    known("27471", "Minecraft"),
    known("65632", "DayZ"),
    known("494131", "Little Nightmares"),
    known("512953", "ELDEN RING"),
    known("26936", "Music"),
    known("30921", "Rocket League"),
    known("1469308723", "Software and Game Development"),
];

const FIXED_GAME: Game = GAMES[1];

const TITLES: [&str; 21] = [
    "Ahoy! First mate reporting for duty | !schedule",
    "Chill evening, come say hi",
    "[DROPS ON] we sail at dawn ⛵",
    "Hardcore run, day 12 — no deaths (yet)",
    "Community night: viewers choose the ship",
    "24h?? No. Maybe. We'll see.",
    "MARATHON for charity ❤️ !donate !goals",
    "Blind playthrough | no spoilers, please",
    "\"Just one more island\" – famous last words",
    "speedrun practice, any% \\o/",
    "first time in VR 🤢🚢",
    "drunken sailors & sober strategies",
    "Q&A, mail opening, new emotes <3",
    "!merch | back from vacation",
    "Subathon day 3: +5 min per sub",
    "🏴‍☠️🏴‍☠️🏴‍☠️",
    "cooking stream: hardtack from 1798",
    "testing the new camera (sorry)",
    "Ranked until I tilt (I always tilt)",
    "movie night, 100% legal public domain",
    "late night fishing, quiet voices only",
];
/// For guests: one broadcast in seven.
const GUEST_TITLES: [&str; 11] = [
    "¡Viernes pirata! Jugamos con la tripulación",
    "Подготовка к рейду, заходи на огонёк",
    "まったり配信 ⚓ 初見さん歓迎",
    "오늘도 항해합니다 | 소통 방송",
    "今晚開船，聊天喝茶",
    "Feierabendrunde mit Glühwein & Grog",
    "On finit le chapitre 4, après on verra…",
    "Πειρατικό βράδυ με φίλους",
    "ليلة القراصنة",
    "Ostatni rejs przed urlopem – żegnamy się!",
    "Türkiye'ye selam! Gece seferi",
];
const HIGHLIGHT_TITLES: [&str; 6] = [
    "The kraken scare",
    "He forgot the anchor again",
    "Best of chat | week in review",
    "Final boss, no damage",
    "Когда ветер против тебя",
    "一番の笑い声",
];
const UPLOAD_TITLES: [&str; 5] = [
    "Channel trailer",
    "How we built the ship set",
    "Thank you for another year!",
    "Outtakes",
    "Emote making, start to finish",
];
