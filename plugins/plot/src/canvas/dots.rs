//! Dots on pixels: discs with soft edges, one by one, or all that were gathered on a pixel at once.

use itch_plugin::{Chart, Color, Layer, Point};

use super::pixels::{Pixels, blend};

/// A disc may begin at so many places within a pixel, each way.
const PLACES: usize = 4;
/// Above so many pixels with dots a second thread is worth its start.
const WORTH_A_THREAD: usize = 20_000;

/// How much of each pixel around its middle a disc covers, by where in a pixel the middle is.
#[derive(Clone, Debug)]
pub(crate) struct Stamps {
    /// Pixels along a side.
    size: usize,
    /// From 0 to 256, row by row.
    shares: Vec<Vec<u16>>,
}

/// The share of a pixel that a disc covers, by eight by eight places in it.
fn covered(x: f64, y: f64, radius: f64) -> f64 {
    let far = (x * x + y * y).sqrt();
    if far > radius + 0.71 {
        return 0.0;
    }
    if far < radius - 0.71 {
        return 1.0;
    }
    let inside = (0..64).filter(|place| {
        let off = |place: i32| (f64::from(place) + 0.5) / 8.0 - 0.5;
        let (x, y) = (x + off(place % 8), y + off(place / 8));
        x * x + y * y <= radius * radius
    });
    inside.count() as f64 / 64.0
}

impl Stamps {
    pub(crate) fn new(radius: f64) -> Stamps {
        let radius = radius.clamp(0.3, 200.0);
        let size = 2 * (radius + 0.5).ceil() as usize + 1;
        let middle = (size / 2) as f64;
        let shares = (0..PLACES * PLACES).map(|place| {
            let off = |place: usize| (place as f64 + 0.5) / PLACES as f64 - 0.5;
            let (x, y) = (off(place % PLACES), off(place / PLACES));
            let pixels = (0..size * size).map(|pixel| {
                let (column, row) = ((pixel % size) as f64, (pixel / size) as f64);
                (covered(column - middle - x, row - middle - y, radius) * 256.0) as u16
            });
            pixels.collect()
        });
        Stamps {
            size,
            shares: shares.collect(),
        }
    }

    /// The stamp for a disc in the middle of a pixel.
    fn centred(radius: f64) -> (usize, Vec<f64>) {
        let size = 2 * (radius + 0.5).ceil() as usize + 1;
        let middle = (size / 2) as f64;
        let pixels = (0..size * size).map(|pixel| {
            covered(
                (pixel % size) as f64 - middle,
                (pixel / size) as f64 - middle,
                radius,
            )
        });
        (size, pixels.collect())
    }

    /// Puts a disc on the canvas, within an area of whole pixels.
    pub(crate) fn put(
        &self,
        pixels: &mut Pixels,
        at: Point,
        color: Color,
        opacity: f64,
        (left, top, right, bottom): (usize, usize, usize, usize),
    ) {
        let (column, row) = (at.x.floor(), at.y.floor());
        // A point far outside has no place in a number of pixels.
        if !(column.abs() < 1e6 && row.abs() < 1e6) {
            return;
        }
        let place = |off: f64| ((off * PLACES as f64) as usize).min(PLACES - 1);
        let shares = &self.shares[place(at.y - row) * PLACES + place(at.x - column)];
        let strength = (opacity * 256.0) as u32;
        let half = (self.size / 2) as isize;
        let (column, row) = (column as isize - half, row as isize - half);
        for (down, shares) in shares.chunks_exact(self.size).enumerate() {
            let y = row + down as isize;
            if y < top as isize || y >= bottom as isize {
                continue;
            }
            for (across, share) in shares.iter().enumerate() {
                let x = column + across as isize;
                if *share > 0 && x >= left as isize && x < right as isize {
                    let place = (y as usize * pixels.width + x as usize) * 3;
                    blend(
                        &mut pixels.bytes[place..place + 3],
                        color,
                        (u32::from(*share) * strength) >> 8,
                    );
                }
            }
        }
    }
}

/// Draws a layer of dots.
pub(crate) fn draw(pixels: &mut Pixels, chart: &Chart<'_>, layer: &Layer) {
    match *layer {
        Layer::Points {
            x,
            y,
            shade,
            radius,
            opacity,
            ..
        } => {
            let stamps = Stamps::new(radius);
            let area = pixels.whole(chart.area);
            let shades = shade.map(|shade| chart.shades(shade));
            for (row, (x, y)) in chart.numbers(x).iter().zip(chart.numbers(y)).enumerate() {
                let at = Point {
                    x: chart.across(*x),
                    y: chart.down(&chart.y, *y),
                };
                stamps.put(pixels, at, color(chart, shades, row), opacity, area);
            }
        }
        Layer::Cells {
            columns,
            rows,
            count,
            shade,
            radius,
            opacity,
        } => {
            let gathered = Gathered {
                columns: columns as usize,
                rows: rows as usize,
                count: chart.small_numbers(count),
                shade: shade.map(|shade| chart.shades(shade)),
            };
            if !gathered.whole() {
                return;
            }
            match gathered.shade {
                Some(_) => shaded(pixels, chart, &gathered, radius, opacity),
                None => crowded(pixels, chart, &gathered, radius, opacity),
            }
        }
        _ => {}
    }
}

/// The colour of a dot.
pub(crate) fn color(chart: &Chart<'_>, shades: Option<&[u8]>, row: usize) -> Color {
    match (shades.and_then(|shades| shades.get(row)), &chart.color_bar) {
        (Some(shade), Some(bar)) => bar.color(*shade),
        // Too narrow a picture has no bar: the shade still shows, from the ground to the colour of dots.
        (Some(shade), None) => {
            let alpha = 40 + u16::from(*shade) * 215 / 255;
            chart
                .theme
                .dots
                .with_alpha(alpha as u8)
                .over(chart.theme.background)
        }
        (None, _) => chart.theme.dots,
    }
}

/// Dots gathered on pixels.
struct Gathered<'a> {
    columns: usize,
    rows: usize,
    count: &'a [f32],
    shade: Option<&'a [u8]>,
}

impl Gathered<'_> {
    /// Whether there is a value for each pixel.
    fn whole(&self) -> bool {
        let size = self.columns.saturating_mul(self.rows);
        size > 0 && self.count.len() == size && self.shade.is_none_or(|shade| shade.len() == size)
    }
}

/// Discs in the order of rising shades. Each thread draws the rows of its own part of the picture.
fn shaded(
    pixels: &mut Pixels,
    chart: &Chart<'_>,
    gathered: &Gathered<'_>,
    radius: f64,
    opacity: f64,
) {
    let (columns, rows) = (gathered.columns, gathered.rows);
    let Some(shades) = gathered.shade else {
        return;
    };
    let mut starts = [0usize; 257];
    for (count, shade) in gathered.count.iter().zip(shades) {
        if *count > 0.0 {
            starts[usize::from(*shade) + 1] += 1;
        }
    }
    for shade in 0..256 {
        starts[shade + 1] += starts[shade];
    }
    let occupied = starts[256];
    let mut order = vec![0u32; occupied];
    let mut next = starts;
    for (cell, (count, shade)) in gathered.count.iter().zip(shades).enumerate() {
        if *count > 0.0 {
            order[next[usize::from(*shade)]] = cell as u32;
            next[usize::from(*shade)] += 1;
        }
    }
    let colors: Vec<Color> = (0..=255)
        .map(|shade| color(chart, Some(&[shade]), 0))
        .collect();
    let (size, shares) = Stamps::centred(radius);
    // What is not covered is not visited.
    let stamp: Vec<(isize, isize, u32)> = shares
        .iter()
        .enumerate()
        .map(|(pixel, share)| {
            let half = (size / 2) as isize;
            (
                (pixel % size) as isize - half,
                (pixel / size) as isize - half,
                (share * opacity * 256.0) as u32,
            )
        })
        .filter(|(.., share)| *share > 0)
        .collect();
    let reach = (size / 2) as isize;
    let (left, top, ..) = pixels.whole(chart.area);
    let width = pixels.width;
    let across = columns.min(width.saturating_sub(left));
    let threads = if occupied < WORTH_A_THREAD {
        1
    } else {
        std::thread::available_parallelism()
            .map_or(1, usize::from)
            .min(4)
    };
    let part = rows.div_ceil(threads);
    let area = &mut pixels.bytes[top * width * 3..];
    std::thread::scope(|scope| {
        let (order, starts, colors, stamp) = (&order, &starts, &colors, &stamp);
        for (number, lines) in area.chunks_mut(part * width * 3).take(threads).enumerate() {
            let mut work = move || {
                let first = (number * part) as isize;
                let count =
                    (lines.len() / (width * 3)).min(rows - (number * part).min(rows)) as isize;
                for shade in 0..256 {
                    let color = colors[shade];
                    for cell in &order[starts[shade]..starts[shade + 1]] {
                        let (column, row) = (
                            (*cell as usize % columns) as isize,
                            (*cell as usize / columns) as isize - first,
                        );
                        if row < -reach || row >= count + reach {
                            continue;
                        }
                        for (right, down, share) in stamp {
                            let (x, y) = (column + right, row + down);
                            if x >= 0 && y >= 0 && x < across as isize && y < count {
                                let at = (y as usize * width + left + x as usize) * 3;
                                blend(&mut lines[at..at + 3], color, *share);
                            }
                        }
                    }
                }
            };
            if threads == 1 {
                work()
            } else {
                drop(scope.spawn(work))
            }
        }
    });
}

/// Dots of one colour: what shows through many of them is the product of what shows through each.
fn crowded(
    pixels: &mut Pixels,
    chart: &Chart<'_>,
    gathered: &Gathered<'_>,
    radius: f64,
    opacity: f64,
) {
    let (columns, rows) = (gathered.columns, gathered.rows);
    let (size, shares) = Stamps::centred(radius);
    let half = size / 2;
    // Logarithms, so that the product is a sum. No dot is quite opaque: the sum stays finite.
    let stamp: Vec<f32> = shares
        .iter()
        .map(|share| (1.0 - (share * opacity).min(0.999)).ln() as f32)
        .collect();
    let mut through = vec![0.0f32; columns * rows];
    for (cell, count) in gathered
        .count
        .iter()
        .enumerate()
        .filter(|(_, count)| **count > 0.0)
    {
        let (column, row) = (cell % columns, cell / columns);
        for (down, shares) in stamp.chunks_exact(size).enumerate() {
            let Some(y) = (row + down).checked_sub(half).filter(|y| *y < rows) else {
                continue;
            };
            let from = half.saturating_sub(column);
            let to = size.min(columns + half - column);
            let start = y * columns + column + from - half;
            let sums = &mut through[start..start + to - from];
            for (sum, share) in sums.iter_mut().zip(&shares[from..to]) {
                *sum += count * share;
            }
        }
    }
    let (left, top, ..) = pixels.whole(chart.area);
    let across = columns.min(pixels.width.saturating_sub(left));
    for (row, sums) in through
        .chunks_exact(columns)
        .enumerate()
        .take(pixels.height.saturating_sub(top))
    {
        let start = ((top + row) * pixels.width + left) * 3;
        let line = &mut pixels.bytes[start..start + across * 3];
        for (pixel, sum) in line.chunks_exact_mut(3).zip(sums) {
            if *sum < 0.0 {
                blend(pixel, chart.theme.dots, ((1.0 - sum.exp()) * 256.0) as u32);
            }
        }
    }
}
