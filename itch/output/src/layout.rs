//! Which columns are printed, in which order and how; and parsing the lines that a report prints.

use std::fmt;

use itch_api::{Error, ErrorKind, Result};
use itch_plugin::{Cell, Column, ColumnType, Escape, OutputForm};
use serde_json::Value;

use crate::{human, sanitize};

/// How many characters of a wrong value an error shows.
const SHOWN_VALUE: usize = 60;

/// Which of a report's columns are printed, in which order and how.
#[derive(Clone, Debug)]
pub struct Layout {
    declared: Vec<Column>,
    /// Indices of the declared columns.
    chosen: Vec<usize>,
    header: Option<bool>,
    /// The output form of an alias. Only TSV uses it.
    form: Form,
    /// The plugin that prints the rows, if it is not built in: errors name it.
    plugin: Option<String>,
}

/// How TSV writes a row.
#[derive(Clone, Debug)]
pub(crate) struct Form {
    pub(crate) separator: String,
    pub(crate) null: String,
    pub(crate) escape: Escape,
}

impl Layout {
    /// The layout of a report's declared columns.
    ///
    /// `wanted` are the column names that the user asked for, in that order. Without them the columns are those of the
    /// alias's fixed `form`, if the report was called by such an alias, and otherwise the default columns. `header`
    /// overrides the default of the format.
    pub fn new(
        columns: &[Column],
        wanted: Option<&[String]>,
        form: Option<&OutputForm>,
        header: Option<bool>,
    ) -> Result<Layout> {
        let chosen = match (wanted, form) {
            (Some(names), _) => choose(columns, names)?,
            (None, Some(form)) => choose(columns, &form.columns)?,
            (None, None) => default_columns(columns),
        };
        let form = match form {
            Some(form) => Form {
                separator: form.separator.clone(),
                null: form.null.clone(),
                escape: form.escape,
            },
            None => Form {
                separator: "\t".to_owned(),
                null: String::new(),
                escape: Escape::Backslash,
            },
        };
        Ok(Layout {
            declared: columns.to_vec(),
            chosen,
            header,
            form,
            plugin: None,
        })
    }

    /// The same layout for rows of a plugin, whose name errors then contain.
    pub fn printed_by(mut self, plugin: &str) -> Layout {
        self.plugin = Some(plugin.to_owned());
        self
    }

    /// The names of the printed columns, in order.
    pub fn names(&self) -> Vec<String> {
        self.columns().map(|column| column.name.clone()).collect()
    }

    /// Parses one line of a report, a JSON array with a value for each declared column, into typed cells.
    ///
    /// A plugin in another language may print anything, so the error names the column and shows the value.
    pub fn read_row(&self, line: &[u8]) -> Result<Vec<Cell>> {
        let Ok(cells) = serde_json::from_slice::<Vec<Cell>>(line) else {
            return Err(self.complaint(line));
        };
        if cells.len() != self.declared.len() {
            return Err(self.complaint(line));
        }
        let typed = cells.into_iter().zip(&self.declared);
        typed
            .map(|(cell, column)| cell.typed(column.kind).ok_or_else(|| self.complaint(line)))
            .collect()
    }

    /// The error for a line that cannot be parsed as a row. It parses the line a second time, so that valid rows do not
    /// pay for locating the error.
    fn complaint(&self, line: &[u8]) -> Error {
        let values: Vec<Value> = match serde_json::from_slice(line) {
            Ok(values) => values,
            Err(error) => {
                return self
                    .wrong_row("a line that is not a JSON array")
                    .cause(format!("the line is {}", shown(&String::from_utf8_lossy(line))))
                    .source_chain(&error);
            }
        };
        if values.len() != self.declared.len() {
            return self.wrong_row(format_args!(
                "a row of {}, but declares {}",
                human::count_of(values.len() as u64, "cell"),
                human::count_of(self.declared.len() as u64, "column")
            ));
        }
        for (value, column) in values.iter().zip(&self.declared) {
            match serde_json::from_value::<Cell>(value.clone()) {
                Ok(cell) => match cell.typed(column.kind) {
                    Some(_) => {}
                    None => return self.wrong_type(column, value),
                },
                Err(error) => return self.wrong_type(column, value).source_chain(&error),
            }
        }
        self.wrong_row("a row that cannot be parsed")
    }

    /// The error for a line that is not a row.
    fn wrong_row(&self, what: impl fmt::Display) -> Error {
        match &self.plugin {
            Some(plugin) => Error::of_plugin(ErrorKind::Failed, Some(plugin), format_args!("printed {what}")),
            None => Error::new(ErrorKind::Failed, format!("the report printed {what}")),
        }
    }

    /// The error for a cell that is not of its column's type.
    fn wrong_type(&self, column: &Column, value: &Value) -> Error {
        let what = match value {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        let holds = match column.kind {
            ColumnType::Bool => "true or false",
            ColumnType::Int => "whole numbers",
            ColumnType::Float => "numbers",
            ColumnType::Text => "text",
            ColumnType::Time => "times",
            ColumnType::Duration => "durations",
            _ => "something else",
        };
        let name = sanitize(&column.name);
        let error = self
            .wrong_row(format_args!("{what} in column `{name}`, which holds {holds}"))
            .cause(format!("the value is {}", shown(&value.to_string())));
        let error = match column.kind {
            ColumnType::Time => error.cause("a time is a whole number of milliseconds since 1970"),
            ColumnType::Duration => error.cause("a duration is a number of seconds"),
            _ => error,
        };
        error.detail(|details| details.column = Some(column.name.clone()))
    }

    /// The printed columns, in order.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &Column> {
        self.chosen.iter().filter_map(|place| self.declared.get(*place))
    }

    /// The printed cells of a row of all declared columns. A missing cell is null.
    pub(crate) fn cells<'a>(&'a self, row: &'a [Cell]) -> impl Iterator<Item = (&'a Column, &'a Cell)> {
        let cell = |place: &usize| row.get(*place).unwrap_or(&Cell::Null);
        self.columns().zip(self.chosen.iter().map(cell))
    }

    pub(crate) fn header_or(&self, default: bool) -> bool {
        self.header.unwrap_or(default)
    }

    pub(crate) fn form(&self) -> &Form {
        &self.form
    }
}

fn choose(columns: &[Column], names: &[String]) -> Result<Vec<usize>> {
    let mut chosen = Vec::with_capacity(names.len());
    for name in names {
        let place = columns.iter().position(|column| column.name == *name);
        let place = place.ok_or_else(|| usage(format!("there is no column `{}`", name.escape_debug()), columns))?;
        // A JSON object cannot have two fields of one name, and all formats accept the same columns.
        if chosen.contains(&place) {
            return Err(usage(format!("the column `{name}` is named twice"), columns));
        }
        chosen.push(place);
    }
    if chosen.is_empty() {
        return Err(usage("the list of columns is empty".to_owned(), columns));
    }
    Ok(chosen)
}

/// The columns that are not on request. If every column is on request, all are printed, since the rows would be blank
/// otherwise.
fn default_columns(columns: &[Column]) -> Vec<usize> {
    let places = |wanted: fn(&Column) -> bool| -> Vec<usize> {
        let named = columns.iter().enumerate();
        named
            .filter(|(_, column)| wanted(column))
            .map(|(place, _)| place)
            .collect()
    };
    let chosen = places(|column| column.default);
    match chosen.is_empty() {
        true => places(|_| true),
        false => chosen,
    }
}

fn usage(message: String, columns: &[Column]) -> Error {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let hint = format!("the columns are {}", names.join(", "));
    Error::new(ErrorKind::Usage, message).hint(hint)
}

/// The beginning of an untrusted value, sanitised for a message.
fn shown(text: &str) -> String {
    let text = text.trim_end();
    let mut start: String = text.chars().take(SHOWN_VALUE).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    sanitize(&start).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Vec<Column> {
        vec![
            Column::text("name", "A login"),
            Column::time("created", "When it was made"),
            Column::int("followers", "How many follow it").on_request(),
        ]
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn columns_stand_in_the_order_asked_for() {
        let columns = columns();
        let default = Layout::new(&columns, None, None, None).unwrap();
        assert_eq!(default.names(), ["name", "created"]);
        let wanted = names(&["followers", "name"]);
        let layout = Layout::new(&columns, Some(&wanted), None, None).unwrap();
        assert_eq!(layout.names(), wanted);
        let row = [Cell::from("a"), Cell::Time(0), Cell::Int(7)];
        let printed: Vec<&Cell> = layout.cells(&row).map(|(_, cell)| cell).collect();
        assert_eq!(printed, [&row[2], &row[0]]);
    }

    #[test]
    fn an_alias_fixes_the_columns_unless_the_person_names_some() {
        let form = OutputForm {
            columns: names(&["created"]),
            separator: " : ".to_owned(),
            null: "None".to_owned(),
            escape: Escape::LinesToSpaces,
        };
        let fixed = Layout::new(&columns(), None, Some(&form), None).unwrap();
        assert_eq!(fixed.names(), ["created"]);
        let wanted = names(&["name"]);
        let layout = Layout::new(&columns(), Some(&wanted), Some(&form), None).unwrap();
        assert_eq!(layout.names(), ["name"]);
        assert_eq!(layout.form().null, "None");
    }

    #[test]
    fn a_column_that_nobody_declares_is_a_wrong_usage() {
        for (wanted, message) in [
            (names(&["nmae"]), "there is no column `nmae`"),
            (names(&["name", "name"]), "the column `name` is named twice"),
            (names(&[]), "the list of columns is empty"),
        ] {
            let error = Layout::new(&columns(), Some(&wanted), None, None).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Usage);
            assert_eq!(error.message, message);
            assert_eq!(error.hint.unwrap(), "the columns are name, created, followers");
        }
    }

    #[test]
    fn columns_that_all_wait_are_all_printed() {
        let columns = [Column::text("name", "A login").on_request()];
        let layout = Layout::new(&columns, None, None, None).unwrap();
        assert_eq!(layout.names(), ["name"]);
    }

    #[test]
    fn a_line_becomes_typed_cells() {
        let layout = Layout::new(&columns(), None, None, None).unwrap();
        let row = layout.read_row(b"[\"a\\tb\", -1500, null]\n").unwrap();
        assert_eq!(row, [Cell::from("a\tb"), Cell::Time(-1500), Cell::Null]);
    }

    #[test]
    fn a_wrong_line_is_told_by_column_and_value() {
        let layout = Layout::new(&columns(), None, None, None).unwrap();
        let told = |line: &str| {
            let error = layout.read_row(line.as_bytes()).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Failed);
            format!("{error:#}")
        };
        assert_eq!(
            told(r#"["a", "yesterday", 1]"#),
            "the report printed a string in column `created`, which holds times: the value is \"yesterday\": \
             a time is a whole number of milliseconds since 1970"
        );
        assert_eq!(
            told(r#"["a", 1, 18446744073709551615]"#),
            "the report printed a number in column `followers`, which holds whole numbers: \
             the value is 18446744073709551615: whole numbers go up to 2^63 - 1"
        );
        assert_eq!(
            told(r#"[["a"], 1, 1]"#).split(": ").next().unwrap(),
            "the report printed a list in column `name`, which holds text"
        );
        assert_eq!(told(r#"["a", 1]"#), "the report printed a row of 2 cells, but declares 3 columns");
        let error = told("oops \u{1b}[31m and a long line that goes on and on, far beyond what fits");
        assert!(error.starts_with("the report printed a line that is not a JSON array: the line is oops \\u{1b}[31m"));
        assert!(error.contains("beyond w…"), "{error}");
    }
}
