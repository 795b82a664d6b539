//! `--plot FILE`: draws a report's rows, with the axes that its description declares.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use itch_api::sync::lock;
use itch_api::{Error, ErrorKind};
use itch_chart::{Column, ColumnKind, Request, Table};
use itch_output::RowWriter;
use itch_plugin::{Cell, ChartHint, ColumnType, Registry, ReportSpec};
use itch_table::{BadRows, Texts};

use super::draw::{Drawing, Place};
use super::warnings::note_empty_rows;
use crate::failure::usage;
use crate::interrupt::Interrupts;
use crate::outfile::Existing;
use crate::printer::Printer;

/// A picture of a report's rows, about to be drawn.
pub(crate) struct Plot<'a> {
    drawing: Drawing<'a>,
    hint: ChartHint,
    collected: Arc<Mutex<Collected>>,
}

/// The values of the rows so far.
struct Collected {
    x: Source,
    y: Source,
    label: Option<usize>,
    labels: Texts,
    /// Rows without an x or a y.
    empty: u64,
    rows: u64,
}

/// One column of the rows.
struct Source {
    place: usize,
    column: Column,
}

impl<'a> Plot<'a> {
    /// Opens the picture's file before the first request, so that an error is reported first.
    pub(crate) fn start(
        registry: &'a Registry,
        spec: &ReportSpec,
        path: PathBuf,
        existing: Existing,
    ) -> anyhow::Result<Plot<'a>> {
        let Some(hint) = spec.chart.clone() else {
            let drawn: Vec<&str> = registry
                .reports()
                .filter(|(report, _)| report.chart.is_some())
                .map(|(report, _)| report.name.as_str())
                .collect();
            return Err(usage(format!("the report `{}` has no chart", spec.name))
                .hint(format!("these reports have one: {}", drawn.join(", ")))
                .into());
        };
        if path.as_os_str() == "-" {
            return Err(usage("the rows go to stdout, so the picture needs a file name")
                .hint("name a file, or pipe the rows: `| itch plot - --renderer png > plot.png`")
                .into());
        }
        let source = |name: &str| {
            let place = spec.columns.iter().position(|column| column.name == name);
            let place = place.ok_or_else(|| {
                Error::new(
                    ErrorKind::Unsupported,
                    format!("the chart of `{}` uses `{name}`, which is not a column", spec.name),
                )
            })?;
            let kind = match spec.columns[place].kind {
                ColumnType::Time => ColumnKind::Time,
                _ => ColumnKind::Number,
            };
            let column = Column {
                name: name.to_owned(),
                kind,
                values: Vec::new(),
            };
            Ok::<Source, Error>(Source { place, column })
        };
        let drawing = Drawing::start(Place::named(registry, path)?, existing)?;
        let label = hint.label.as_deref().filter(|_| drawing.wants_everything());
        let collected = Collected {
            x: source(&hint.x)?,
            y: source(&hint.y)?,
            label: label.and_then(|label| spec.columns.iter().position(|column| column.name == label)),
            labels: Texts::default(),
            empty: 0,
            rows: 0,
        };
        Ok(Plot {
            drawing,
            hint,
            collected: Arc::new(Mutex::new(collected)),
        })
    }

    /// The columns that the report has to fill in: those that are printed and those that are drawn.
    pub(crate) fn columns(&self, mut printed: Vec<String>) -> Vec<String> {
        let hint = &self.hint;
        for name in [&hint.x, &hint.y].into_iter().chain(&hint.label) {
            if !printed.contains(name) {
                printed.push(name.clone());
            }
        }
        printed
    }

    /// A writer that also collects the values that are drawn.
    pub(crate) fn watch(&self, writer: Box<dyn RowWriter>) -> Box<dyn RowWriter> {
        Box::new(CollectingWriter {
            writer,
            collected: Arc::clone(&self.collected),
        })
    }

    /// Draws the collected rows. If `incomplete`, the picture's title says so.
    pub(crate) fn finish(
        self,
        title: String,
        incomplete: bool,
        interrupts: &Interrupts,
        printer: &Printer,
    ) -> anyhow::Result<()> {
        let collected = {
            let mut collected = lock(&self.collected);
            let label = collected.label;
            std::mem::replace(
                &mut *collected,
                Collected {
                    x: Source::nothing(),
                    y: Source::nothing(),
                    label,
                    labels: Texts::default(),
                    empty: 0,
                    rows: 0,
                },
            )
        };
        if collected.x.column.values.is_empty() {
            printer.warning("no picture was drawn: no row has both values");
            return Ok(());
        }
        let (x, y) = (&collected.x.column.name, &collected.y.column.name);
        note_empty_rows(collected.empty, x, y, printer);
        if incomplete {
            printer.warning("the picture shows an incomplete run");
        }
        let table = Table {
            labels: collected.label.map(|_| collected.labels),
            records: None,
            rows: collected.rows,
            empty: collected.empty,
            bad: BadRows::default(),
            fields: Vec::new(),
            has_header: true,
            x: collected.x.column,
            y: collected.y.column,
        };
        let request = Request {
            mark: self.hint.mark,
            title: if incomplete {
                format!("{title} (incomplete)")
            } else {
                title
            },
            density: true,
            target: self.drawing.target(),
            detail: self.drawing.detail(),
            ..Request::default()
        };
        self.drawing.finish(table, &request, Some(interrupts), printer)
    }
}

impl Source {
    fn nothing() -> Source {
        let column = Column {
            name: String::new(),
            kind: ColumnKind::Number,
            values: Vec::new(),
        };
        Source {
            place: usize::MAX,
            column,
        }
    }

    fn read(&self, row: &[Cell]) -> Option<f64> {
        let value = match row.get(self.place)? {
            Cell::Time(milliseconds) => *milliseconds as f64 / 1e3,
            Cell::Int(number) => *number as f64,
            Cell::Float(number) | Cell::Duration(number) => *number,
            _ => return None,
        };
        value.is_finite().then_some(value)
    }
}

impl Collected {
    fn take(&mut self, row: &[Cell]) {
        self.rows += 1;
        let (Some(x), Some(y)) = (self.x.read(row), self.y.read(row)) else {
            self.empty += 1;
            return;
        };
        self.x.column.values.push(x);
        self.y.column.values.push(y);
        if let Some(label) = self.label {
            let text = match row.get(label) {
                Some(Cell::Text(text)) => text.as_str(),
                _ => "",
            };
            self.labels.extend([text]);
        }
    }
}

/// A writer that also collects the values that are drawn.
struct CollectingWriter {
    writer: Box<dyn RowWriter>,
    collected: Arc<Mutex<Collected>>,
}

impl RowWriter for CollectingWriter {
    fn row(&mut self, row: &[Cell]) -> io::Result<()> {
        self.writer.row(row)?;
        lock(&self.collected).take(row);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.writer.finish()
    }
}
