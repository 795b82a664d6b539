//! Reduces rows to pixels: counts dots per pixel, and reduces the running count to columns of pixels.

use std::ops::Range;

use itch_plugin::{Axis, Layer, Rect};

use crate::parallel;

/// Dot counts: a value for each pixel that has dots, row by row from the top.
#[derive(Clone, Debug)]
pub(crate) struct Cells {
    pub(crate) columns: u32,
    pub(crate) rows: u32,
    pub(crate) place: Vec<u32>,
    pub(crate) count: Vec<u32>,
    pub(crate) shade: Option<Vec<u8>>,
}

impl Cells {
    /// Adds the pixels of a row that have dots.
    fn push_row(&mut self, row: usize, cells: &[u32]) {
        let first = row * self.columns as usize;
        // Most pixels are empty, and checking several at once is faster.
        for (number, some) in cells.chunks(8).enumerate() {
            if some.iter().fold(0, |all, cell| all | cell) == 0 {
                continue;
            }
            for (column, cell) in (number * 8..).zip(some).filter(|(_, cell)| **cell > 0) {
                self.place.push((first + column) as u32);
                self.count.push(cell >> 8);
                if let Some(shade) = &mut self.shade {
                    shade.push(*cell as u8);
                }
            }
        }
    }
}

/// The index of the pixel at a position along an axis, given as a share of its length.
fn pixel(share: f64, pixels: u32) -> usize {
    // The end of the axis belongs to the last pixel. A negative number becomes 0.
    ((share * f64::from(pixels)) as usize).min(pixels as usize - 1)
}

/// Precomputed values to convert many values of an axis.
#[derive(Clone, Copy)]
struct Ruler {
    scale: itch_plugin::Scale,
    min: f64,
    factor: f64,
}

impl Ruler {
    fn of(axis: &Axis) -> Ruler {
        let (min, max) = (axis.scale.of(axis.min), axis.scale.of(axis.max));
        Ruler {
            scale: axis.scale,
            min,
            factor: 1.0 / (max - min),
        }
    }

    fn share(&self, value: f64) -> f64 {
        (self.scale.of(value) - self.min) * self.factor
    }
}

/// One dot in a cell. A cell is a single number, since it may not be in the CPU cache: the count in the upper bits, the
/// highest shade in the lowest eight bits. The count saturates; beyond that, more dots do not make a pixel more opaque.
const ONE: u32 = 1 << 8;

/// Joins two cells: adds the counts and keeps the higher shade.
fn joined(cell: u32, other: u32) -> u32 {
    let shade = (cell as u8).max(other as u8);
    let count = (cell & !0xff).saturating_add(other & !0xff) & !0xff;
    count | u32::from(shade)
}

/// The dots to be counted, and how to find their pixels.
#[derive(Clone, Copy)]
struct Dots<'a> {
    x: &'a [f64],
    y: &'a [f64],
    shade: Option<&'a [u8]>,
    rulers: (Ruler, Ruler),
    columns: u32,
    rows: u32,
}

impl Dots<'_> {
    fn row(&self, dot: usize) -> usize {
        pixel(1.0 - self.rulers.1.share(self.y[dot]), self.rows)
    }

    fn column(&self, dot: usize) -> usize {
        pixel(self.rulers.0.share(self.x[dot]), self.columns)
    }

    fn shade(&self, dot: usize) -> u32 {
        self.shade.map_or(0, |shade| u32::from(shade[dot]))
    }

    /// Counts fewer dots than there are pixels: sorts them into rows of pixels first, since one row fits into the CPU
    /// cache.
    fn few(&self, cells: &mut Cells) {
        let mut next = vec![0; self.rows as usize + 1];
        for dot in 0..self.y.len() {
            next[self.row(dot) + 1] += 1;
        }
        for row in 0..self.rows as usize {
            next[row + 1] += next[row];
        }
        let mut sorted = vec![0u32; self.x.len()];
        for dot in 0..self.x.len() {
            let place = &mut next[self.row(dot)];
            sorted[*place] = (self.column(dot) as u32) << 8 | self.shade(dot);
            *place += 1;
        }
        let mut line = vec![0u32; self.columns as usize];
        let mut from = 0;
        for (row, to) in next.into_iter().take(self.rows as usize).enumerate() {
            if from == to {
                continue;
            }
            line.fill(0);
            for dot in &sorted[from..to] {
                let cell = &mut line[(dot >> 8) as usize];
                *cell = joined(*cell, ONE | dot & 0xff);
            }
            cells.push_row(row, &line);
            from = to;
        }
    }

    /// Counts many dots: uses a cell for every pixel, and a separate set of pixels for each thread.
    fn many(&self, cells: &mut Cells) {
        let columns = self.columns as usize;
        let mut parts = parallel::map(self.x.len(), |range: Range<usize>| {
            let mut pixels = vec![0u32; columns * self.rows as usize];
            for dot in range {
                let cell = &mut pixels[self.row(dot) * columns + self.column(dot)];
                *cell = joined(*cell, ONE | self.shade(dot));
            }
            pixels
        });
        let Some((pixels, others)) = parts.split_first_mut() else {
            return;
        };
        for (row, line) in pixels.chunks_exact_mut(columns).enumerate() {
            for other in &*others {
                for (cell, other) in line.iter_mut().zip(&other[row * columns..]) {
                    *cell = joined(*cell, *other);
                }
            }
            cells.push_row(row, line);
        }
    }
}

/// Counts dots per pixel. The only loss is the position of a dot within its pixel.
pub(crate) fn cells((x, y): (&[f64], &[f64]), shade: Option<&[u8]>, axes: (&Axis, &Axis), area: Rect) -> Cells {
    let (columns, rows) = ((area.width as u32).max(1), (area.height as u32).max(1));
    let dots = Dots {
        x,
        y,
        shade,
        rulers: (Ruler::of(axes.0), Ruler::of(axes.1)),
        columns,
        rows,
    };
    let size = columns as usize * rows as usize;
    let most = x.len().min(size);
    let mut cells = Cells {
        columns,
        rows,
        place: Vec::with_capacity(most),
        count: Vec::with_capacity(most),
        shade: shade.map(|_| Vec::with_capacity(most)),
    };
    match x.len() < size / 2 {
        true => dots.few(&mut cells),
        false => dots.many(&mut cells),
    }
    cells
}

/// The running count as a line: the first and the last row of every column of pixels. As the count only rises, these
/// are also the minimum and maximum of the column, and the line between them covers the same pixels as one through
/// every row.
pub(crate) fn count_line(x: &[f64], axis: &Axis, columns: usize) -> (Vec<f64>, Vec<f64>) {
    if x.len() <= 4 * columns {
        let mut x = x.to_vec();
        x.sort_unstable_by(f64::total_cmp);
        let count = (1..=x.len()).map(|count| count as f64).collect();
        return (x, count);
    }
    let ruler = Ruler::of(axis);
    let parts = parallel::map(x.len(), |range| {
        let mut found = vec![(0u64, f64::MAX, f64::MIN); columns];
        for value in &x[range] {
            let (count, first, last) = &mut found[pixel(ruler.share(*value), columns as u32)];
            *count += 1;
            *first = first.min(*value);
            *last = last.max(*value);
        }
        found
    });
    let mut line = (Vec::new(), Vec::new());
    let mut before = 0;
    for column in 0..columns {
        let (mut count, mut first, mut last) = (0, f64::MAX, f64::MIN);
        for part in &parts {
            count += part[column].0;
            first = first.min(part[column].1);
            last = last.max(part[column].2);
        }
        if count > 0 {
            line.0.push(first);
            line.1.push((before + 1) as f64);
            if count > 1 {
                line.0.push(last);
                line.1.push((before + count) as f64);
            }
            before += count;
        }
    }
    line
}

/// The visible spans: overlapping spans are joined, so that none is drawn darker than another. If there are more spans
/// than columns of pixels, spans without a whole pixel between them are joined as well.
pub(crate) fn bands(mut bands: Vec<(f64, f64)>, axis: &Axis, columns: usize) -> Vec<(f64, f64)> {
    bands.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
    let gap = match bands.len() > columns {
        true => (axis.max - axis.min) / columns as f64,
        false => 0.0,
    };
    let mut seen: Vec<(f64, f64)> = Vec::new();
    for (from, to) in bands {
        match seen.last_mut() {
            Some(last) if from <= last.1 + gap => last.1 = last.1.max(to),
            _ => seen.push((from, to)),
        }
    }
    seen
}

/// The radius and opacity of a dot: small enough that a crowd is not a solid area, large enough that a single dot is
/// visible.
pub(crate) fn dot(rows: usize, dpi: f64, opaque: bool) -> (f64, f64) {
    let crowd = (rows as f64 / 2000.0).max(1.0);
    let radius = dpi / 60.0 * crowd.powf(-0.125);
    let opacity = if opaque { 1.0 } else { (0.9 * crowd.powf(-0.2)).max(0.3) };
    (radius.max(0.75), opacity)
}

/// Stores cells in the buffers of a chart.
pub(crate) fn layer(cells: Cells, (radius, opacity): (f64, f64), chart: &mut itch_plugin::Chart<'static>) -> Layer {
    use itch_plugin::Buffer;
    let place = chart.push(Buffer::U32(cells.place.into()));
    let count = chart.push(Buffer::U32(cells.count.into()));
    let shade = cells.shade.map(|shade| chart.push(Buffer::U8(shade.into())));
    Layer::Cells {
        columns: cells.columns,
        rows: cells.rows,
        place,
        count,
        shade,
        radius,
        opacity,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(min: f64, max: f64) -> Axis {
        Axis {
            min,
            max,
            ..Axis::default()
        }
    }

    #[test]
    fn every_dot_is_on_its_pixel() {
        let area = Rect {
            left: 5.0,
            top: 5.0,
            width: 10.0,
            height: 4.0,
        };
        let x = [0.0, 1.0, 0.55, 0.55, 1.0];
        let y = [0.0, 1.0, 0.5, 0.4, 0.0];
        let axes = (axis(0.0, 1.0), axis(0.0, 1.0));
        let cells = cells((&x, &y), Some(&[9, 1, 3, 7, 2]), (&axes.0, &axes.1), area);
        assert_eq!(cells.place, [9, 25, 30, 39]);
        assert_eq!(cells.count, [1, 2, 1, 1]);
        assert_eq!(cells.shade.unwrap(), [1, 7, 9, 2]);
    }

    #[test]
    fn few_and_many_dots_are_gathered_alike() {
        let n = 300_000u64;
        let part = |dot: u64, factor: u64| (dot * factor % n) as f64 / (n - 1) as f64;
        let x: Vec<f64> = (0..n).map(|dot| part(dot, 7919).powi(2)).collect();
        let y: Vec<f64> = (0..n).map(|dot| part(dot, 104_729).powi(3)).collect();
        let shade: Vec<u8> = (0..n).map(|dot| (dot % 251) as u8).collect();
        let ruler = Ruler::of(&axis(0.0, 1.0));
        for shade in [None, Some(&shade[..])] {
            let dots = Dots {
                x: &x,
                y: &y,
                shade,
                rulers: (ruler, ruler),
                columns: 101,
                rows: 67,
            };
            let mut few = Cells {
                columns: 101,
                rows: 67,
                place: Vec::new(),
                count: Vec::new(),
                shade: shade.map(|_| Vec::new()),
            };
            let mut many = few.clone();
            dots.few(&mut few);
            dots.many(&mut many);
            assert_eq!(u64::from(few.count.iter().sum::<u32>()), n);
            assert!(few.place.is_sorted() && few.place.len() > 1000);
            assert_eq!((few.place, few.count, few.shade), (many.place, many.count, many.shade));
        }
    }

    #[test]
    fn the_count_keeps_the_ends_of_every_column() {
        let n = 200_000usize;
        let x: Vec<f64> = (0..n)
            .map(|row| ((row * 7919) % n) as f64 / n as f64)
            .map(|x| x * x)
            .collect();
        let axis = axis(0.0, 1.0);
        let (line, count) = count_line(&x, &axis, 100);
        assert_eq!((count[0], *count.last().unwrap()), (1.0, n as f64));
        assert!(line.len() <= 200);
        assert!(line.windows(2).all(|pair| pair[0] <= pair[1]) && count.windows(2).all(|pair| pair[0] < pair[1]));
        let mut sorted = x.clone();
        sorted.sort_by(f64::total_cmp);
        for (value, count) in line.iter().zip(&count) {
            assert_eq!(sorted[*count as usize - 1], *value);
        }
        let (line, count) = count_line(&[3.0, 1.0, 2.0], &axis, 100);
        assert_eq!((line, count), (vec![1.0, 2.0, 3.0], vec![1.0, 2.0, 3.0]));
    }

    #[test]
    fn bands_that_overlap_are_one() {
        let axis = axis(0.0, 100.0);
        let seen = |bands: &[(f64, f64)], columns| super::bands(bands.to_vec(), &axis, columns);
        let three = [(5.0, 9.0), (1.0, 2.0), (8.0, 12.0), (8.5, 9.5)];
        assert_eq!(seen(&three, 100), [(1.0, 2.0), (5.0, 12.0)]);
        // There are more spans than columns: a gap that is narrower than a pixel is not a gap.
        let many: Vec<_> = (0..1000).map(|at| f64::from(at) / 20.0).collect();
        let many: Vec<_> = many.iter().map(|at| (*at, at + 0.01)).collect();
        assert_eq!(seen(&many, 100), [(0.0, 49.96)]);
        assert_eq!(seen(&many, 1000).len(), 1000);
        assert_eq!(seen(&[], 100), []);
    }
}
