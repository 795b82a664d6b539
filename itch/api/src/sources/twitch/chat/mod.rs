//! The chat of a past broadcast, over Twitch's private GQL service: the official API has no endpoint for it
//! (dev.twitch.tv/docs/api).
//!
//! A recording is cut into windows that several connections fetch in order; each window is a cursor chain. Messages
//! are returned in order while later windows load. Messages that were fetched but not yet returned use at most a few
//! mebibytes: at that limit, all windows except the oldest pause. The last window has no end, since a recording may
//! grow and comments may be written after its end.

mod answer;
mod asking;
mod comments;
mod replay;
mod rows;
mod video;
mod window;

use std::collections::VecDeque;

use chrono::Utc;

use self::asking::Asking;
use self::replay::Replay;
use self::rows::LONGEST;
use crate::raw::{ChatMessage, Freshness, RawApi, Result};
use crate::sources::parameters::ChatParameters;
use crate::sources::source::Rows;

pub(super) use self::comments::COMMENTS;
pub(super) use self::video::VIDEO;

/// The length of the widest window in seconds. Dense windows are cut after their first page.
const WIDEST: i64 = 1200;
/// Towards the end windows get narrower, so that the connections finish at about the same time.
const SHARE_OF_REST: i64 = 8;
/// The length of the narrowest planned window in seconds.
const NARROWEST: i64 = 60;
/// Up to this many messages are fetched as a single chain.
const SMALL_LIMIT: u64 = 1000;

/// Starts fetching.
pub(super) fn replay(api: &RawApi, asked: ChatParameters) -> Result<Rows<ChatMessage>> {
    let mut asking = Asking::default();
    let info = asking.info(api, &asked.video)?;
    // A length beyond what Twitch allows is an error in the data. The last window has no end anyway.
    let length = info.length.map(|length| length.min(LONGEST));
    let small = asked.limit.is_some_and(|limit| limit <= SMALL_LIMIT);
    let connections = if small { 1 } else { asked.connections };
    let layout = match length.filter(|_| connections > 1) {
        Some(length) => {
            let end = asked.to.filter(|to| *to < length);
            lay_out(asked.from, end, asked.to, length)
        }
        // A recording of unknown length cannot be cut.
        None => VecDeque::from([(asked.from, asked.to)]),
    };
    let freshness = match info.is_over(Utc::now()) {
        true => Freshness::Immutable,
        false => Freshness::Growing,
    };
    Ok(Box::new(Replay::new(api, asked, asking, (length, freshness), connections, layout)))
}

/// Cuts a recording into windows. The cut depends on the recording only, so that a later run sends the same requests.
fn lay_out(from: i64, end: Option<i64>, to: Option<i64>, length: i64) -> VecDeque<(i64, Option<i64>)> {
    let last = end.unwrap_or(length);
    let mut windows = VecDeque::new();
    let mut start = from;
    loop {
        let rest = last - start;
        let width = (rest / SHARE_OF_REST).clamp(NARROWEST, WIDEST);
        if rest <= width {
            windows.push_back((start, to));
            return windows;
        }
        windows.push_back((start, Some(start + width)));
        start += width;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_cover_a_recording_without_gap_or_overlap() {
        for (from, to, length) in [
            (0, None, 21_600),
            (100, Some(5000), 21_600),
            (0, None, 1),
            (0, Some(50), 1),
            (7, None, 300),
            (500, None, 300),
            (0, Some(99_999), 3600),
        ] {
            let windows = lay_out(from, to.filter(|to| *to < length), to, length);
            assert_eq!(windows[0].0, from);
            assert_eq!(windows.back().unwrap().1, to, "the last window ends where the person said, or is open");
            for (one, next) in windows.iter().zip(windows.iter().skip(1)) {
                assert_eq!(one.1, Some(next.0));
                assert!(next.0 > one.0);
            }
        }
    }
}
