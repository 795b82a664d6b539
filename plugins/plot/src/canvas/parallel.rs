//! Draws a picture in stripes of some rows each, on every core. A stripe stays in the cache of its core while it is
//! drawn. Stripes are returned in order as soon as they are finished, so that the whole picture is never in memory.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use itch_plugin::sync::lock;
use itch_plugin::{Chart, Result};

use super::marks::Marks;
use super::stripe::Stripe;

/// The size of a stripe in bytes, chosen so that it fits into the L2 cache together with what is drawn.
const BYTES: usize = 384 << 10;
/// The maximum number of threads: with more, the thread that writes is the bottleneck.
const THREADS: usize = 8;

/// What the threads share.
struct Work<'a> {
    marks: &'a Marks,
    chart: &'a Chart<'a>,
    background: u8,
    /// The number of rows of a stripe; the last stripe may have fewer.
    rows: usize,
    count: usize,
    next: AtomicUsize,
    spare: Mutex<Vec<Vec<u8>>>,
}

impl Work<'_> {
    /// Draws a stripe that no thread has begun.
    fn draw(&self) -> Option<(usize, Vec<u8>)> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        if number >= self.count {
            return None;
        }
        let first = number * self.rows;
        let rows = first..(first + self.rows).min(self.marks.height);
        let mut bytes = self.spare().pop().unwrap_or_default();
        bytes.clear();
        bytes.resize(rows.len() * self.marks.width * 3, self.background);
        let mut stripe = Stripe {
            width: self.marks.width,
            rows,
            bytes: &mut bytes,
        };
        self.marks.draw(self.chart, &mut stripe);
        Some((number, bytes))
    }

    fn spare(&self) -> std::sync::MutexGuard<'_, Vec<Vec<u8>>> {
        lock(&self.spare)
    }

    /// Passes the stripes to `take` in order; draws stripes itself while the next one is not finished.
    fn hand_over(&self, drawn: &Receiver<(usize, Vec<u8>)>, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut early = BTreeMap::new();
        for number in 0..self.count {
            let bytes = loop {
                early.extend(drawn.try_iter());
                if let Some(bytes) = early.remove(&number) {
                    break bytes;
                }
                // When all are begun, another thread draws this one.
                match self.draw().or_else(|| drawn.recv().ok()) {
                    Some((number, bytes)) => early.insert(number, bytes),
                    None => return Ok(()),
                };
            };
            take(&bytes)?;
            self.spare().push(bytes);
        }
        Ok(())
    }
}

/// Draws a picture on a background, and passes it to `take` from top to bottom, some rows at a time.
pub(crate) fn draw(
    marks: &Marks,
    chart: &Chart<'_>,
    background: u8,
    take: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let rows = (BYTES / (marks.width * 3).max(1)).max(16);
    let work = Work {
        marks,
        chart,
        background,
        rows,
        count: marks.height.div_ceil(rows),
        next: AtomicUsize::new(0),
        spare: Mutex::default(),
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let others = cores.min(THREADS).min(work.count).saturating_sub(1);
    let (tell, drawn) = channel();
    std::thread::scope(|scope| {
        for _ in 0..others {
            let (work, tell): (_, Sender<_>) = (&work, tell.clone());
            // If a thread cannot be started, the others do its work.
            let _ = std::thread::Builder::new().spawn_scoped(scope, move || {
                while let Some(stripe) = work.draw() {
                    if tell.send(stripe).is_err() {
                        return;
                    }
                }
            });
        }
        drop(tell);
        let done = work.hand_over(&drawn, take);
        // After an error of `take`, no further stripe is begun.
        work.next.store(usize::MAX / 2, Ordering::Relaxed);
        done
    })
}

#[cfg(test)]
mod tests {
    use itch_plugin::{Color, Error, ErrorKind, Rect};

    use super::*;
    use crate::canvas::Canvas;

    /// A picture whose rows have different shades of grey, higher than wide.
    fn rows(height: u32) -> Marks {
        let mut marks = Marks::new(20_000, height);
        for row in 0..height {
            let grey = row as u8;
            let rect = Rect {
                left: 0.0,
                top: f64::from(row),
                width: 20_000.0,
                height: 1.0,
            };
            marks.fill(rect, Color::new(grey, grey, grey));
        }
        marks
    }

    #[test]
    fn every_row_comes_once_and_in_order() {
        for height in [0, 1, 15, 16, 17, 200] {
            let marks = rows(height);
            let mut got = Vec::new();
            let taken = draw(&marks, &Chart::default(), 7, &mut |bytes| {
                let rows = bytes.chunks(60_000);
                got.extend(rows.map(|row| {
                    assert!(row.len() == 60_000 && row.iter().all(|byte| *byte == row[0]));
                    u32::from(row[0])
                }));
                Ok(())
            });
            assert!(taken.is_ok());
            assert_eq!(got, (0..height).collect::<Vec<_>>());
        }
    }

    #[test]
    fn who_wants_no_more_ends_it() {
        let mut times = 0;
        let taken = draw(&rows(200), &Chart::default(), 0, &mut |_| {
            times += 1;
            match times {
                1 => Ok(()),
                _ => Err(Error::new(ErrorKind::Failed, "full")),
            }
        });
        assert_eq!((taken.map_err(|error| error.to_string()), times), (Err("full".to_owned()), 2));
    }
}
