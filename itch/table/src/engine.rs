//! The threads: each takes a block, parses its rows, and appends them once all rows before them are appended.
//!
//! So the rows keep the order of the file and line numbers are exact. Besides the 16 bytes per row of the result, only
//! a few blocks are in memory.

use std::collections::BTreeMap;
use std::io;
use std::sync::Mutex;
use std::thread;

use itch_api::sync::{ignore_poison, lock};
use itch_api::{Error, ErrorKind, Result};

use crate::blocks::{Blocks, Buffer, Piece};
use crate::cell::{CellError, Fault};
use crate::input::unreadable;
use crate::plan::Plan;
use crate::texts::Texts;
use crate::types::{BadRows, Column, ColumnKind, LINE_LIMIT, NAMED, Table, Values, Wanted};

/// The rows of one block, or all rows so far.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    /// The numbers of the current row, for [`Rows::push`].
    pub(crate) row: Vec<f64>,
    /// The columns of numbers, and of text.
    numbers: Vec<Vec<f64>>,
    pub(crate) texts: Vec<Texts>,
    pub(crate) records: Option<Texts>,
    /// How many rows were kept.
    kept: u64,
    /// How many lines were seen.
    pub(crate) lines: u64,
    /// How many rows have an empty cell in a wanted column.
    empty: u64,
    /// How many rows were skipped as bad, and the first of them with their lines counted from 0.
    bad: u64,
    first: Vec<BadRow>,
}

/// A row that was skipped as bad.
#[derive(Clone, Debug)]
struct BadRow {
    line: u64,
    reason: String,
    /// Whether its cell is probably a date in an unknown format.
    unknown_date: bool,
}

impl Rows {
    /// No rows, but columns for what is wanted.
    pub(crate) fn new(plan: &Plan<'_>) -> Rows {
        Rows {
            row: vec![0.0; plan.numbers.len()],
            numbers: vec![Vec::new(); plan.numbers.len()],
            texts: vec![Texts::default(); plan.texts.len()],
            records: plan.options.records.then(Texts::default),
            ..Rows::default()
        }
    }

    /// Keeps the numbers of the current row. The caller has to push its texts next.
    #[inline]
    pub(crate) fn push(&mut self) {
        for (column, value) in self.numbers.iter_mut().zip(&self.row) {
            column.push(*value);
        }
        self.kept += 1;
    }

    /// Counts a bad row, on a line counted from 0. The reason is only formatted if it will be shown.
    pub(crate) fn bad(&mut self, line: u64, reason: impl FnOnce() -> String) {
        self.bad += 1;
        if self.first.len() < NAMED {
            let reason = reason();
            self.first.push(BadRow {
                line,
                reason,
                unknown_date: false,
            });
        }
    }

    /// Skips a row. An empty cell is not an error, except for the start of a span.
    pub(crate) fn refuse(&mut self, line: u64, fault: Fault, plan: &Plan<'_>, excerpt: impl FnOnce() -> String) {
        if fault.wrong == CellError::Empty && !plan.spans {
            self.empty += 1;
        } else {
            let mut unknown_date = false;
            self.bad(line, || {
                let text = excerpt();
                unknown_date = matches!(fault.wrong, CellError::NoNumber | CellError::NoTime)
                    && text.starts_with(|first: char| first.is_ascii_digit());
                plan.reason(fault, &text)
            });
            if let (true, Some(row)) = (unknown_date, self.first.last_mut()) {
                row.unknown_date = true;
            }
        }
    }

    #[cfg(feature = "parquet")]
    pub(crate) fn any_bad(&self) -> bool {
        self.bad > 0
    }

    fn too_long(&mut self) {
        let line = self.lines;
        self.bad(line, line_too_long);
        self.lines += 1;
    }

    fn append(&mut self, other: &Rows) {
        for (all, part) in self.numbers.iter_mut().zip(&other.numbers) {
            all.extend_from_slice(part);
        }
        let texts = self.texts.iter_mut().chain(&mut self.records);
        for (all, part) in texts.zip(other.texts.iter().chain(&other.records)) {
            all.append(part);
        }
        let named = other.first.iter().take(NAMED - self.first.len());
        self.first.extend(named.map(|row| BadRow {
            line: self.lines + row.line,
            ..row.clone()
        }));
        self.kept += other.kept;
        self.lines += other.lines;
        self.bad += other.bad;
        self.empty += other.empty;
    }

    fn clear(&mut self) {
        self.numbers.iter_mut().for_each(Vec::clear);
        self.texts.iter_mut().chain(&mut self.records).for_each(Texts::clear);
        self.first.clear();
        (self.kept, self.lines, self.bad, self.empty) = (0, 0, 0, 0);
    }

    /// The finished table, or an error for the first bad row if `strict` is set.
    pub(crate) fn finish(mut self, name: &str, wanted: &[Wanted], plan: &Plan<'_>) -> Result<Table> {
        let has_unknown_dates = self.first.iter().any(|row| row.unknown_date);
        let first: Vec<(u64, String)> = self.first.into_iter().map(|row| (row.line + 1, row.reason)).collect();
        if let (true, Some((line, reason))) = (plan.options.strict, first.first()) {
            return Err(Error::new(ErrorKind::Failed, format!("{name}, line {line}: {reason}")));
        }
        self.numbers.iter_mut().for_each(Vec::shrink_to_fit);
        self.texts.iter_mut().chain(&mut self.records).for_each(Texts::shrink);
        let (mut numbers, mut texts) = (self.numbers.into_iter(), self.texts.into_iter());
        let columns = wanted.iter().map(|wanted| Column {
            name: plan.name(wanted.field).to_owned(),
            kind: wanted.kind,
            values: match wanted.kind {
                ColumnKind::Text => Values::Texts(texts.next().unwrap_or_default()),
                ColumnKind::Number | ColumnKind::Time => Values::Numbers(numbers.next().unwrap_or_default()),
            },
        });
        Ok(Table {
            columns: columns.collect(),
            records: self.records,
            rows: self.kept + self.empty + self.bad,
            empty: self.empty,
            bad: BadRows {
                count: self.bad,
                first,
                has_unknown_dates,
            },
        })
    }
}

pub(crate) fn line_too_long() -> String {
    format!("the line is longer than {} MiB", LINE_LIMIT >> 20)
}

/// Reads the rows of one block.
pub(crate) trait Parse: Sync {
    fn block(&self, records: &[u8], rows: &mut Rows);
}

/// What the threads share to take work.
struct Queue {
    blocks: Blocks,
    taken: u64,
    stop: bool,
    error: Option<io::Error>,
}

/// What the threads share to return rows.
struct Collected {
    rows: Rows,
    /// The number of the block whose rows are appended next.
    next: u64,
    early: BTreeMap<u64, Rows>,
    spare: Vec<Rows>,
    /// The size of the whole input in bytes; taken once memory was reserved for it.
    size: Option<u64>,
}

struct Engine<'a, P> {
    parse: &'a P,
    plan: &'a Plan<'a>,
    queue: Mutex<Queue>,
    collected: Mutex<Collected>,
}

/// Reads all blocks. `lines` lines have been read already.
pub(crate) fn run<P: Parse>(
    blocks: Blocks,
    parse: &P,
    plan: &Plan<'_>,
    lines: u64,
    (name, size): (&str, Option<u64>),
) -> Result<Rows> {
    let rows = Rows {
        lines,
        ..Rows::new(plan)
    };
    let engine = Engine {
        parse,
        plan,
        queue: Mutex::new(Queue {
            blocks,
            taken: 0,
            stop: false,
            error: None,
        }),
        collected: Mutex::new(Collected {
            rows,
            next: 0,
            early: BTreeMap::new(),
            spare: Vec::new(),
            size,
        }),
    };
    // The first block shows whether there is work for more than one thread.
    let mut worker = Worker::new(&engine);
    if worker.step() {
        let others = match lock(&engine.queue).blocks.ended() {
            true => 0,
            false => plan.options.threads.clamp(1, 64) - 1,
        };
        thread::scope(|scope| {
            for _ in 0..others {
                scope.spawn(|| Worker::new(&engine).work());
            }
            worker.work();
        });
    }
    let queue = ignore_poison(engine.queue.into_inner());
    match queue.error {
        Some(error) => Err(unreadable(name, &error)),
        None => Ok(ignore_poison(engine.collected.into_inner()).rows),
    }
}

struct Worker<'a, P> {
    engine: &'a Engine<'a, P>,
    buffer: Buffer,
    rows: Rows,
}

impl<'a, P: Parse> Worker<'a, P> {
    fn new(engine: &'a Engine<'a, P>) -> Worker<'a, P> {
        Worker {
            engine,
            buffer: Buffer::default(),
            rows: Rows::new(engine.plan),
        }
    }

    fn work(&mut self) {
        while self.step() {}
    }

    /// Takes one block and parses it; false if there is no block left.
    fn step(&mut self) -> bool {
        let Some((index, piece)) = self.take() else {
            return false;
        };
        match piece {
            Piece::End => return false,
            Piece::TooLong => self.rows.too_long(),
            Piece::Records => self.engine.parse.block(self.buffer.records(), &mut self.rows),
        }
        if self.engine.plan.options.strict && self.rows.bad > 0 {
            // Blocks before this one are still being parsed, so the first bad row is still found.
            lock(&self.engine.queue).stop = true;
        }
        self.hand_in(index);
        true
    }

    fn take(&mut self) -> Option<(u64, Piece)> {
        let mut queue = lock(&self.engine.queue);
        if queue.stop {
            return None;
        }
        match queue.blocks.next(&mut self.buffer) {
            Ok(piece) => {
                queue.taken += 1;
                queue.stop = piece == Piece::End;
                Some((queue.taken - 1, piece))
            }
            Err(error) => {
                queue.stop = true;
                queue.error = Some(error);
                None
            }
        }
    }

    fn hand_in(&mut self, index: u64) {
        let mut guard = lock(&self.engine.collected);
        let collected = &mut *guard;
        if index != collected.next {
            let spare = collected.spare.pop();
            let empty = || Rows::new(self.engine.plan);
            let rows = std::mem::replace(&mut self.rows, spare.unwrap_or_else(empty));
            collected.early.insert(index, rows);
            return;
        }
        collected.make_room(self.buffer.records().len(), &self.rows);
        collected.rows.append(&self.rows);
        self.rows.clear();
        collected.next += 1;
        while let Some(mut rows) = collected.early.remove(&collected.next) {
            collected.rows.append(&rows);
            collected.next += 1;
            rows.clear();
            collected.spare.push(rows);
        }
    }
}

impl Collected {
    /// Reserves memory for all rows, estimated from the first block, so that the columns are not moved as they grow.
    /// Unused memory is returned at the end and is never touched before.
    fn make_room(&mut self, bytes: usize, first: &Rows) {
        let Some(size) = self.size.take().filter(|_| bytes > 0) else {
            return;
        };
        let expected = first.kept as f64 * (size as f64 / bytes as f64) * 1.02;
        // A file that claims an absurd size gets no more room than a large one.
        let expected = (expected as usize).min(1 << 28) + 16;
        // If reserving fails, the columns grow as needed, and an error is reported only if that fails.
        for column in &mut self.rows.numbers {
            let _ = column.try_reserve(expected);
        }
    }
}
