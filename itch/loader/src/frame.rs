//! The encoding of messages between the host and the process of a unit: a header and bytes.
//!
//! A frame is its kind (1 byte), a number (8 bytes) that matches an answer to its question, and the length of its body
//! (4 bytes), little-endian, then the body. Both sides are the same program on the same machine.

use std::io::{self, Read, Write};

/// The maximum length of a body. Values and pictures are split into pieces; a row cannot be.
pub(crate) const LONGEST: usize = 64 << 20;
const _: () = assert!(itch_plugin::abi::LONGEST_ROW <= LONGEST);
/// The length of a piece.
pub(crate) const PIECE: usize = 1 << 20;

/// The kind of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    // From the host to the unit's process.
    /// The job: a [`crate::job::Job`] as JSON.
    Job = 1,
    /// A piece of a chart's buffer; the number is the index of the buffer.
    Buffer,
    /// The job is complete: start.
    Begin,
    /// The answer to the question of the same number.
    Answer,
    /// The run should stop.
    Cancel,
    /// One call of an open store; the first byte of the body is the operation.
    Store,
    // From the unit's process to the host.
    /// A store was opened, or the answer to one of its calls.
    Stored,
    /// Starts a request; the number is its ticket.
    Start,
    /// Asks for the response of a ticket.
    Wait,
    /// Asks which of several tickets has ended.
    WaitAny,
    /// Abandons a ticket; the number is the ticket.
    Abandon,
    /// A fact for the verdict.
    Note,
    /// Rows of a report.
    Emit,
    /// The progress of a run.
    Progress,
    /// A line for the log.
    Log,
    /// Entries that a scan visits.
    Visit,
    /// A piece of a value; more pieces or the last part of it follow.
    Piece,
    /// A piece of a picture.
    Write,
    /// The job has ended: a [`crate::job::JobResult`] as JSON.
    Done,
}

impl Kind {
    const ALL: [Kind; 19] = [
        Kind::Job,
        Kind::Buffer,
        Kind::Begin,
        Kind::Answer,
        Kind::Cancel,
        Kind::Store,
        Kind::Stored,
        Kind::Start,
        Kind::Wait,
        Kind::WaitAny,
        Kind::Abandon,
        Kind::Note,
        Kind::Emit,
        Kind::Progress,
        Kind::Log,
        Kind::Visit,
        Kind::Piece,
        Kind::Write,
        Kind::Done,
    ];

    fn of(byte: u8) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| *kind as u8 == byte)
    }
}

/// One frame.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) kind: Kind,
    pub(crate) number: u64,
    pub(crate) body: Vec<u8>,
}

const HEADER: usize = 13;

/// Writes a frame. Its parts are written one after the other; long parts are not copied.
pub(crate) fn write(out: &mut impl Write, kind: Kind, number: u64, parts: &[&[u8]]) -> io::Result<()> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    if length > LONGEST {
        return Err(too_long(length));
    }
    let mut head = Vec::with_capacity(HEADER + length.min(4096));
    head.push(kind as u8);
    head.extend_from_slice(&number.to_le_bytes());
    head.extend_from_slice(&(length as u32).to_le_bytes());
    if length <= 4096 {
        parts.iter().for_each(|part| head.extend_from_slice(part));
        return out.write_all(&head);
    }
    out.write_all(&head)?;
    parts.iter().try_for_each(|part| out.write_all(part))
}

/// Reads a frame; `None` if the other side has closed the pipe.
pub(crate) fn read(from: &mut impl Read) -> io::Result<Option<Frame>> {
    let mut head = [0; HEADER];
    let mut got = 0;
    while let Some(rest) = head.get_mut(got..).filter(|rest| !rest.is_empty()) {
        match from.read(rest) {
            Ok(0) if got == 0 => return Ok(None),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(n) => got += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let [kind, n0, n1, n2, n3, n4, n5, n6, n7, l0, l1, l2, l3] = head;
    let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
    if length > LONGEST {
        return Err(too_long(length));
    }
    let kind =
        Kind::of(kind).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "an unknown kind of message"))?;
    let mut body = Vec::with_capacity(length);
    from.take(length as u64).read_to_end(&mut body)?;
    if body.len() < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(Frame {
        kind,
        number: u64::from_le_bytes([n0, n1, n2, n3, n4, n5, n6, n7]),
        body,
    }))
}

fn too_long(length: usize) -> io::Error {
    let (length, limit) = (length >> 20, LONGEST >> 20);
    let why = format!("a message of {length} MiB is longer than the limit of {limit} MiB");
    io::Error::new(io::ErrorKind::InvalidData, why)
}

/// Decodes the parts of a body from the front.
pub(crate) struct Body<'a>(pub(crate) &'a [u8]);

impl<'a> Body<'a> {
    /// The next `N` bytes.
    pub(crate) fn take<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or(io::ErrorKind::UnexpectedEof)?;
        self.0 = rest;
        Ok(*head)
    }

    /// The next number.
    pub(crate) fn number(&mut self) -> io::Result<u64> {
        self.take().map(u64::from_le_bytes)
    }

    /// The next byte.
    pub(crate) fn byte(&mut self) -> io::Result<u8> {
        self.take::<1>().map(|[byte]| byte)
    }

    /// The next text, which follows its length.
    pub(crate) fn text(&mut self) -> io::Result<&'a [u8]> {
        let length = u16::from_le_bytes(self.take()?);
        let (head, rest) = self
            .0
            .split_at_checked(usize::from(length))
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        self.0 = rest;
        Ok(head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_survives() {
        for kind in Kind::ALL {
            let mut bytes = Vec::new();
            write(&mut bytes, kind, u64::MAX - 1, &[b"ab", &[7; 5000]]).unwrap();
            let frame = read(&mut bytes.as_slice()).unwrap().unwrap();
            assert_eq!((frame.kind, frame.number), (kind, u64::MAX - 1));
            assert_eq!(frame.body.len(), 5002);
            bytes.pop();
            assert!(read(&mut bytes.as_slice()).is_err());
        }
        assert!(read(&mut [].as_slice()).unwrap().is_none());
    }

    #[test]
    fn what_is_no_frame_is_refused_without_taking_memory() {
        assert!(read(&mut [0u8; HEADER].as_slice()).is_err());
        let mut endless = [0xffu8; HEADER];
        endless[0] = Kind::Emit as u8;
        assert!(read(&mut endless.as_slice()).is_err());
        // The length is allowed, but the body is missing.
        let mut lying = vec![Kind::Emit as u8];
        lying.extend_from_slice(&0u64.to_le_bytes());
        lying.extend_from_slice(&(LONGEST as u32).to_le_bytes());
        assert!(read(&mut lying.as_slice()).is_err());
    }
}
