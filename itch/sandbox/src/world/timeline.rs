//! The times of the comments of a video, with random access by index and by time.

use super::{seed::Seed, video::Burst};

/// Milliseconds since the start of a video.
pub(crate) type Millis = u64;

const SECOND: Millis = 1_000;

/// A video is divided into so many parts of equal length, some busier than others.
const PARTS: usize = 48;

/// The resolution of the position of a comment in its piece; a video has `count` equal pieces.
const PIECE: u128 = 1 << 16;

/// The times of comments, ordered by index. Only integers are used, so the result is the same on every machine.
#[derive(Debug)]
pub(crate) struct Timeline {
    seed: Seed,
    count: u32,
    span: Millis,
    /// The total activity before each part, and of the whole video.
    busy_before: [u64; PARTS + 1],
    /// The start of the second of the burst, and the indices of its comments.
    burst: Option<(Millis, std::ops::Range<u32>)>,
}

impl Timeline {
    /// `count` comments over `span`, including those of the burst.
    pub(super) fn new(seed: Seed, count: u32, span: Millis, burst: Option<Burst>) -> Timeline {
        let mut busy_before = [0; PARTS + 1];
        for part in 0..PARTS {
            let busy = seed.child("busy").below(part as u64, 80);
            // Some parts are especially busy.
            let much = if seed.child("much").below(part as u64, 9) == 0 {
                60
            } else {
                0
            };
            busy_before[part + 1] = busy_before[part] + 30 + busy + much;
        }
        let mut timeline = Timeline {
            seed,
            count,
            span,
            busy_before,
            burst: None,
        };
        if let Some(Burst { second, size }) = burst {
            // The other comments are distributed as if the second of the burst did not exist.
            timeline.count = count - size;
            timeline.span = span - SECOND;
            let start = second as Millis * SECOND;
            let first = timeline.first_at(start);
            timeline.burst = Some((start, first..first + size));
            timeline.count = count;
            timeline.span = span;
        }
        timeline
    }

    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// The offset of the comment at an index below the count. It is never before that of a lower index.
    pub(crate) fn at(&self, index: u32) -> Millis {
        match &self.burst {
            None => self.steady(index, self.count, self.span),
            Some((start, burst)) if burst.contains(&index) => {
                start + u64::from(index - burst.start) * SECOND / (burst.len() as u64)
            }
            Some((start, burst)) => {
                let size = burst.len() as u32;
                let index = if index < burst.start { index } else { index - size };
                let moment = self.steady(index, self.count - size, self.span - SECOND);
                if moment < *start { moment } else { moment + SECOND }
            }
        }
    }

    /// The index of the first comment at or after an offset; the count if there is none.
    pub(crate) fn first_at(&self, moment: Millis) -> u32 {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.at(middle) < moment {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    fn steady(&self, index: u32, count: u32, span: Millis) -> Millis {
        let jitter = self.seed.child("moment").below(index.into(), PIECE as u64);
        let pieces = u128::from(count) * PIECE;
        let all = u128::from(self.busy_before[PARTS]);
        let position = (u128::from(index) * PIECE + u128::from(jitter)) * all;
        let part = self
            .busy_before
            .partition_point(|&before| u128::from(before) * pieces <= position)
            .clamp(1, PARTS)
            - 1;
        let (before, after) = (self.busy_before[part], self.busy_before[part + 1]);
        let start = span * part as u64 / PARTS as u64;
        let length = span * (part as u64 + 1) / PARTS as u64 - start;
        let inside = position - u128::from(before) * pieces;
        start + (inside * u128::from(length) / (u128::from(after - before) * pieces)) as Millis
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_in_order_within_the_video_and_found_by_their_time() {
        for (seed, count, span) in [(1, 0, 1_000), (2, 1, 1), (3, 59, 90_000), (4, 60_000, 21_600_000)] {
            let timeline = Timeline::new(Seed::new(seed), count, span, None);
            let times: Vec<Millis> = (0..count).map(|index| timeline.at(index)).collect();
            assert!(times.is_sorted());
            assert!(times.iter().all(|&time| time < span));
            for moment in (0..span + 2_000).step_by((span as usize / 500).max(1)) {
                let expected = times.partition_point(|&time| time < moment) as u32;
                assert_eq!(timeline.first_at(moment), expected);
            }
        }
    }

    #[test]
    fn a_burst_has_its_second_to_itself() {
        let burst = Burst {
            second: 1_234,
            size: 180,
        };
        for seed in 0..20 {
            let timeline = Timeline::new(Seed::new(seed), 1_000, 3_600_000, Some(burst));
            let times: Vec<Millis> = (0..1_000).map(|index| timeline.at(index)).collect();
            assert!(times.is_sorted());
            let within = times.iter().filter(|&&time| time / SECOND == 1_234);
            assert_eq!(within.count(), 180);
            assert!(times.iter().all(|&time| time < 3_600_000));
        }
    }

    #[test]
    fn some_parts_are_busier() {
        let timeline = Timeline::new(Seed::new(1), 60_000, 21_600_000, None);
        let in_hour = |hour: u64| timeline.first_at((hour + 1) * 3_600_000) - timeline.first_at(hour * 3_600_000);
        let counts: Vec<u32> = (0..6).map(in_hour).collect();
        assert_eq!(counts.iter().sum::<u32>(), 60_000);
        let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
        assert!(most * 10 > least * 11, "{counts:?}");
    }
}
