//! Reverses a long list without keeping it in memory.

use std::io::{BufWriter, Read, Seek, SeekFrom, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Result;

/// Rows per block. One block is in memory at once.
const BLOCK: usize = 1000;

/// The items of an iterator in reverse order, using an unnamed temporary file.
///
/// All items are read before the first one is returned; blocks of rows are then read backwards. The file has no name
/// and is removed when the process ends, however it ends.
pub fn reversed<T>(items: impl Iterator<Item = Result<T>>) -> Result<Reversed<T>>
where
    T: Serialize + DeserializeOwned,
{
    let mut file = BufWriter::new(tempfile::tempfile()?);
    let mut blocks: Vec<u64> = Vec::new();
    let mut block = Vec::with_capacity(BLOCK);
    for item in items {
        if block.len() == BLOCK {
            let bytes = serde_json::to_vec(&block).map_err(std::io::Error::from)?;
            file.write_all(&bytes)?;
            blocks.push(blocks.last().copied().unwrap_or(0) + bytes.len() as u64);
            block.clear();
        }
        block.push(item?);
    }
    let file = file.into_inner().map_err(std::io::IntoInnerError::into_error)?;
    Ok(Reversed { file, blocks, block })
}

/// See [`reversed`].
#[derive(Debug)]
pub struct Reversed<T> {
    file: std::fs::File,
    /// Where each block ends in the file; the last rows are kept in memory.
    blocks: Vec<u64>,
    block: Vec<T>,
}

impl<T: DeserializeOwned> Reversed<T> {
    fn read_block(&mut self) -> Result<()> {
        let Some(end) = self.blocks.pop() else {
            return Ok(());
        };
        let start = self.blocks.last().copied().unwrap_or(0);
        let mut bytes = vec![0; (end - start) as usize];
        self.file.seek(SeekFrom::Start(start))?;
        self.file.read_exact(&mut bytes)?;
        self.block = serde_json::from_slice(&bytes).map_err(std::io::Error::from)?;
        Ok(())
    }
}

impl<T: DeserializeOwned> Iterator for Reversed<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        while self.block.is_empty() && !self.blocks.is_empty() {
            if let Err(error) = self.read_block() {
                self.blocks.clear();
                return Some(Err(error));
            }
        }
        self.block.pop().map(Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_length_comes_back_in_reverse() {
        for n in [0, 1, 999, 1000, 1001, 5432] {
            let items = (0..n).map(|i: u32| Ok(i));
            let back: Vec<u32> = reversed(items).unwrap().map(|item| item.unwrap()).collect();
            assert_eq!(back, (0..n).rev().collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_error_on_the_way_is_the_answer() {
        let items = [Ok(1), Err(crate::Error::cancelled())].into_iter();
        assert!(reversed::<u32>(items).unwrap_err().is_cancelled());
    }
}
