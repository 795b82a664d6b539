//! The formats by name.

use std::fmt;
use std::str::FromStr;

use itch_api::{Error, ErrorKind, Result};

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Tab-separated values, without a header by default: for programs that read line by line.
    Tsv,
    /// Comma-separated values with a header: for spreadsheets.
    Csv,
    /// One JSON object per line.
    Jsonl,
    /// Aligned columns for people.
    Table,
}

impl Format {
    /// Every format.
    pub const ALL: [Format; 4] = [Format::Tsv, Format::Csv, Format::Jsonl, Format::Table];

    /// The name for `--format`.
    pub fn name(self) -> &'static str {
        match self {
            Format::Tsv => "tsv",
            Format::Csv => "csv",
            Format::Jsonl => "jsonl",
            Format::Table => "table",
        }
    }

    /// The names of all formats, in a list whose last comma is replaced: `tsv, csv, jsonl or table`.
    pub fn names(conjunction: &str) -> String {
        let names = Format::ALL.map(Format::name);
        let [others @ .., last] = &names;
        format!("{}{conjunction}{last}", others.join(", "))
    }

    /// What it is for, on one line.
    pub fn summary(self) -> &'static str {
        match self {
            Format::Tsv => "tab-separated values without a header, for programs that read lines",
            Format::Csv => "comma-separated values with a header, for spreadsheets and databases",
            Format::Jsonl => "one JSON object per line",
            Format::Table => "aligned columns, for people",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(text: &str) -> Result<Format> {
        let known = Format::ALL.into_iter().find(|format| format.name() == text);
        known.ok_or_else(|| {
            let names = Format::names(", ");
            Error::new(ErrorKind::Usage, format!("there is no format `{}`", text.escape_debug()))
                .hint(format!("the formats are {names}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_found_by_its_name() {
        for format in Format::ALL {
            assert_eq!(format.name().parse::<Format>().unwrap(), format);
            assert_eq!(format.to_string(), format.name());
        }
    }

    #[test]
    fn an_unknown_format_is_answered_with_the_known_ones() {
        let error = "xml".parse::<Format>().unwrap_err();
        assert_eq!(error.kind, ErrorKind::Usage);
        assert_eq!(error.message, "there is no format `xml`");
        assert_eq!(error.hint.unwrap(), "the formats are tsv, csv, jsonl, table");
    }
}
