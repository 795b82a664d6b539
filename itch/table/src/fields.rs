//! The fields of a table: whether the first row names them, and what they hold.

use crate::cell::{self, Look};
use crate::dates::DateFormat;
use crate::types::{ColumnKind, Field, OpenOptions};

/// How many rows are sampled.
pub(crate) const SAMPLE: usize = 100;

/// The field names that itch uses for times; a name that ends in `_at` is a time as well.
const TIME_NAMES: [&str; 8] = [
    "created",
    "followed",
    "start",
    "end",
    "time",
    "date",
    "datetime",
    "timestamp",
];

/// What the caller knows about a table that is about to be opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known<'a> {
    pub(crate) options: &'a OpenOptions,
    pub(crate) date_format: Option<&'a DateFormat>,
}

/// The fields of a table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields {
    pub(crate) fields: Vec<Field>,
    /// How many of them occurred in the sampled rows. A short row may lack what a later row has, so a default name may
    /// be asked for even if it was not seen.
    pub(crate) seen: usize,
    /// Whether the table has a header.
    pub(crate) has_header: bool,
}

impl Fields {
    /// Finds the fields of a text from its first rows, of which the first may be a header.
    pub(crate) fn of_text(rows: &[Vec<String>], known: Known<'_>) -> Fields {
        let (first, others) = rows
            .split_first()
            .map_or((&[][..], rows), |(first, others)| (&first[..], others));
        if known.options.header.unwrap_or_else(|| is_header(first, others, known)) {
            let names = first.iter().map(|name| name.trim().to_owned()).collect();
            return Fields::named(names, others, known);
        }
        let default = default_fields(rows, known);
        let width = rows.iter().map(Vec::len).max().unwrap_or(0);
        let names = (0..width.max(default.len())).map(|index| match default.get(index) {
            Some(name) => (*name).to_owned(),
            None => (index + 1).to_string(),
        });
        Fields {
            seen: width.max(1),
            has_header: false,
            ..Fields::named(names.collect(), rows, known)
        }
    }

    /// Fields that the table names, and its first rows.
    pub(crate) fn named(names: Vec<String>, rows: &[Vec<String>], known: Known<'_>) -> Fields {
        let fields = names.into_iter().enumerate().map(|(index, name)| Field {
            kind: kind(&name, index, rows, known),
            name,
        });
        let fields: Vec<Field> = fields.collect();
        Fields {
            seen: fields.len(),
            fields,
            has_header: true,
        }
    }

    /// The index of a field: by exact name, by name without regard to case, or by number from 1.
    pub(crate) fn find(&self, wanted: &str) -> Option<usize> {
        let by_name = self.fields.iter().position(|field| field.name == wanted);
        let in_any_case = || {
            self.fields
                .iter()
                .position(|field| field.name.eq_ignore_ascii_case(wanted))
        };
        by_name.or_else(in_any_case).or_else(|| {
            let number: usize = wanted.trim().parse().ok()?;
            number.checked_sub(1).filter(|&index| index < self.fields.len())
        })
    }
}

/// The names for the fields of a text without a header: the default names, if one of them is expected or if the times
/// are where these names have them. The fields of any other table have numbers only.
fn default_fields(rows: &[Vec<String>], known: Known<'_>) -> &'static [&'static str] {
    let default = known.options.default_fields;
    let is_default = |wanted: &String| default.iter().any(|name| name.eq_ignore_ascii_case(wanted));
    if known.options.expected.iter().any(is_default) {
        return default;
    }
    let mut times = 0;
    for (index, _) in default.iter().enumerate().filter(|(_, name)| TIME_NAMES.contains(name)) {
        for text in rows.iter().filter_map(|row| row.get(index)) {
            // No Twitch account is older than 1973: a smaller number is a count, not a time.
            let old_enough = || cell::number(text.as_bytes()).is_ok_and(|value| value >= 1e8);
            match cell::look(text.as_bytes(), known.date_format) {
                Look::Nothing => {}
                Look::Time => times += 1,
                Look::Number if old_enough() => times += 1,
                Look::Number | Look::Word => return &[],
            }
        }
    }
    if times > 0 { default } else { &[] }
}

/// Whether the first row is a header.
fn is_header(first: &[String], others: &[Vec<String>], known: Known<'_>) -> bool {
    let expected = &known.options.expected;
    let is_named = |wanted: &String| first.iter().any(|cell| cell.trim().eq_ignore_ascii_case(wanted));
    let is_number = |text: &String| text.trim().parse::<f64>().is_ok();
    if !expected.is_empty() && expected.iter().all(|wanted| is_named(wanted) && !is_number(wanted)) {
        return true;
    }
    // Names may begin with a digit, but rarely all of them. A row with a number, even a broken one, is data.
    let like_a_number = |text: &String| {
        let text = text.trim_start_matches(['"', ' ', '-', '+', '.']);
        text.starts_with(|first: char| first.is_ascii_digit())
    };
    let look = |text: &String| cell::look(text.as_bytes(), known.date_format);
    let is_word = |text: &String| look(text) == Look::Word;
    if first.iter().any(like_a_number) || !first.iter().any(is_word) {
        return false;
    }
    let below = others.iter().find(|row| row.len() >= first.len());
    let stands_above_numbers = below.is_some_and(|row| {
        let mut pairs = first.iter().zip(row);
        pairs.any(|(name, cell)| is_word(name) && matches!(look(cell), Look::Number | Look::Time))
    });
    expected.iter().any(is_named) || stands_above_numbers
}

/// What a field holds, judged by its name or else by its first cells.
fn kind(name: &str, index: usize, rows: &[Vec<String>], known: Known<'_>) -> ColumnKind {
    let name = name.to_ascii_lowercase();
    if TIME_NAMES.contains(&name.as_str()) || name.ends_with("_at") {
        return ColumnKind::Time;
    }
    let (mut times, mut words, mut filled) = (0, 0, 0);
    for cell in rows.iter().filter_map(|row| row.get(index)) {
        match cell::look(cell.as_bytes(), known.date_format) {
            Look::Nothing => continue,
            Look::Time => times += 1,
            Look::Word => words += 1,
            Look::Number => {}
        }
        filled += 1;
    }
    if times * 2 >= filled && times > 0 {
        ColumnKind::Time
    } else if words * 2 > filled {
        ColumnKind::Text
    } else {
        ColumnKind::Number
    }
}
