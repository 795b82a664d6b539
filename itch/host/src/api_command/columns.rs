//! The columns of rows that are JSON objects of any shape, and their cells.

use std::io::{self, BufWriter, Write};

use itch_api::Result;
use itch_output::RowWriter;
use itch_plugin::{Cell, Column, ColumnType};
use serde_json::{Map, Value};

use super::answer::json_for_terminal;
use crate::failure::usage;
use crate::nearest::suggest;

/// Which parts of a row are printed.
#[derive(Debug)]
pub(super) struct Columns {
    declared: Vec<Column>,
    /// A row is one cell: the whole object, or one with the named columns alone. For JSON lines.
    objects: bool,
    /// The columns were named.
    named: bool,
}

impl Columns {
    /// The columns that are named, or else the members of the first rows, in the order in which they appear.
    pub(super) fn of(rows: &[Value], named: Option<&[String]>, objects: bool) -> Result<Columns> {
        let names: Vec<String> = match named {
            Some(names) => {
                check(rows, names)?;
                names.to_vec()
            }
            None => members(rows),
        };
        let column = |name: &String| {
            let mut values = rows
                .iter()
                .filter_map(|row| find(row, name))
                .filter(|value| !value.is_null());
            // Only for the alignment in a table.
            let numbers = values.clone().next().is_some() && values.all(Value::is_i64);
            let kind = if numbers { ColumnType::Int } else { ColumnType::Text };
            Column::new(kind, name.as_str(), "")
        };
        Ok(Columns {
            declared: names.iter().map(column).collect(),
            objects,
            named: named.is_some(),
        })
    }

    pub(super) fn declared(&self) -> &[Column] {
        &self.declared
    }

    pub(super) fn is_empty(&self) -> bool {
        self.declared.is_empty()
    }

    /// The cells of a row.
    pub(super) fn cells(&self, row: &Value) -> Vec<Cell> {
        let names = || self.declared.iter().map(|column| column.name.as_str());
        match (self.objects, self.named) {
            (true, false) => vec![Cell::Text(row.to_string())],
            (true, true) => {
                let members = names().map(|name| (name.to_owned(), find(row, name).cloned().unwrap_or_default()));
                vec![Cell::Text(Value::Object(members.collect::<Map<_, _>>()).to_string())]
            }
            _ => names().map(|name| find(row, name).map_or(Cell::Null, cell)).collect(),
        }
    }
}

/// The value of a column: the member of that name, or the one that the names between dots lead to.
fn find<'a>(row: &'a Value, name: &str) -> Option<&'a Value> {
    let step = |place: &'a Value, name: &str| match place {
        Value::Array(items) => items.get(name.parse::<usize>().ok()?),
        place => place.get(name),
    };
    step(row, name).or_else(|| name.split('.').try_fold(row, step))
}

fn cell(value: &Value) -> Cell {
    match value {
        Value::Null => Cell::Null,
        Value::Bool(value) => Cell::Bool(*value),
        // Other numbers keep the digits that they came with.
        Value::Number(number) => number
            .as_i64()
            .map_or_else(|| Cell::Text(number.to_string()), Cell::Int),
        Value::String(text) => Cell::Text(text.clone()),
        nested => Cell::Text(nested.to_string()),
    }
}

/// The names of all members of rows.
fn members(rows: &[Value]) -> Vec<String> {
    let mut names = Vec::new();
    for name in rows.iter().filter_map(Value::as_object).flat_map(Map::keys) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

/// Refuses a column that none of the rows has. What is null in a row may have any members.
fn check(rows: &[Value], names: &[String]) -> Result<()> {
    for (place, name) in names.iter().enumerate() {
        if names.iter().take(place).any(|before| before == name) {
            return Err(usage(format!("the column `{}` is named twice", name.escape_debug())));
        }
        let may_be_there = |row: &Value| {
            let parents = name
                .match_indices('.')
                .map(|(end, _)| name.get(..end).unwrap_or_default());
            find(row, name).is_some() || { parents }.any(|parent| find(row, parent).is_some_and(Value::is_null))
        };
        if !rows.is_empty() && !rows.iter().any(may_be_there) {
            let known = members(rows);
            let error = usage(format!("there is no column `{}`", name.escape_debug()))
                .hint(format!("the columns are {}", known.join(", ")));
            return Err(suggest(error, name, known.iter().map(String::as_str)));
        }
    }
    Ok(())
}

/// Writes rows whose only cell is a JSON object, one per line.
pub(super) struct ObjectWriter {
    on_terminal: bool,
    out: BufWriter<Box<dyn Write + Send>>,
}

impl ObjectWriter {
    pub(super) fn new(on_terminal: bool, out: Box<dyn Write + Send>) -> ObjectWriter {
        ObjectWriter {
            on_terminal,
            out: BufWriter::new(out),
        }
    }
}

impl RowWriter for ObjectWriter {
    fn row(&mut self, row: &[Cell]) -> io::Result<()> {
        let Some(Cell::Text(object)) = row.first() else {
            return Ok(());
        };
        match self.on_terminal {
            true => writeln!(self.out, "{}", json_for_terminal(object)),
            false => writeln!(self.out, "{object}"),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.flush()
    }
}

#[cfg(test)]
mod tests {
    use itch_api::ErrorKind;
    use serde_json::json;

    use super::*;

    fn rows() -> Vec<Value> {
        vec![
            json!({"id": "1", "n": 5, "tags": ["a", "b"], "a.b": 1, "box": null}),
            json!({"id": "2", "n": 7, "price": 4.5, "big": u64::MAX, "on": true, "box": {"x": {"y": "z"}}}),
        ]
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn columns_are_the_members_of_the_first_rows() {
        let columns = Columns::of(&rows(), None, false).unwrap();
        let found: Vec<&str> = columns.declared().iter().map(|column| column.name.as_str()).collect();
        assert_eq!(found, ["id", "n", "tags", "a.b", "box", "price", "big", "on"]);
        assert_eq!(columns.declared()[1].kind, ColumnType::Int);
        let cells = columns.cells(&rows()[1]);
        let expected = [
            Cell::from("2"),
            Cell::Int(7),
            Cell::Null,
            Cell::Null,
            Cell::from("{\"x\":{\"y\":\"z\"}}"),
            Cell::from("4.5"),
            Cell::from("18446744073709551615"),
            Cell::Bool(true),
        ];
        assert_eq!(cells, expected);
        assert!(Columns::of(&[], None, false).unwrap().is_empty());
    }

    #[test]
    fn a_dot_leads_into_a_member() {
        let named = names(&["box.x.y", "tags.1", "a.b", "box.other"]);
        let columns = Columns::of(&rows(), Some(&named), false).unwrap();
        assert_eq!(columns.cells(&rows()[0]), [Cell::Null, Cell::from("b"), Cell::Int(1), Cell::Null]);
        assert_eq!(columns.cells(&rows()[1])[0], Cell::from("z"));
        for wrong in [&["idd"][..], &["id", "id"], &["tags.7"], &["n.x"]] {
            let error = Columns::of(&rows(), Some(&names(wrong)), false).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Usage, "{wrong:?}");
        }
    }

    #[test]
    fn json_lines_keep_their_types() {
        let whole = Columns::of(&rows(), None, true).unwrap();
        assert_eq!(whole.cells(&rows()[1]), [Cell::Text(rows()[1].to_string())]);
        let named = Columns::of(&rows(), Some(&names(&["n", "box.x"])), true).unwrap();
        assert_eq!(named.cells(&rows()[1]), [Cell::from("{\"n\":7,\"box.x\":{\"y\":\"z\"}}")]);
        assert_eq!(named.cells(&rows()[0]), [Cell::from("{\"n\":5,\"box.x\":null}")]);
    }
}
