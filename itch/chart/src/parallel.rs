//! Parallel work on many rows without a thread pool.

use std::ops::Range;
use std::sync::{LazyLock, Mutex};

use itch_api::sync::lock;

/// With fewer rows than this, a second thread costs more than it saves.
const WORTH_A_THREAD: usize = 50_000;
/// How many rows a thread takes at a time.
const PART: usize = 16_384;

/// The number of cores that this process may use. It is cached because asking takes a dozen system calls.
static CORES: LazyLock<usize> = LazyLock::new(|| std::thread::available_parallelism().map_or(1, usize::from));

/// How many threads work on so many rows.
pub(crate) fn threads(rows: usize) -> usize {
    match (rows / WORTH_A_THREAD).min(8) {
        0 | 1 => 1,
        most => most.min(*CORES),
    }
}

/// Splits `0..rows` into one range per thread, works on each and returns the results in order.
pub(crate) fn map<T: Send>(rows: usize, work: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
    let threads = threads(rows);
    if threads == 1 {
        return vec![work(0..rows)];
    }
    let range = |part: usize| rows * part / threads..rows * (part + 1) / threads;
    std::thread::scope(|scope| {
        let work = &work;
        let others: Vec<_> = (1..threads)
            .map(|part| scope.spawn(move || work(range(part))))
            .collect();
        let mut results = vec![work(range(0))];
        for other in others {
            match other.join() {
                Ok(result) => results.push(result),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        results
    })
}

/// Fills a slice of values from their indices. Each thread takes the next part whenever it is free, since a core may be
/// busy with something else.
pub(crate) fn fill<T: Send>(values: &mut [T], work: impl Fn(Range<usize>, &mut [T]) + Sync) {
    let threads = threads(values.len());
    let parts = Mutex::new(values.chunks_mut(PART).enumerate());
    let next = || lock(&parts).next();
    let fill = || {
        while let Some((number, values)) = next() {
            let from = number * PART;
            work(from..from + values.len(), values);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(fill);
        }
        fill();
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_worked_on_once() {
        for rows in [0, 1, 49_999, 100_000, 250_001] {
            let parts = map(rows, |range| range);
            assert_eq!(parts.first().unwrap().start, 0);
            assert_eq!(parts.last().unwrap().end, rows);
            for pair in parts.windows(2) {
                assert_eq!(pair[0].end, pair[1].start);
            }
            let mut values = vec![0; rows];
            fill(&mut values, |range, values| {
                for (place, value) in range.zip(values) {
                    *value += place + 1;
                }
            });
            assert!(values.iter().enumerate().all(|(place, value)| place + 1 == *value));
        }
    }
}
