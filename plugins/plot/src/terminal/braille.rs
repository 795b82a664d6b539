//! A page of character cells: two by four dots in each, one colour per cell, and text on top.

use std::fmt::Write;

use itch_plugin::{Axis, Chart, Color, Colors, Layer};
use unicode_width::UnicodeWidthChar;

use crate::canvas::{dots, line_points, sample_color};

/// The bit of a dot in a braille character, by column and row.
const BITS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// The maximum number of combining marks on a letter; no script needs more.
const MARKS: usize = 8;

/// One character cell of the page.
#[derive(Clone, Debug, Default)]
struct Cell {
    dots: u8,
    /// The priority of its colour: a line goes over a band, a denser dot over a less dense one.
    weight: u16,
    color: Option<Color>,
    ground: Option<Color>,
    letter: Option<char>,
    /// The combining marks of the letter, which take no cell of their own.
    marks: String,
    /// Whether the character to the left is two cells wide and covers this cell as well.
    taken: bool,
}

/// The page.
#[derive(Debug)]
pub(super) struct Page {
    columns: usize,
    cells: Vec<Cell>,
}

/// Draws a chart on a page.
pub(super) fn page(chart: &Chart<'_>) -> Page {
    let columns = (chart.target.width / 2).max(1) as usize;
    let rows = (chart.target.height / 4).max(1) as usize;
    let mut page = Page {
        columns,
        cells: vec![Cell::default(); columns * rows],
    };
    for layer in &chart.layers {
        page.layer(chart, layer);
    }
    page.decorations(chart);
    page
}

impl Page {
    fn cell(&mut self, x: f64, y: f64) -> Option<&mut Cell> {
        if !(x >= 0.0 && y >= 0.0) {
            return None;
        }
        let (column, row) = (x as usize / 2, y as usize / 4);
        (column < self.columns)
            .then(|| self.cells.get_mut(row * self.columns + column))
            .flatten()
    }

    fn dot(&mut self, x: f64, y: f64, weight: u16, color: Color) {
        if let Some(cell) = self.cell(x, y) {
            cell.dots |= BITS[x as usize % 2][y as usize % 4];
            if weight >= cell.weight {
                cell.weight = weight;
                cell.color = Some(color);
            }
        }
    }

    fn layer(&mut self, chart: &Chart<'_>, layer: &Layer) {
        let area = chart.area;
        // The end of an axis belongs to the last dot.
        let inside = |x: f64, y: f64| {
            let inside = x >= area.left && x <= area.right() && y >= area.top && y <= area.bottom();
            inside.then(|| (x.min(area.right() - 1.0), y.min(area.bottom() - 1.0)))
        };
        match layer {
            Layer::Bands { from, to } => {
                let ground = chart.theme.bands.over(chart.theme.background);
                for (from, to) in chart.numbers(*from).iter().zip(chart.numbers(*to)) {
                    let left = chart.across(from.max(chart.x.min));
                    let right = chart.across(to.min(chart.x.max)).min(area.right() - 1.0);
                    let mut x = left;
                    while x <= right.max(left) {
                        let mut y = area.top;
                        while y < area.bottom() {
                            if let Some(cell) = self.cell(x.min(area.right() - 1.0), y) {
                                cell.ground = Some(ground);
                            }
                            y += 4.0;
                        }
                        x += 1.0;
                    }
                }
            }
            Layer::Line { .. } => {
                for pair in line_points(chart, layer).windows(2) {
                    let (a, b) = (pair[0], pair[1]);
                    let steps = (b.x - a.x).abs().max((b.y - a.y).abs()).ceil().clamp(1.0, 1e5);
                    for step in 0..=steps as u32 {
                        let share = f64::from(step) / steps;
                        let at = inside(a.x + (b.x - a.x) * share, a.y + (b.y - a.y) * share);
                        if let Some((x, y)) = at {
                            self.dot(x, y, 300, chart.theme.line);
                        }
                    }
                }
            }
            Layer::Points { x, y, shade, .. } => {
                let shades = shade.map(|shade| chart.shades(shade));
                for (row, (x, y)) in chart.numbers(*x).iter().zip(chart.numbers(*y)).enumerate() {
                    if let Some((x, y)) = inside(chart.across(*x), chart.down(&chart.y, *y)) {
                        let weight = shades
                            .and_then(|shades| shades.get(row))
                            .map_or(1, |shade| u16::from(*shade));
                        self.dot(x, y, weight, dots::color(chart, shades, row));
                    }
                }
            }
            Layer::Cells {
                columns, place, shade, ..
            } => {
                let shades = shade.map(|shade| chart.shades(shade));
                let columns = (*columns).max(1);
                for (number, place) in chart.whole_numbers(*place).iter().enumerate() {
                    let (column, row) = (place % columns, place / columns);
                    let weight = shades
                        .and_then(|shades| shades.get(number))
                        .map_or(1, |shade| u16::from(*shade));
                    let (x, y) = (area.left + f64::from(column), area.top + f64::from(row));
                    self.dot(x, y, weight, dots::color(chart, shades, number));
                }
            }
            _ => {}
        }
    }

    /// Writes a text that begins at a column. Letters beyond the page are dropped.
    fn write(&mut self, column: isize, y: f64, text: &str, color: Color) {
        let row = (y.max(0.0) / 4.0) as usize;
        let mut column = column.max(0) as usize;
        let mut last = None;
        for letter in text.chars().filter(|letter| !is_hidden(*letter)) {
            let width = letter.width().unwrap_or(0);
            if width == 0 {
                let cell = last.and_then(|place: usize| self.cells.get_mut(place));
                if let Some(cell) = cell.filter(|cell| cell.marks.chars().count() < MARKS) {
                    cell.marks.push(letter);
                }
                continue;
            }
            last = None;
            if column + width > self.columns {
                continue;
            }
            last = Some(row * self.columns + column);
            for place in 0..width {
                if let Some(cell) = self.cells.get_mut(row * self.columns + column + place) {
                    *cell = Cell {
                        letter: (place == 0).then_some(letter),
                        taken: place > 0,
                        ground: cell.ground,
                        color: Some(color),
                        ..Cell::default()
                    };
                }
            }
            column += width;
        }
    }

    /// Writes a label as a whole, shifted if the page ends, or not at all: a part of a number would be a wrong number.
    /// Labels do not overlap or touch each other.
    fn label(&mut self, column: isize, y: f64, text: &str, color: Color) {
        let wide = columns_of(text);
        let room = self.columns as isize - wide;
        if room < 0 || y < 0.0 {
            return;
        }
        let start = column.clamp(0, room);
        let row = (y / 4.0) as usize * self.columns;
        let near = (start - 1).max(0)..(start + wide + 1).min(self.columns as isize);
        let free = |column: isize| {
            let cell = self.cells.get(row + column as usize);
            cell.is_some_and(|cell| cell.letter.is_none() && !cell.taken)
        };
        if near.into_iter().all(free) {
            self.write(start, y, text, color);
        }
    }

    fn decorations(&mut self, chart: &Chart<'_>) {
        let (area, color) = (chart.area, chart.theme.text);
        let column = |x: f64| (x / 2.0).floor() as isize;
        let mut y = area.top;
        while y < area.bottom() {
            self.write(column(area.left) - 1, y, "│", color);
            self.write(column(area.right()), y, "│", color);
            y += 4.0;
        }
        self.upright(chart, &chart.y, true);
        if let Some(y2) = &chart.y2 {
            self.upright(chart, y2, false);
        }
        for tick in &chart.x.ticks {
            let middle = column(chart.across(tick.at));
            for (line, text) in [&tick.label, &tick.below].into_iter().enumerate() {
                let y = area.bottom() + line as f64 * 4.0;
                self.label(middle - columns_of(text) / 2, y, text, color);
            }
        }
        if let Some(at) = chart.x.label_at.filter(|at| at.y >= area.bottom()) {
            let text = &chart.x.label;
            self.label(column(at.x) - columns_of(text) / 2, at.y, text, color);
        }
        let (title, at) = (&chart.title, chart.title_at);
        self.write(column(at.x) - columns_of(title) / 2, at.y, title, color);
        for entry in &chart.legend {
            let start = column(entry.at.x);
            let (mark, paint) = match chart.layers.get(entry.layer) {
                Some(Layer::Bands { .. }) => ("▒", chart.theme.bands.with_alpha(255)),
                Some(Layer::Line { .. }) => ("─", chart.theme.line),
                Some(Layer::Points { shade, .. } | Layer::Cells { shade, .. }) => {
                    ("●", sample_color(chart, shade.is_some()))
                }
                _ => continue,
            };
            self.write(start, entry.at.y, mark, paint);
            self.write(start + 2, entry.at.y, &entry.label, color);
        }
        self.color_bar(chart);
    }

    /// The ticks of a vertical axis whose labels fit beside the area.
    fn upright(&mut self, chart: &Chart<'_>, axis: &Axis, is_left: bool) {
        let (area, color) = (chart.area, chart.theme.text);
        let side = if is_left {
            (area.left / 2.0).floor() as isize - 1
        } else {
            (area.right() / 2.0).floor() as isize
        };
        for tick in &axis.ticks {
            let y = chart.down(axis, tick.at).min(area.bottom() - 1.0);
            let wide = columns_of(&tick.label);
            let start = if is_left { side - wide } else { side + 1 };
            if start < 0 || start + wide > self.columns as isize {
                continue;
            }
            self.write(start, y, &tick.label, color);
            self.write(side, y, if is_left { "┤" } else { "├" }, color);
        }
    }

    fn color_bar(&mut self, chart: &Chart<'_>) {
        let Some(bar) = &chart.color_bar else {
            return;
        };
        let start = (bar.area.left / 2.0) as isize;
        let mut y = bar.area.top;
        while y < bar.area.bottom() {
            let share = 1.0 - (y + 2.0 - bar.area.top) / bar.area.height;
            self.write(start, y, "█", bar.color((share * 255.0) as u8));
            y += 4.0;
        }
        for tick in &bar.ticks {
            let y = bar.area.bottom() - 1.0 - tick.at.clamp(0.0, 1.0) * (bar.area.height - 1.0);
            if start + 2 + columns_of(&tick.label) <= self.columns as isize {
                self.write(start + 2, y, &tick.label, chart.theme.text);
            }
        }
    }

    /// The page as lines of text.
    pub(super) fn text(&self, colors: Colors) -> String {
        let mut text = String::new();
        for line in self.cells.chunks(self.columns) {
            let (mut color, mut ground) = (None, None);
            let mut written = String::new();
            for cell in line.iter().filter(|cell| !cell.taken) {
                let letter = match (cell.letter, cell.dots) {
                    (Some(letter), _) => letter,
                    (None, 0) => ' ',
                    (None, dots) => char::from_u32(0x2800 + u32::from(dots)).unwrap_or(' '),
                };
                if colors != Colors::None {
                    if cell.ground != ground {
                        ground = cell.ground;
                        paint(&mut written, 48, ground, colors);
                    }
                    if letter != ' ' && cell.color != color {
                        color = cell.color;
                        paint(&mut written, 38, color, colors);
                    }
                }
                written.push(letter);
                written.push_str(&cell.marks);
            }
            text.push_str(written.trim_end());
            if color.is_some() || ground.is_some() {
                text.push_str("\x1b[0m");
            }
            text.push('\n');
        }
        text
    }
}

/// The number of cells that a text takes.
fn columns_of(text: &str) -> isize {
    let letters = text.chars().filter(|letter| !is_hidden(*letter));
    letters.filter_map(UnicodeWidthChar::width).sum::<usize>() as isize
}

/// Whether a character could control the terminal or change the order or width of text.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}')
}

/// Sets a colour, or the default of the terminal. `code` is 38 for the foreground and 48 for the background.
fn paint(text: &mut String, code: u8, color: Option<Color>, colors: Colors) {
    let _ = match (color, colors) {
        (None, _) => write!(text, "\x1b[{}m", code + 1),
        (Some(color), Colors::True) => {
            write!(text, "\x1b[{code};2;{};{};{}m", color.red, color.green, color.blue)
        }
        (Some(color), _) => {
            let step = |value: u8| (u16::from(value) * 5 + 127) / 255;
            let index = 16 + 36 * step(color.red) + 6 * step(color.green) + step(color.blue);
            write!(text, "\x1b[{code};5;{index}m")
        }
    };
}
