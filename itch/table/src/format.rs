//! The table formats that can be read: their names and file extensions.

use std::path::Path;
use std::str::FromStr;

use itch_api::{Error, ErrorKind, Result};

/// The format of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputFormat {
    /// Cells between tabs, with backslash escapes.
    Tsv,
    /// Cells between commas or another delimiter, with quotes.
    Csv,
    /// A JSON object on each line, or one array of objects.
    Jsonl,
    /// Apache Parquet.
    Parquet,
}

/// The names of a format.
#[derive(Clone, Copy, Debug)]
pub struct FormatNames {
    /// The format.
    pub format: InputFormat,
    /// The name for `--input-format`.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// File extensions, without the dot.
    pub extensions: &'static [&'static str],
}

impl InputFormat {
    /// Every format.
    pub const ALL: [FormatNames; 4] = [
        FormatNames {
            format: InputFormat::Tsv,
            name: "tsv",
            aliases: &[],
            // The extension only says that it is text: a file with tabs is often called `.csv`.
            extensions: &["tsv", "txt", "csv"],
        },
        FormatNames {
            format: InputFormat::Csv,
            name: "csv",
            aliases: &[],
            extensions: &[],
        },
        FormatNames {
            format: InputFormat::Jsonl,
            name: "jsonl",
            aliases: &["json", "ndjson"],
            extensions: &["jsonl", "ndjson", "json"],
        },
        FormatNames {
            format: InputFormat::Parquet,
            name: "parquet",
            aliases: &[],
            extensions: &["parquet"],
        },
    ];

    /// The names of all formats, in a list whose last comma is replaced: `tsv, csv, jsonl or parquet`.
    pub fn names(conjunction: &str) -> String {
        let names = InputFormat::ALL.map(|format| format.name);
        let [others @ .., last] = &names;
        format!("{}{conjunction}{last}", others.join(", "))
    }

    /// The format by the extension of a file name, ignoring the extension of a compression.
    pub(crate) fn of_file(path: &Path) -> Option<InputFormat> {
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        let name = name.strip_suffix(".gz").or(name.strip_suffix(".zst")).unwrap_or(&name);
        let extension = name.rsplit_once('.')?.1;
        let found = InputFormat::ALL
            .iter()
            .find(|format| format.extensions.contains(&extension));
        found.map(|found| found.format)
    }
}

impl FromStr for InputFormat {
    type Err = Error;

    fn from_str(text: &str) -> Result<InputFormat> {
        let wanted = text.to_ascii_lowercase();
        let mut formats = InputFormat::ALL.iter();
        let found = formats.find(|format| format.name == wanted || format.aliases.contains(&wanted.as_str()));
        found.map(|found| found.format).ok_or_else(|| {
            let known = InputFormat::names(", ");
            Error::new(ErrorKind::Usage, format!("unknown input format {text:?}; the formats are {known}"))
        })
    }
}
