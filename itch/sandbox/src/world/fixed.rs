//! The videos that are the same for every seed: each has an edge case for readers of chat.

use super::{
    time::{HOUR, PRESENT, Seconds, date},
    video::{Burst, LAG, VideoKind},
};

/// A video of `chat_replays`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FixedVideo {
    pub(crate) id: u64,
    pub(crate) kind: VideoKind,
    pub(crate) created_at: Seconds,
    pub(crate) length: Seconds,
    pub(crate) comments: u32,
    pub(crate) burst: Option<Burst>,
    pub(crate) title: &'static str,
    /// Whether the service still knows the creator.
    pub(crate) has_creator: bool,
    pub(crate) growing: bool,
}

const PLAIN: FixedVideo = FixedVideo {
    id: 0,
    kind: VideoKind::Archive,
    created_at: 0,
    length: HOUR,
    comments: 0,
    burst: None,
    title: "",
    has_creator: true,
    growing: false,
};

pub(crate) static FIXED: [FixedVideo; 9] = [
    FixedVideo {
        // The example of bibby/itch, with the times that its chat service reported.
        id: 80_935_574,
        created_at: 1_469_108_651,
        length: 1_469_133_795 - 1_469_108_651,
        comments: 4_000,
        title: "A day in July 2016",
        ..PLAIN
    },
    FixedVideo {
        id: 2_700_000_005,
        created_at: date(2026, 9, 1) + 18 * HOUR,
        length: 300,
        comments: 500,
        title: "Five minutes, five hundred comments",
        ..PLAIN
    },
    FixedVideo {
        id: 2_700_000_000,
        created_at: date(2026, 9, 3) + 18 * HOUR,
        title: "Nobody said a word",
        ..PLAIN
    },
    FixedVideo {
        id: 2_700_000_180,
        created_at: date(2026, 9, 5) + 18 * HOUR,
        comments: 1_000,
        burst: Some(Burst {
            second: 1_234,
            size: 180,
        }),
        title: "Everybody at once",
        ..PLAIN
    },
    FixedVideo {
        id: 2_700_000_009,
        created_at: date(2026, 9, 7) + 18 * HOUR,
        length: 600,
        comments: 200,
        title: "Whose channel was this?",
        has_creator: false,
        ..PLAIN
    },
    FixedVideo {
        id: 2_700_000_059,
        kind: VideoKind::Highlight,
        created_at: date(2026, 9, 9) + 18 * HOUR,
        length: 90,
        comments: 59,
        title: "Exactly one page",
        ..PLAIN
    },
    FixedVideo {
        id: 2_700_000_060,
        created_at: date(2026, 10, 10) + 18 * HOUR,
        length: 6 * HOUR,
        comments: 60_000,
        title: "Six hours, sixty thousand comments",
        ..PLAIN
    },
    FixedVideo {
        id: 2_700_000_600,
        created_at: date(2026, 10, 20) + 12 * HOUR,
        length: 30 * HOUR,
        comments: 600_000,
        title: "Thirty hours, six hundred thousand comments",
        ..PLAIN
    },
    FixedVideo {
        id: 2_700_000_001,
        created_at: PRESENT - 3 * HOUR,
        length: 3 * HOUR - LAG,
        comments: 7_200,
        title: "Still on air",
        growing: true,
        ..PLAIN
    },
];

impl FixedVideo {
    /// Equal to the id of the stream while it is live.
    pub(crate) fn stream_id(&self) -> u64 {
        20_000_000_000 + self.id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_videos_come_one_after_the_other() {
        let mut by_time: Vec<&FixedVideo> = FIXED.iter().collect();
        by_time.sort_by_key(|video| video.created_at);
        for pair in by_time.windows(2) {
            assert!(pair[0].created_at + pair[0].length < pair[1].created_at);
        }
        assert!(
            by_time
                .iter()
                .all(|video| !video.growing || video.created_at + video.length + LAG == PRESENT)
        );
    }
}
