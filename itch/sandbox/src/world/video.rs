//! What a video and a running broadcast are.

use super::{accounts::UserId, time::Seconds};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VideoKind {
    Archive,
    Highlight,
    Upload,
}

impl VideoKind {
    pub(super) const ALL: [VideoKind; 3] = [VideoKind::Archive, VideoKind::Highlight, VideoKind::Upload];

    pub(crate) fn name(self) -> &'static str {
        match self {
            VideoKind::Archive => "archive",
            VideoKind::Highlight => "highlight",
            VideoKind::Upload => "upload",
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Video {
    pub(crate) id: u64,
    pub(crate) channel: UserId,
    pub(crate) kind: VideoKind,
    pub(crate) created_at: Seconds,
    pub(crate) length: Seconds,
    /// Only an archive has one.
    pub(crate) stream_id: Option<u64>,
    pub(crate) title: &'static str,
    pub(crate) views: u64,
    /// Offset and duration of the parts without sound.
    pub(crate) muted: Vec<(Seconds, Seconds)>,
    /// The broadcast goes on, and the video grows.
    pub(crate) growing: bool,
    pub(crate) game: Game,
    /// Whether the service still knows who made it.
    pub(crate) has_creator: bool,
    /// What its chat was written in: its own stream, or that which it was cut from.
    pub(crate) broadcast_id: u64,
    pub(crate) comments: u32,
    pub(crate) burst: Option<Burst>,
}

impl Video {
    /// How long there has been chat: longer than the video says while it grows.
    pub(crate) fn span(&self) -> Seconds {
        self.length + if self.growing { LAG } else { 0 }
    }
}

/// Twitch's id and name of a game.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Game {
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
}

/// A broadcast that is running now.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    pub(crate) id: u64,
    pub(crate) channel: UserId,
    pub(crate) title: &'static str,
    pub(crate) game: Game,
    pub(crate) viewers: u64,
    pub(crate) started_at: Seconds,
}

/// One second with more comments than a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Burst {
    pub(crate) second: Seconds,
    pub(crate) size: u32,
}

/// How far the length of a growing video lies behind what is on air, and in chat, already.
pub(crate) const LAG: Seconds = 4 * 60;
