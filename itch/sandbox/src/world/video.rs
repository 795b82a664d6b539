//! Types for videos and live streams.

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
    /// Only an archive has a stream id.
    pub(crate) stream_id: Option<u64>,
    pub(crate) title: &'static str,
    pub(crate) views: u64,
    /// Offset and duration of the muted segments.
    pub(crate) muted: Vec<(Seconds, Seconds)>,
    /// The broadcast is live, and the video is growing.
    pub(crate) growing: bool,
    pub(crate) game: Game,
    /// Whether the service still knows the creator.
    pub(crate) has_creator: bool,
    /// The broadcast that its chat belongs to: its own stream, or the one it was cut from.
    pub(crate) broadcast_id: u64,
    pub(crate) comments: u32,
    pub(crate) burst: Option<Burst>,
}

impl Video {
    /// The length of the chat: longer than that of the video while it is growing.
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

/// A live stream.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    pub(crate) id: u64,
    pub(crate) channel: UserId,
    pub(crate) title: &'static str,
    pub(crate) game: Game,
    pub(crate) viewers: u64,
    pub(crate) started_at: Seconds,
}

/// A second with more comments than a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Burst {
    pub(crate) second: Seconds,
    pub(crate) size: u32,
}

/// How far the length of a growing video is behind the stream and the chat.
pub(crate) const LAG: Seconds = 4 * 60;
