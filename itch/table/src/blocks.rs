//! Cuts a stream of bytes into blocks of whole records, which the threads take one after the other.
//!
//! Each thread reads into its own buffer, so a table of any size needs one block of memory per thread. The lock on
//! [`Blocks`] is held only while bytes are copied from the page cache (or decompressed) and the last line end is
//! searched.

use std::io::{self, Read};

use memchr::{memchr, memchr2, memrchr};

use crate::LINE_LIMIT;

/// How the end of a record is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Records {
    /// At every line end.
    Lines,
    /// At every line end outside quotes. A quote opens only after this delimiter or a line end.
    Quoted(u8),
}

/// A buffer that is allocated once and reused. Only the part filled last is valid.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    filled: usize,
}

impl Buffer {
    pub(crate) fn records(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or(&[])
    }
}

/// What [`Blocks::next`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Whole records. The last record of the input may lack its line end.
    Records,
    /// No records: one line longer than [`LINE_LIMIT`] was skipped here.
    TooLong,
    /// No records: the end of the input.
    End,
}

pub(crate) struct Blocks {
    input: Box<dyn Read + Send>,
    /// Bytes that were read but not returned yet.
    carry: Vec<u8>,
    ended: bool,
    block: usize,
    records: Records,
}

impl Blocks {
    /// Blocks of about `block` bytes.
    pub(crate) fn new(input: Box<dyn Read + Send>, block: usize, records: Records) -> Blocks {
        Blocks {
            input,
            carry: Vec::new(),
            ended: false,
            block: block.max(1),
            records,
        }
    }

    /// Whether the end of the input was reached, so that at most one more block follows.
    pub(crate) fn ended(&self) -> bool {
        self.ended
    }

    /// Fills a buffer with the next whole records.
    pub(crate) fn next(&mut self, buffer: &mut Buffer) -> io::Result<Piece> {
        buffer.filled = 0;
        append(buffer, &self.carry);
        self.carry.clear();
        let mut searched = 0;
        loop {
            if let Some(cut) = self.cut(buffer, searched) {
                self.carry.extend_from_slice(buffer.records().get(cut..).unwrap_or(&[]));
                buffer.filled = cut;
                return Ok(Piece::Records);
            }
            if self.ended {
                return Ok(if buffer.filled == 0 { Piece::End } else { Piece::Records });
            }
            if buffer.filled > LINE_LIMIT {
                self.skip_line(buffer)?;
                return Ok(Piece::TooLong);
            }
            searched = buffer.filled;
            self.fill(buffer)?;
        }
    }

    /// Reads one more block.
    fn fill(&mut self, buffer: &mut Buffer) -> io::Result<()> {
        let wanted = buffer.filled + self.block;
        if buffer.bytes.len() < wanted {
            buffer.bytes.resize(wanted, 0);
        }
        while let Some(room) = buffer
            .bytes
            .get_mut(buffer.filled..wanted)
            .filter(|room| !room.is_empty())
        {
            match self.input.read(room) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(count) => buffer.filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Where the last whole record ends, if there is one.
    fn cut(&self, buffer: &Buffer, searched: usize) -> Option<usize> {
        let bytes = buffer.records();
        match self.records {
            Records::Lines => Some(searched + memrchr(b'\n', bytes.get(searched..)?)? + 1),
            Records::Quoted(delimiter) => {
                let mut cut = 0;
                while let Some(length) = record_length(bytes.get(cut..)?, delimiter, self.ended) {
                    cut += length;
                }
                (cut > 0).then_some(cut)
            }
        }
    }

    /// Drops everything up to the next line end.
    fn skip_line(&mut self, buffer: &mut Buffer) -> io::Result<()> {
        while !self.ended {
            buffer.filled = 0;
            self.fill(buffer)?;
            if let Some(end) = memchr(b'\n', buffer.records()) {
                self.carry
                    .extend_from_slice(buffer.records().get(end + 1..).unwrap_or(&[]));
                break;
            }
        }
        buffer.filled = 0;
        Ok(())
    }
}

fn append(buffer: &mut Buffer, bytes: &[u8]) {
    let end = buffer.filled + bytes.len();
    if buffer.bytes.len() < end {
        buffer.bytes.resize(end, 0);
    }
    if let Some(room) = buffer.bytes.get_mut(buffer.filled..end) {
        room.copy_from_slice(bytes);
        buffer.filled = end;
    }
}

/// The length of the first record including its line end. `None` if its end is not in these bytes and more bytes
/// follow.
///
/// A quote that is not closed within [`LINE_LIMIT`] is a stray quote: the record is then the first line only, so that
/// one character cannot consume the rest of a file. The result does not depend on how the input was cut into blocks.
pub(crate) fn record_length(bytes: &[u8], delimiter: u8, all: bool) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = bytes.get(at..)?;
        let Some(found) = memchr2(b'\n', b'"', rest) else {
            return (all && !bytes.is_empty()).then_some(bytes.len());
        };
        let place = at + found;
        if rest.get(found) == Some(&b'\n') {
            return Some(place + 1);
        }
        let opens = place == 0 || bytes.get(place - 1) == Some(&delimiter);
        if !opens {
            at = place + 1;
            continue;
        }
        let within = bytes.get(..LINE_LIMIT).unwrap_or(bytes);
        match closing_quote(within, place + 1) {
            Some(close) => at = close + 1,
            None if all || bytes.len() >= LINE_LIMIT => {
                let line = memchr(b'\n', bytes).map(|end| end + 1);
                return line.or(all.then_some(bytes.len()));
            }
            None => return None,
        }
    }
}

/// Where the quotes end that were opened before `at`. A doubled quote is a literal quote.
pub(crate) fn closing_quote(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let place = at + memchr(b'"', bytes.get(at..)?)?;
        if bytes.get(place + 1) != Some(&b'"') {
            return Some(place);
        }
        at = place + 2;
    }
}

#[cfg(test)]
#[path = "blocks_tests.rs"]
mod tests;
