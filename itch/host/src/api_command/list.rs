//! The list of `--each`.

use itch_api::Result;
use sha2::{Digest, Sha256};

use super::template::hex;
use crate::failure::usage;

/// One line that is not blank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Its number among all lines, from 1.
    pub(super) number: u64,
    pub(super) text: String,
}

impl Line {
    /// The beginning of a hash of its text, for the journal.
    pub(super) fn fingerprint(&self) -> String {
        let mut hash = hex(&Sha256::digest(&self.text));
        hash.truncate(16);
        hash
    }
}

/// A whole list.
#[derive(Debug)]
pub(super) struct List {
    pub(super) lines: Vec<Line>,
    /// A hash of the file, for the journal.
    pub(super) fingerprint: String,
}

impl List {
    /// Reads a list: blank lines are left out, and so is the CR at the end of a line.
    pub(super) fn read(bytes: &[u8]) -> Result<List> {
        let whole = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let mut lines = Vec::new();
        for (number, line) in (1..).zip(whole.split(|byte| *byte == b'\n')) {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let text =
                std::str::from_utf8(line).map_err(|_| usage(format!("line {number} of the list is not UTF-8")))?;
            if !text.trim().is_empty() {
                lines.push(Line {
                    number,
                    text: text.to_owned(),
                });
            }
        }
        match lines.is_empty() {
            true => Err(usage("the list is empty")),
            false => Ok(List {
                lines,
                fingerprint: hex(&Sha256::digest(bytes)),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_their_numbers() {
        let list = List::read(b"\xef\xbb\xbfa\r\n\n \t\nb c\r\r\nlast").unwrap();
        let lines: Vec<_> = list
            .lines
            .iter()
            .map(|line| (line.number, line.text.as_str()))
            .collect();
        assert_eq!(lines, [(1, "a"), (4, "b c\r"), (5, "last")]);
        assert_ne!(list.fingerprint, List::read(b"a\nb c\nlast").unwrap().fingerprint);
        assert!(List::read(b"\n \r\n").is_err() && List::read(b"").is_err() && List::read(b"a\n\xff\n").is_err());
    }
}
