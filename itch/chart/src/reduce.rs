//! From rows to the pixels that show them: dots gathered on the pixels of their middles, the running count on columns.

use std::ops::Range;

use itch_plugin::{Axis, Layer, Rect};

use crate::parallel;

/// Dots gathered on pixels, row by row from the top.
#[derive(Clone, Debug)]
pub(crate) struct Cells {
    pub(crate) columns: u32,
    pub(crate) rows: u32,
    pub(crate) count: Vec<f32>,
    pub(crate) shade: Option<Vec<u8>>,
}

/// Which pixel along an axis a share of it falls on.
fn pixel(share: f64, pixels: u32) -> usize {
    // The far end belongs to the last pixel. A negative number becomes 0.
    ((share * f64::from(pixels)) as usize).min(pixels as usize - 1)
}

/// An axis made ready for many values.
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

/// One dot in a cell.
const ONE: u32 = 1 << 8;

/// Two cells as one: the counts together, the higher shade.
fn joined(cell: u32, other: u32) -> u32 {
    let shade = (cell as u8).max(other as u8);
    let count = (cell & !0xff).saturating_add(other & !0xff) & !0xff;
    count | u32::from(shade)
}

/// Gathers dots. Nothing is lost but the part of a pixel by which a dot's middle is off the pixel's.
pub(crate) fn cells(
    (x, y): (&[f64], &[f64]),
    shade: Option<&[u8]>,
    axes: (&Axis, &Axis),
    area: Rect,
) -> Cells {
    let (columns, rows) = ((area.width as u32).max(1), (area.height as u32).max(1));
    let size = columns as usize * rows as usize;
    let rulers = (Ruler::of(axes.0), Ruler::of(axes.1));
    // One number a pixel, since every dot is a cell far away in memory: the count above, the highest shade in the last
    // eight bits. What does not fit in a count makes no pixel more opaque.
    let gather = |range: Range<usize>| {
        let mut cells = vec![0u32; size];
        for place in range {
            let column = pixel(rulers.0.share(x[place]), columns);
            let row = pixel(1.0 - rulers.1.share(y[place]), rows);
            let cell = &mut cells[row * columns as usize + column];
            *cell = joined(
                *cell,
                ONE | shade.map_or(0, |shade| u32::from(shade[place])),
            );
        }
        cells
    };
    // A thread more has pixels of its own, and those of both have to be put together: that pays for many dots.
    let parts = match x.len() < size / 2 {
        true => vec![gather(0..x.len())],
        false => parallel::map(x.len(), gather),
    };
    let mut parts = parts.into_iter();
    let mut cells = parts.next().unwrap_or_default();
    for other in parts {
        for (cell, other) in cells.iter_mut().zip(other) {
            *cell = joined(*cell, other);
        }
    }
    let most = shade.map(|_| cells.iter().map(|cell| *cell as u8).collect());
    // In the same memory.
    let count = cells.into_iter().map(|cell| (cell >> 8) as f32).collect();
    Cells {
        columns,
        rows,
        count,
        shade: most,
    }
}

/// The running count as a line: the first and the last row of every column of pixels. As it only ever rises, these are
/// its minimum and its maximum there too, and the line between them covers the same pixels as one through every row.
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

/// Spans of an axis as they are seen: those that overlap are one, so that none is darker than another; and where there are
/// more than columns of pixels, those that have no whole pixel between them.
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

/// Half the width of a dot and its opacity: so many that a crowd is no blob, and yet a single one is seen.
pub(crate) fn dot(rows: usize, dpi: f64, opaque: bool) -> (f64, f64) {
    let crowd = (rows as f64 / 2000.0).max(1.0);
    let radius = dpi / 60.0 * crowd.powf(-0.125);
    let opacity = if opaque {
        1.0
    } else {
        (0.9 * crowd.powf(-0.2)).max(0.3)
    };
    (radius.max(0.75), opacity)
}

/// Puts cells into a chart's buffers.
pub(crate) fn layer(
    cells: Cells,
    (radius, opacity): (f64, f64),
    chart: &mut itch_plugin::Chart<'static>,
) -> Layer {
    use itch_plugin::Buffer;
    let count = chart.push(Buffer::F32(cells.count.into()));
    let shade = cells
        .shade
        .map(|shade| chart.push(Buffer::U8(shade.into())));
    Layer::Cells {
        columns: cells.columns,
        rows: cells.rows,
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
        let at = |column: usize, row: usize| {
            (
                cells.count[row * 10 + column],
                cells.shade.as_ref().unwrap()[row * 10 + column],
            )
        };
        assert_eq!(at(0, 3), (1.0, 9));
        assert_eq!(at(9, 0), (1.0, 1));
        assert_eq!(at(5, 2), (2.0, 7));
        assert_eq!(at(9, 3), (1.0, 2));
        assert_eq!(cells.count.iter().sum::<f32>(), 5.0);
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
        assert!(
            line.windows(2).all(|pair| pair[0] <= pair[1])
                && count.windows(2).all(|pair| pair[0] < pair[1])
        );
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
        // More than there are columns: what is not seen between them is no gap.
        let many: Vec<_> = (0..1000).map(|at| f64::from(at) / 20.0).collect();
        let many: Vec<_> = many.iter().map(|at| (*at, at + 0.01)).collect();
        assert_eq!(seen(&many, 100), [(0.0, 49.96)]);
        assert_eq!(seen(&many, 1000).len(), 1000);
        assert_eq!(seen(&[], 100), []);
    }
}
