//! What is wanted of a table, and, once its first rows were seen, which columns that means.

use itch_api::{Error, ErrorKind, Result};

use crate::cell::{self, Axis, DateFormat, Fault, Look, Wrong};
use crate::{ColumnKind, KeepText, ReadOptions};

/// How many rows are looked at.
pub(crate) const SAMPLE: usize = 100;

/// The names under which itch writes times; `_at` at the end says the same.
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

/// The options, checked.
#[derive(Debug)]
pub(crate) struct Wish<'a> {
    pub(crate) options: &'a ReadOptions,
    pub(crate) date_format: Option<DateFormat>,
    /// Whether the two columns are the ends of spans, of which the second may be open.
    pub(crate) spans: bool,
}

impl<'a> Wish<'a> {
    pub(crate) fn new(options: &'a ReadOptions) -> Result<Wish<'a>> {
        let date_format = options.date_format.as_deref().map(DateFormat::new);
        Ok(Wish {
            options,
            date_format: date_format.transpose()?,
            spans: false,
        })
    }

    pub(crate) fn bands(self) -> Wish<'a> {
        Wish { spans: true, ..self }
    }

    /// The two values of a row, from the cells that it has for them.
    pub(crate) fn values<'b, C: Value<'b>>(&self, plan: &Plan, x: C, y: C) -> Result<(f64, f64), Fault<'b>> {
        let format = self.date_format.as_ref();
        let start = x.value(plan.x_kind, format).map_err(|wrong| x.fault(Axis::X, wrong))?;
        let end = match y.value(plan.y_kind, format) {
            Err(Wrong::Missing | Wrong::Empty) if self.spans => f64::INFINITY,
            Err(wrong) => return Err(y.fault(Axis::Y, wrong)),
            Ok(end) => end,
        };
        if self.spans && end < start {
            return Err(y.fault(Axis::Y, Wrong::Backwards));
        }
        Ok((start, end))
    }
}

/// What stands in a row for one of the two columns.
pub(crate) trait Value<'a>: Sized {
    fn value(&self, kind: ColumnKind, format: Option<&DateFormat>) -> Result<f64, Wrong>;
    fn fault(self, axis: Axis, wrong: Wrong) -> Fault<'a>;
}

impl<'a> Value<'a> for Option<std::borrow::Cow<'a, [u8]>> {
    fn value(&self, kind: ColumnKind, format: Option<&DateFormat>) -> Result<f64, Wrong> {
        let bytes = self.as_deref().ok_or(Wrong::Missing)?;
        cell::value(bytes, kind, format)
    }

    fn fault(self, axis: Axis, wrong: Wrong) -> Fault<'a> {
        let text = self.unwrap_or_default();
        Fault { axis, wrong, text }
    }
}

/// Which columns are read.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) fields: Vec<String>,
    pub(crate) has_header: bool,
    pub(crate) x: usize,
    pub(crate) y: usize,
    pub(crate) x_name: String,
    pub(crate) y_name: String,
    pub(crate) x_kind: ColumnKind,
    pub(crate) y_kind: ColumnKind,
    pub(crate) label: Option<usize>,
}

impl Plan {
    /// The plan for a text, by its first rows, of which the first may be a header.
    pub(crate) fn of_text(rows: &[Vec<String>], wish: &Wish<'_>) -> Result<Plan> {
        let (first, others) = rows
            .split_first()
            .map_or((&[][..], rows), |(first, others)| (&first[..], others));
        if wish.options.header.unwrap_or_else(|| is_header(first, others, wish)) {
            let fields = first.iter().map(|name| name.trim().to_owned()).collect();
            return Plan::of_fields(fields, true, others, wish);
        }
        let known = known_fields(rows, wish);
        let width = rows.iter().map(Vec::len).max().unwrap_or(0);
        let names = (0..width.max(known.len())).map(|index| match known.get(index) {
            Some(name) => (*name).to_owned(),
            None => (index + 1).to_string(),
        });
        let mut plan = Plan::of_fields(names.collect(), false, rows, wish)?;
        // A short row may miss what a later one has, so that a known name may be wished for; but it is not named as found.
        plan.fields.truncate(width.max(1));
        Ok(plan)
    }

    /// The plan for a table whose fields are known.
    pub(crate) fn of_fields(
        fields: Vec<String>,
        has_header: bool,
        rows: &[Vec<String>],
        wish: &Wish<'_>,
    ) -> Result<Plan> {
        let options = wish.options;
        let both = place(&fields, &options.x).zip(place(&fields, &options.y));
        let (x, y) = match both {
            Some(both) => both,
            // A file of streams may call its columns anything.
            None if wish.spans && fields.len() > 1 => (0, 1),
            None => (find(&fields, &options.x)?, find(&fields, &options.y)?),
        };
        let label = match (&options.label, options.keep_text) {
            (_, KeepText::Nothing) => None,
            (Some(label), _) => Some(find(&fields, label)?),
            (None, _) => place(&fields, "name"),
        };
        let name = |index: usize| fields.get(index).cloned().unwrap_or_default();
        let kind = |index: usize| kind(&name(index), index, rows, wish);
        Ok(Plan {
            x,
            y,
            x_name: name(x),
            y_name: name(y),
            x_kind: options.x_kind.unwrap_or_else(|| kind(x)),
            y_kind: options.y_kind.unwrap_or_else(|| kind(y)),
            label,
            has_header,
            fields,
        })
    }

    /// Why a row is bad.
    pub(crate) fn reason(&self, fault: &Fault<'_>) -> String {
        fault.reason(match fault.axis {
            Axis::X => &self.x_name,
            Axis::Y => &self.y_name,
        })
    }
}

/// The place of a field: by name, by name in any case, by number.
fn place(fields: &[String], wanted: &str) -> Option<usize> {
    let by_name = fields.iter().position(|name| name == wanted);
    let in_any_case = || fields.iter().position(|name| name.eq_ignore_ascii_case(wanted));
    by_name.or_else(in_any_case).or_else(|| {
        let number: usize = wanted.trim().parse().ok()?;
        number.checked_sub(1).filter(|&index| index < fields.len())
    })
}

fn find(fields: &[String], wanted: &str) -> Result<usize> {
    place(fields, wanted).ok_or_else(|| {
        let message = format!("there is no column {wanted}; the columns are {}", fields.join(", "));
        Error::new(ErrorKind::Usage, message).hint("choose the columns with -x and -y, by name or number")
    })
}

/// The names for the fields of a text without a header: those of the options, if one of them is asked for or the times
/// stand where these names say. A table of somebody else's has numbers only.
fn known_fields(rows: &[Vec<String>], wish: &Wish<'_>) -> &'static [&'static str] {
    let known = wish.options.default_fields;
    let asked = |wanted: &str| known.iter().any(|name| name.eq_ignore_ascii_case(wanted));
    if asked(&wish.options.x) || asked(&wish.options.y) {
        return known;
    }
    let mut times = 0;
    for (index, _) in known.iter().enumerate().filter(|(_, name)| TIME_NAMES.contains(name)) {
        for text in rows.iter().filter_map(|row| row.get(index)) {
            // No account is older than 1973: a smaller number counts something.
            let old_enough = || cell::number(text.as_bytes()).is_ok_and(|value| value >= 1e8);
            match cell::look(text.as_bytes(), wish.date_format.as_ref()) {
                Look::Nothing => {}
                Look::Time => times += 1,
                Look::Number if old_enough() => times += 1,
                Look::Number | Look::Word => return &[],
            }
        }
    }
    if times > 0 { known } else { &[] }
}

/// Whether the first row names the columns.
fn is_header(first: &[String], others: &[Vec<String>], wish: &Wish<'_>) -> bool {
    let named = |wanted: &str| first.iter().any(|cell| cell.trim().eq_ignore_ascii_case(wanted));
    let (x, y) = (named(&wish.options.x), named(&wish.options.y));
    let is_number = |text: &str| text.trim().parse::<f64>().is_ok();
    if x && y && !is_number(&wish.options.x) && !is_number(&wish.options.y) {
        return true;
    }
    // Names may begin with a digit, but hardly all the way; a row that has a number, even a broken one, is data.
    let like_a_number = |text: &String| {
        let text = text.trim_start_matches(['"', ' ', '-', '+', '.']);
        text.starts_with(|first: char| first.is_ascii_digit())
    };
    let is_word = |text: &String| matches!(cell::look(text.as_bytes(), wish.date_format.as_ref()), Look::Word);
    if first.iter().any(like_a_number) || !first.iter().any(is_word) {
        return false;
    }
    let below = others.iter().find(|row| row.len() >= first.len());
    let stands_above_numbers = below.is_some_and(|row| {
        let pairs = first.iter().zip(row);
        let looks = |text: &String| cell::look(text.as_bytes(), wish.date_format.as_ref());
        pairs
            .into_iter()
            .any(|(name, cell)| is_word(name) && matches!(looks(cell), Look::Number | Look::Time))
    });
    x || y || stands_above_numbers
}

/// What a column holds, by its name or else by its first cells.
fn kind(name: &str, index: usize, rows: &[Vec<String>], wish: &Wish<'_>) -> ColumnKind {
    let name = name.to_ascii_lowercase();
    if TIME_NAMES.contains(&name.as_str()) || name.ends_with("_at") {
        return ColumnKind::Time;
    }
    let (mut times, mut filled) = (0, 0);
    for cell in rows.iter().filter_map(|row| row.get(index)) {
        match cell::look(cell.as_bytes(), wish.date_format.as_ref()) {
            Look::Nothing => continue,
            Look::Time => times += 1,
            Look::Number | Look::Word => {}
        }
        filled += 1;
    }
    if times * 2 >= filled && times > 0 {
        ColumnKind::Time
    } else {
        ColumnKind::Number
    }
}
