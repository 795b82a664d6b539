//! A stripe: some rows of a picture, drawn by one thread.

use std::ops::Range;

use super::paint::Area;

/// Some rows of a picture: red, green and blue of every pixel, row by row.
#[derive(Debug)]
pub(super) struct Stripe<'a> {
    pub(super) width: usize,
    pub(super) rows: Range<usize>,
    pub(super) bytes: &'a mut [u8],
}

impl Stripe<'_> {
    /// The rows of an area that are on this stripe.
    pub(super) fn within(&self, area: Area) -> Range<usize> {
        self.rows.start.max(area.top)..self.rows.end.min(area.bottom)
    }

    /// The rows of an area that are on this stripe, with their row numbers.
    pub(super) fn lines(&mut self, area: Area) -> impl Iterator<Item = (usize, &mut [u8])> {
        let rows = self.within(area);
        let columns = area.left * 3..area.right.max(area.left) * 3;
        let line = self.width * 3;
        let from = rows.start.saturating_sub(self.rows.start) * line;
        let lines = self.bytes.get_mut(from..).unwrap_or_default();
        rows.zip(lines.chunks_exact_mut(line.max(1)))
            .map(move |(row, line)| (row, &mut line[columns.clone()]))
    }

    /// So many bytes of a row on this stripe, starting at a column; `None` if the row has fewer.
    pub(super) fn beside(&mut self, row: usize, column: isize, length: usize) -> Option<&mut [u8]> {
        let line = self.width * 3;
        let from = usize::try_from(column).ok()? * 3;
        let start = (row - self.rows.start) * line + from;
        match from + length <= line {
            true => self.bytes.get_mut(start..start + length),
            false => None,
        }
    }

    /// Pixels of a row on this stripe.
    pub(super) fn pixels(&mut self, row: usize, columns: Range<usize>) -> &mut [[u8; 3]] {
        let line = (row - self.rows.start) * self.width;
        let bytes = &mut self.bytes[(line + columns.start) * 3..(line + columns.end) * 3];
        bytes.as_chunks_mut().0
    }
}
