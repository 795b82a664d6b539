//! Opens an input: where it comes from, whether it is compressed, and which format it has.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::PathBuf;

use itch_api::{Error, ErrorKind, Result};

use crate::format::InputFormat;

/// How many bytes are read to detect compression and format.
const HEAD: usize = 64 << 10;

/// Where a table comes from.
#[derive(Clone, Debug)]
pub enum Input {
    /// A file, a pipe or a device; `-` has no special meaning here.
    Path(PathBuf),
    /// The standard input of the process.
    Stdin,
    /// Bytes in memory.
    Bytes(Vec<u8>),
}

/// An open input whose first bytes were read.
pub(crate) struct Opened {
    /// Its name in messages.
    pub(crate) name: String,
    pub(crate) form: Form,
    /// Its first bytes, without a byte order mark.
    pub(crate) head: Vec<u8>,
    /// Whether the head is the whole input.
    pub(crate) ended: bool,
    /// What follows the head.
    pub(crate) rest: Box<dyn Read + Send>,
    /// The file itself, if it is a regular file and can be read at any offset.
    pub(crate) file: Option<File>,
    /// How many bytes it has, if that is known.
    pub(crate) size: Option<u64>,
}

/// The form of an input, judged by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// Text. Quotes enclose cells either for every delimiter, or depending on the delimiter.
    Text {
        quotes: bool,
    },
    Json,
    Parquet,
}

/// An error that names the input.
pub(crate) fn unreadable(name: &str, error: &io::Error) -> Error {
    Error::new(ErrorKind::Failed, format!("could not read {name}")).source_chain(error)
}

pub(crate) fn open(input: Input, format: Option<InputFormat>) -> Result<Opened> {
    let (name, ending, file, reader, size): (_, _, Option<File>, Box<dyn Read + Send>, _) = match input {
        Input::Path(path) => {
            let name = path.display().to_string();
            let file = File::open(&path).map_err(|error| not_opened(&name, &error))?;
            let metadata = file.metadata().map_err(|error| unreadable(&name, &error))?;
            if metadata.is_dir() {
                return Err(Error::new(ErrorKind::Failed, format!("{name} is a directory")));
            }
            let plain = metadata.is_file();
            let again = if plain { file.try_clone().ok() } else { None };
            (name, InputFormat::of_file(&path), again, Box::new(file), plain.then_some(metadata.len()))
        }
        Input::Stdin => ("standard input".to_owned(), None, None, Box::new(io::stdin()), None),
        Input::Bytes(bytes) => {
            let size = bytes.len() as u64;
            ("the input".to_owned(), None, None, Box::new(Cursor::new(bytes)), Some(size))
        }
    };
    let mut opened = Opened {
        name,
        form: Form::Json,
        head: Vec::new(),
        ended: false,
        rest: reader,
        file,
        size,
    };
    opened.look()?;
    opened.decompress()?;
    opened.form = opened.decide(format.or(ending));
    if opened.form != Form::Parquet {
        opened.check_text()?;
    }
    Ok(opened)
}

fn not_opened(name: &str, error: &io::Error) -> Error {
    if error.kind() == io::ErrorKind::NotFound {
        return Error::new(ErrorKind::Failed, format!("there is no file {name}"));
    }
    Error::new(ErrorKind::Failed, format!("could not open {name}")).source_chain(error)
}

impl Opened {
    /// Reads the head.
    fn look(&mut self) -> Result<()> {
        self.head.clear();
        let wanted = HEAD as u64;
        let read = (&mut self.rest).take(wanted).read_to_end(&mut self.head);
        let count = read.map_err(|error| unreadable(&self.name, &error))?;
        self.ended = (count as u64) < wanted;
        Ok(())
    }

    /// Decompresses gzip or zstd, recognized by the first bytes.
    fn decompress(&mut self) -> Result<()> {
        let gzip = self.head.starts_with(&[0x1f, 0x8b]);
        let zstd = self.head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]);
        if !gzip && !zstd {
            return Ok(());
        }
        let rest = std::mem::replace(&mut self.rest, Box::new(io::empty()));
        let whole = Cursor::new(std::mem::take(&mut self.head)).chain(rest);
        self.rest = if gzip {
            Box::new(flate2::read::MultiGzDecoder::new(whole))
        } else {
            let decoder = zstd::stream::read::Decoder::new(whole);
            Box::new(decoder.map_err(|error| unreadable(&self.name, &error))?)
        };
        (self.file, self.size) = (None, None);
        self.look()
    }

    fn decide(&self, format: Option<InputFormat>) -> Form {
        if self.head.starts_with(b"PAR1") {
            return Form::Parquet;
        }
        match format {
            Some(InputFormat::Parquet) => Form::Parquet,
            Some(InputFormat::Jsonl) => Form::Json,
            Some(InputFormat::Csv) => Form::Text { quotes: true },
            Some(InputFormat::Tsv) => Form::Text { quotes: false },
            None => {
                let bytes = self.head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.head);
                let bytes = bytes.trim_ascii_start();
                let inner = bytes.strip_prefix(b"[").map_or(bytes, |rest| rest.trim_ascii_start());
                if inner.starts_with(b"{") {
                    Form::Json
                } else {
                    Form::Text { quotes: false }
                }
            }
        }
    }

    /// Refuses what is not text, and removes a UTF-8 byte order mark.
    fn check_text(&mut self) -> Result<()> {
        let name = &self.name;
        if self.head.starts_with(&[0xff, 0xfe]) || self.head.starts_with(&[0xfe, 0xff]) {
            let message = format!("{name} is UTF-16, but only UTF-8 can be read");
            return Err(
                Error::new(ErrorKind::Failed, message).hint("convert it: iconv -f UTF-16 -t UTF-8 FILE | itch plot -")
            );
        }
        if memchr::memchr(0, &self.head).is_some() {
            return Err(Error::new(ErrorKind::Failed, format!("{name} is a binary file, not a table")));
        }
        if self.head.starts_with(b"\xef\xbb\xbf") {
            self.head.drain(..3);
        }
        Ok(())
    }
}
