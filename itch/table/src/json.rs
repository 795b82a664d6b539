//! JSON: an object on each line, or one array of objects.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Cursor, Read};

use itch_api::{Error, ErrorKind, Result};
use memchr::memchr;
use serde::Deserializer;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value as Json};

use crate::blocks::{Blocks, Records};
use crate::cell::{self, CellError};
use crate::dates::{DateFormat, is_in_range};
use crate::engine::{self, Parse, Rows};
use crate::fields::{Fields, Known, SAMPLE};
use crate::input::{Opened, unreadable};
use crate::plan::{Plan, Value};
use crate::types::{ColumnKind, LINE_LIMIT};

/// Reads the first rows and their fields; `None` if there is no row.
pub(crate) fn open(mut opened: Opened, known: Known<'_>) -> Result<Option<(Fields, Opened)>> {
    if opened.head.trim_ascii_start().starts_with(b"[") {
        let whole = Cursor::new(std::mem::take(&mut opened.head)).chain(opened.rest);
        opened.rest = Box::new(Elements::new(whole));
        opened.size = None;
        opened.ended = false;
    }
    // The head has to contain at least one whole line, however long it is.
    while !opened.ended && opened.head.len() <= LINE_LIMIT && memchr(b'\n', opened.head.trim_ascii_start()).is_none() {
        let wanted = 64 << 10;
        let read = (&mut opened.rest).take(wanted).read_to_end(&mut opened.head);
        let count = read.map_err(|error| unreadable(&opened.name, &error))?;
        opened.ended = (count as u64) < wanted;
    }
    if opened.ended && opened.head.trim_ascii().is_empty() {
        return Ok(None);
    }
    let (names, rows) = sample(&opened)?;
    Ok(Some((Fields::named(names, &rows, known), opened)))
}

/// Reads the rows.
pub(crate) fn read(opened: Opened, plan: &Plan<'_>) -> Result<Rows> {
    let input = Box::new(Cursor::new(opened.head).chain(opened.rest));
    let blocks = Blocks::new(input, plan.options.block, Records::Lines);
    let parse = Lines::new(plan);
    engine::run(blocks, &parse, plan, 0, (&opened.name, opened.size))
}

/// The fields of the first rows in order of appearance, and those rows.
fn sample(opened: &Opened) -> Result<(Vec<String>, Vec<Vec<String>>)> {
    let mut lines: Vec<&[u8]> = opened.head.split(|byte| *byte == b'\n').collect();
    if !opened.ended && lines.len() > 1 {
        lines.pop();
    }
    let mut fields: Vec<String> = Vec::new();
    let mut objects: Vec<Map<String, Json>> = Vec::new();
    let mut first_error = None;
    for line in lines
        .into_iter()
        .filter(|line| !line.trim_ascii().is_empty())
        .take(SAMPLE)
    {
        match serde_json::from_str::<Map<String, Json>>(&String::from_utf8_lossy(line)) {
            Ok(object) => {
                fields.extend(
                    object
                        .keys()
                        .filter(|name| !fields.contains(name))
                        .cloned()
                        .collect::<Vec<_>>(),
                );
                objects.push(object);
            }
            Err(error) => {
                first_error.get_or_insert(error);
            }
        }
    }
    if let (true, Some(error)) = (objects.is_empty(), first_error) {
        let message = format!("{} is not JSON with an object on each line", opened.name);
        return Err(Error::new(ErrorKind::Failed, message).cause(error));
    }
    let rows = objects.iter().map(|object| {
        let cells = fields.iter().map(|name| match object.get(name) {
            None | Some(Json::Null) => String::new(),
            Some(Json::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        });
        cells.collect()
    });
    let rows = rows.collect();
    Ok((fields, rows))
}

struct Lines<'a> {
    plan: &'a Plan<'a>,
    /// The names of the fields that are read, without duplicates.
    names: Vec<&'a str>,
    /// The index into `names` for each wanted number and each wanted text.
    numbers: Vec<usize>,
    texts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn new(plan: &'a Plan<'a>) -> Lines<'a> {
        let mut names: Vec<&str> = Vec::new();
        let mut place = |field: usize| {
            let name = plan.name(field);
            names.iter().position(|known| *known == name).unwrap_or_else(|| {
                names.push(name);
                names.len() - 1
            })
        };
        let numbers = plan.numbers.iter().map(|column| place(column.field)).collect();
        let texts = plan.texts.iter().map(|field| place(*field)).collect();
        Lines {
            plan,
            names,
            numbers,
            texts,
        }
    }

    /// Parses one row. `line` is counted from 0; `cells` is a buffer that is reused.
    fn row<'de>(&self, line: &'de [u8], cells: &mut Vec<Cell<'de>>, number: u64, rows: &mut Rows) {
        if line.len() > LINE_LIMIT {
            return rows.bad(number, engine::line_too_long);
        }
        match self.parse(line, cells) {
            Ok(()) => self.keep(cells, line, number, rows),
            Err(_) if line.trim_ascii().is_empty() => {}
            // A name that is not UTF-8 is no reason to skip the row.
            Err(_) if std::str::from_utf8(line).is_err() => {
                let text = String::from_utf8_lossy(line);
                let mut cells = Vec::new();
                match self.parse(text.as_bytes(), &mut cells) {
                    Ok(()) => self.keep(&cells, line, number, rows),
                    Err(error) => rows.bad(number, || reason(&error)),
                }
            }
            Err(error) => rows.bad(number, || reason(&error)),
        }
    }

    fn parse<'de>(&self, line: &'de [u8], cells: &mut Vec<Cell<'de>>) -> serde_json::Result<()> {
        cells.clear();
        cells.resize(self.names.len(), Cell::Missing);
        let mut deserializer = serde_json::Deserializer::from_slice(line);
        let names = &self.names;
        Object { names, cells }.deserialize(&mut deserializer)?;
        deserializer.end()
    }

    fn keep(&self, cells: &[Cell<'_>], line: &[u8], number: u64, rows: &mut Rows) {
        let of = |places: &[usize], place: usize| {
            let cell = places.get(place).and_then(|place| cells.get(*place));
            cell.unwrap_or(&Cell::Missing)
        };
        let cell = |place: usize| of(&self.numbers, place);
        if let Err(fault) = self.plan.values(cell, &mut rows.row) {
            return rows.refuse(number, fault, self.plan, || cell(fault.place).excerpt());
        }
        rows.push();
        for (place, texts) in rows.texts.iter_mut().enumerate() {
            texts.push(&of(&self.texts, place).text());
        }
        if let Some(records) = &mut rows.records {
            records.push_bytes(line);
        }
    }
}

fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    // The message names the line already, and serde_json always reports line 1.
    let text = text.split(" at line ").next().unwrap_or(&text);
    format!("the line is not a JSON object: {text}")
}

impl Parse for Lines<'_> {
    fn block(&self, records: &[u8], rows: &mut Rows) {
        let mut rest = records;
        let mut cells = Vec::new();
        while !rest.is_empty() {
            let length = memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
            let (line, after) = rest.split_at(length);
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            self.row(line.strip_suffix(b"\r").unwrap_or(line), &mut cells, rows.lines, rows);
            rows.lines += 1;
            rest = after;
        }
    }
}

/// The value of a field in an object.
#[derive(Clone, Default)]
enum Cell<'de> {
    #[default]
    Missing,
    Null,
    Whole(i128),
    Float(f64),
    Text(Cow<'de, str>),
    Other(&'static str),
}

impl Cell<'_> {
    fn text(&self) -> Cow<'_, str> {
        match self {
            Cell::Missing | Cell::Null => "".into(),
            Cell::Whole(value) => value.to_string().into(),
            Cell::Float(value) => value.to_string().into(),
            Cell::Text(text) => text.as_ref().into(),
            Cell::Other(what) => (*what).into(),
        }
    }
}

impl Value for &Cell<'_> {
    fn value(&self, kind: ColumnKind, format: Option<&DateFormat>) -> Result<f64, CellError> {
        let number = match self {
            Cell::Missing => return Err(CellError::Missing),
            Cell::Null => return Err(CellError::Empty),
            // A date format may match digits, and it needs them as text.
            Cell::Whole(value) if format.is_some() => {
                return cell::value(value.to_string().as_bytes(), kind, format);
            }
            Cell::Whole(value) => *value as f64,
            Cell::Float(value) => *value,
            Cell::Text(text) => return cell::value(text.as_bytes(), kind, format),
            Cell::Other(_) if kind == ColumnKind::Time => return Err(CellError::NoTime),
            Cell::Other(_) => return Err(CellError::NoNumber),
        };
        match kind {
            ColumnKind::Time if !is_in_range(number) => Err(CellError::Years),
            _ => Ok(number),
        }
    }

    fn excerpt(&self) -> String {
        cell::excerpt(self.text().as_bytes())
    }
}

/// Reads an object into the cells of the wanted names.
struct Object<'a, 'de> {
    names: &'a [&'a str],
    cells: &'a mut [Cell<'de>],
}

impl<'de> DeserializeSeed<'de> for Object<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(place) = map.next_key_seed(Key(self.names))? {
            match place.and_then(|place| self.cells.get_mut(place)) {
                Some(cell) => *cell = map.next_value_seed(AnyCell)?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

/// Maps a key to the index of the wanted field.
struct Key<'a>(&'a [&'a str]);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, key: &str) -> Result<Option<usize>, E> {
        Ok(self.0.iter().position(|name| *name == key))
    }
}

struct AnyCell;

impl<'de> DeserializeSeed<'de> for AnyCell {
    type Value = Cell<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cell<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AnyCell {
    type Value = Cell<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Cell<'de>, E> {
        Ok(Cell::Other(if value { "true" } else { "false" }))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Cell<'de>, E> {
        Ok(Cell::Whole(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Cell<'de>, E> {
        Ok(Cell::Whole(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Cell<'de>, E> {
        Ok(Cell::Float(value))
    }

    fn visit_unit<E>(self) -> Result<Cell<'de>, E> {
        Ok(Cell::Null)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Cell<'de>, E> {
        Ok(Cell::Text(text.into()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Cell<'de>, E> {
        Ok(Cell::Text(text.to_owned().into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Cell<'de>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Cell::Other("a list"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Cell<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Cell::Other("an object"))
    }
}

/// Puts each element of a JSON array on its own line, so that an array of any length needs little memory.
struct Elements<R> {
    input: R,
    /// How many brackets are open, including the one of the array itself.
    depth: usize,
    in_text: bool,
    escaped: bool,
}

impl<R: Read> Elements<R> {
    fn new(input: R) -> Elements<R> {
        Elements {
            input,
            depth: 0,
            in_text: false,
            escaped: false,
        }
    }

    /// The byte that replaces `byte`.
    fn replace(&mut self, byte: u8) -> u8 {
        if self.in_text {
            self.in_text = self.escaped || byte != b'"';
            self.escaped = byte == b'\\' && !self.escaped;
            // A line end in a string is invalid JSON. It is replaced by a control character, which is invalid as well.
            return if byte == b'\n' { 0x01 } else { byte };
        }
        match byte {
            b'"' => self.in_text = true,
            b'{' | b'[' => {
                self.depth += 1;
                if self.depth == 1 {
                    return b' ';
                }
            }
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                if self.depth == 0 {
                    return b' ';
                }
            }
            b',' if self.depth == 1 => return b'\n',
            b'\n' | b'\r' => return b' ',
            _ => {}
        }
        byte
    }
}

impl<R: Read> Read for Elements<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        for byte in buffer.iter_mut().take(count) {
            *byte = self.replace(*byte);
        }
        Ok(count)
    }
}
