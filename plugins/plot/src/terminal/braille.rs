//! A page of characters: two by four dots in each, a colour for each, and text on top.

use std::fmt::Write;

use itch_plugin::{Axis, Chart, Color, Colors, Layer};
use unicode_width::UnicodeWidthChar;

use crate::canvas::{dots, line_points, sample_color};

/// Which bit of a braille character a dot is, by column and row.
const BITS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// One place on the page.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    dots: u8,
    /// How much its colour matters: a line goes over a band, a denser dot over a thinner one.
    weight: u16,
    color: Option<Color>,
    ground: Option<Color>,
    letter: Option<char>,
    /// The character left of it is two wide and takes this place as well.
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
    page.furniture(chart);
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
        // The far edges belong to the last dot.
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
                    let steps = (b.x - a.x)
                        .abs()
                        .max((b.y - a.y).abs())
                        .ceil()
                        .clamp(1.0, 1e5);
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
                columns,
                count,
                shade,
                ..
            } => {
                let shades = shade.map(|shade| chart.shades(shade));
                let counts = chart.small_numbers(*count).iter().enumerate();
                for (place, _) in counts.filter(|(_, count)| **count > 0.0) {
                    let (column, row) = (
                        place % (*columns).max(1) as usize,
                        place / (*columns).max(1) as usize,
                    );
                    let weight = shades
                        .and_then(|shades| shades.get(place))
                        .map_or(1, |shade| u16::from(*shade));
                    let (x, y) = (area.left + column as f64, area.top + row as f64);
                    self.dot(x, y, weight, dots::color(chart, shades, place));
                }
            }
            _ => {}
        }
    }

    /// Writes a text that begins at a column. What does not fit is left away.
    fn write(&mut self, column: isize, y: f64, text: &str, color: Color) {
        let row = (y.max(0.0) / 4.0) as usize;
        let mut column = column.max(0) as usize;
        for letter in text.chars().filter(|letter| !is_hidden(*letter)) {
            let width = letter.width().unwrap_or(0);
            if width == 0 || column + width > self.columns {
                continue;
            }
            for place in 0..width {
                if let Some(cell) = self.cells.get_mut(row * self.columns + column + place) {
                    let ground = cell.ground;
                    let (letter, taken) = if place == 0 {
                        (Some(letter), false)
                    } else {
                        (None, true)
                    };
                    *cell = Cell {
                        letter,
                        taken,
                        ground,
                        color: Some(color),
                        ..Cell::default()
                    };
                }
            }
            column += width;
        }
    }

    fn furniture(&mut self, chart: &Chart<'_>) {
        let (area, color) = (chart.area, chart.theme.text);
        let wide = |text: &str| {
            text.chars()
                .filter_map(UnicodeWidthChar::width)
                .sum::<usize>() as isize
        };
        let column = |x: f64| (x / 2.0).floor() as isize;
        let mut y = area.top;
        while y < area.bottom() {
            self.write(column(area.left) - 1, y, "│", color);
            self.write(column(area.right()), y, "│", color);
            y += 4.0;
        }
        let upright = |page: &mut Page, axis: &Axis, left: bool| {
            for tick in &axis.ticks {
                let y = chart.down(axis, tick.at).min(area.bottom() - 1.0);
                if left {
                    let start = column(area.left) - 1 - wide(&tick.label);
                    page.write(start, y, &tick.label, color);
                    page.write(column(area.left) - 1, y, "┤", color);
                } else {
                    page.write(column(area.right()) + 1, y, &tick.label, color);
                    page.write(column(area.right()), y, "├", color);
                }
            }
        };
        upright(self, &chart.y, true);
        if let Some(y2) = &chart.y2 {
            upright(self, y2, false);
        }
        for tick in &chart.x.ticks {
            let middle = column(chart.across(tick.at));
            for (line, text) in [&tick.label, &tick.below].into_iter().enumerate() {
                let y = area.bottom() + line as f64 * 4.0;
                self.write(middle - wide(text) / 2, y, text, color);
            }
        }
        let centred = |page: &mut Page, text: &str, x: f64, y: f64| {
            page.write(column(x) - wide(text) / 2, y, text, color);
        };
        if let Some(at) = chart.x.label_at {
            centred(self, &chart.x.label, at.x, at.y);
        }
        centred(self, &chart.title, chart.title_at.x, chart.title_at.y);
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
            self.write(start + 2, y, &tick.label, chart.theme.text);
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

/// Whether a character could do something to a terminal or to the order of letters.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Sets a colour, or the terminal's own: `code` is 38 for letters and 48 for what is behind them.
fn paint(text: &mut String, code: u8, color: Option<Color>, colors: Colors) {
    let _ = match (color, colors) {
        (None, _) => write!(text, "\x1b[{}m", code + 1),
        (Some(color), Colors::True) => {
            write!(
                text,
                "\x1b[{code};2;{};{};{}m",
                color.red, color.green, color.blue
            )
        }
        (Some(color), _) => {
            let step = |value: u8| (u16::from(value) * 5 + 127) / 255;
            let index = 16 + 36 * step(color.red) + 6 * step(color.green) + step(color.blue);
            write!(text, "\x1b[{code};5;{index}m")
        }
    };
}
