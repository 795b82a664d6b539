//! Draws dots on pixels: antialiased discs, single ones or all dots that were counted on a pixel at once.

use itch_plugin::{Chart, Color, Layer, Point};

use super::paint::{Area, RUN, blend};
use super::stripe::Stripe;

/// A disc is drawn at one of so many subpixel offsets in each direction.
const PLACES: usize = 4;

/// The share of a pixel that a disc covers, from eight by eight samples.
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

/// How much of each pixel a disc covers: a square of pixels, row by row.
#[derive(Clone, Debug)]
struct Stamp {
    /// The side of the square in pixels.
    size: usize,
    shares: Vec<f64>,
}

impl Stamp {
    /// A disc whose centre is off the centre of the middle pixel by so much of a pixel.
    fn new(radius: f64, (x, y): (f64, f64)) -> Stamp {
        let radius = radius.clamp(0.3, 200.0);
        let size = 2 * (radius + 0.5).ceil() as usize + 1;
        let middle = (size / 2) as f64;
        let pixels = (0..size * size).map(|pixel| {
            let (column, row) = ((pixel % size) as f64, (pixel / size) as f64);
            covered(column - middle - x, row - middle - y, radius)
        });
        Stamp {
            size,
            shares: pixels.collect(),
        }
    }
}

/// A stamp multiplied with an opacity.
#[derive(Clone, Debug)]
struct Disc {
    size: usize,
    rows: Vec<Row>,
}

/// A row of a disc.
#[derive(Clone, Debug)]
struct Row {
    /// The first column that is covered, and the one after the last.
    span: (isize, isize),
    /// How much of 256 each byte is covered; 0 after the end of the disc.
    shares: Vec<[u16; RUN]>,
}

impl Disc {
    fn new(stamp: &Stamp, opacity: f64) -> Disc {
        let strength = (opacity * 256.0) as u32;
        let share = |share: &f64| (((share * 256.0) as u32 * strength) >> 8) as u16;
        let rows = stamp.shares.chunks_exact(stamp.size).map(|row| {
            let mut shares = vec![[0; RUN]; (3 * stamp.size).div_ceil(RUN)];
            let bytes = shares.as_flattened_mut().as_chunks_mut::<3>().0;
            for (bytes, covered) in bytes.iter_mut().zip(row) {
                *bytes = [share(covered); 3];
            }
            let covered = |covered: &f64| share(covered) > 0;
            let from = row.iter().position(covered).unwrap_or(0);
            let to = row.iter().rposition(covered).map_or(0, |place| place + 1);
            Row {
                span: (from as isize, to as isize),
                shares,
            }
        });
        Disc {
            size: stamp.size,
            rows: rows.collect(),
        }
    }

    /// Draws the disc on a stripe, with the corner of its square on this pixel, clipped to an area.
    fn put(&self, stripe: &mut Stripe<'_>, area: Area, (column, row): (isize, isize), ink: &[u16; RUN]) {
        let rows = stripe.within(area);
        let (top, bottom) = (rows.start as isize, rows.end as isize);
        if row + self.size as isize <= top || row >= bottom {
            return;
        }
        let (left, right) = (area.left as isize, area.right as isize);
        let whole = column >= left && column + self.size as isize <= right;
        let first = (top - row).max(0) as usize;
        for (y, disc) in (row.max(top)..bottom).zip(self.rows.iter().skip(first)) {
            let (from, to) = disc.span;
            if from >= to {
                continue;
            }
            // Pixels beside the disc have a share of 0 and do not change, so whole runs can be mixed if the row is long
            // enough.
            let room = stripe.beside(y as usize, column, disc.shares.len() * RUN);
            if let Some(bytes) = room.filter(|_| whole) {
                for (run, shares) in bytes.as_chunks_mut().0.iter_mut().zip(&disc.shares) {
                    mix_run(run, shares, ink);
                }
                continue;
            }
            let (from, to) = (from.max(left - column), to.min(right - column));
            if from >= to {
                continue;
            }
            let columns = (column + from) as usize..(column + to) as usize;
            let shares = disc.shares.as_flattened().iter().step_by(3);
            let pixels = stripe.pixels(y as usize, columns).iter_mut();
            for (pixel, share) in pixels.zip(shares.skip(from as usize)) {
                blend(pixel, [ink[0] as u8, ink[1] as u8, ink[2] as u8], u32::from(*share));
            }
        }
    }
}

/// A colour, repeated to fill a run.
fn ink(color: [u8; 3]) -> [u16; RUN] {
    std::array::from_fn(|place| u16::from(color[place % 3]))
}

/// Mixes ink into a run of bytes, each by its share.
fn mix_run(run: &mut [u8; RUN], shares: &[u16; RUN], ink: &[u16; RUN]) {
    // All bytes are read before any is written, so that the compiler can vectorize this.
    let mut mixed = run.map(u16::from);
    for ((byte, share), ink) in mixed.iter_mut().zip(shares).zip(ink) {
        *byte = (*byte * (256 - share) + ink * share + 128) >> 8;
    }
    *run = mixed.map(|byte| byte as u8);
}

/// A single dot.
#[derive(Clone, Copy, Debug)]
struct Dot {
    /// The pixel of the corner of its square.
    column: i32,
    row: i32,
    /// The index of the disc for its subpixel offset.
    place: u8,
    color: [u8; 3],
}

/// Single dots of one size.
#[derive(Clone, Debug)]
pub(super) struct Dots {
    area: Area,
    half: i32,
    /// One disc for each subpixel offset of the centre.
    discs: Vec<Disc>,
    spots: Vec<Dot>,
}

impl Dots {
    pub(super) fn new(radius: f64, opacity: f64, area: Area) -> Dots {
        let off = |place: usize| (place as f64 + 0.5) / PLACES as f64 - 0.5;
        let stamps = (0..PLACES * PLACES).map(|place| Stamp::new(radius, (off(place % PLACES), off(place / PLACES))));
        let discs: Vec<Disc> = stamps.map(|stamp| Disc::new(&stamp, opacity)).collect();
        Dots {
            area,
            half: discs.first().map_or(0, |disc| disc.size as i32 / 2),
            discs,
            spots: Vec::new(),
        }
    }

    /// The dots of a layer of points.
    pub(super) fn of(chart: &Chart<'_>, layer: &Layer, area: Area) -> Option<Dots> {
        let Layer::Points {
            x,
            y,
            shade,
            radius,
            opacity,
            ..
        } = *layer
        else {
            return None;
        };
        let mut spots = Dots::new(radius, opacity, area);
        let shades = shade.map(|shade| chart.shades(shade));
        for (row, (x, y)) in chart.numbers(x).iter().zip(chart.numbers(y)).enumerate() {
            let at = Point {
                x: chart.across(*x),
                y: chart.down(&chart.y, *y),
            };
            spots.add(at, color(chart, shades, row));
        }
        Some(spots)
    }

    pub(super) fn add(&mut self, at: Point, color: Color) {
        let (column, row) = (at.x.floor(), at.y.floor());
        // The position of a dot far outside does not fit in an integer.
        if !(column.abs() < 1e6 && row.abs() < 1e6) {
            return;
        }
        let place = |off: f64| ((off * PLACES as f64) as usize).min(PLACES - 1);
        self.spots.push(Dot {
            column: column as i32 - self.half,
            row: row as i32 - self.half,
            place: (place(at.y - row) * PLACES + place(at.x - column)) as u8,
            color: color.bytes(),
        });
    }

    pub(super) fn draw(&self, stripe: &mut Stripe<'_>) {
        for spot in &self.spots {
            let corner = (spot.column as isize, spot.row as isize);
            let disc = &self.discs[usize::from(spot.place)];
            disc.put(stripe, self.area, corner, &ink(spot.color));
        }
    }
}

/// The colour of a dot.
pub(crate) fn color(chart: &Chart<'_>, shades: Option<&[u8]>, row: usize) -> Color {
    match (shades.and_then(|shades| shades.get(row)), &chart.color_bar) {
        (Some(shade), Some(bar)) => bar.color(*shade),
        // A picture that is too narrow has no colour bar: shades then run from the background to the colour of dots.
        (Some(shade), None) => {
            let alpha = 40 + u16::from(*shade) * 215 / 255;
            chart.theme.dots.with_alpha(alpha as u8).over(chart.theme.background)
        }
        (None, _) => chart.theme.dots,
    }
}

/// Dots that were counted per pixel. The counts stay in the buffers of the chart.
#[derive(Clone, Debug)]
pub(super) struct Cells {
    area: Area,
    columns: usize,
    place: usize,
    count: usize,
    ink: Ink,
}

#[derive(Clone, Debug)]
enum Ink {
    /// A colour for each shade; the shades are in a buffer of the chart.
    Shades {
        shade: usize,
        colors: Vec<[u16; RUN]>,
        disc: Disc,
    },
    /// One colour for all. `through` holds the logarithm of what shines through a disc at each pixel, so that the sum
    /// over all discs is the logarithm of what shines through all of them.
    OneColor {
        color: [u8; 3],
        size: usize,
        through: Vec<f32>,
    },
}

impl Cells {
    /// The dots of a layer of cells, if its pixels are within an area and each has all values.
    pub(super) fn of(chart: &Chart<'_>, layer: &Layer, area: Area) -> Option<Cells> {
        let Layer::Cells {
            columns,
            rows,
            place,
            count,
            shade,
            radius,
            opacity,
        } = *layer
        else {
            return None;
        };
        let (columns, rows) = (columns as usize, rows as usize);
        let places = chart.whole_numbers(place);
        let last = *places.last()? as usize;
        let whole = last < columns.saturating_mul(rows)
            && places.is_sorted()
            && chart.whole_numbers(count).len() == places.len()
            && shade.is_none_or(|shade| chart.shades(shade).len() == places.len());
        if !whole {
            return None;
        }
        let stamp = Stamp::new(radius, (0.0, 0.0));
        let ink = match shade {
            Some(shade) => Ink::Shades {
                shade,
                colors: (0..=255)
                    .map(|shade| ink(color(chart, Some(&[shade]), 0).bytes()))
                    .collect(),
                disc: Disc::new(&stamp, opacity),
            },
            None => Ink::OneColor {
                color: chart.theme.dots.bytes(),
                size: stamp.size,
                // No dot is fully opaque, so that the sum stays finite.
                through: stamp
                    .shares
                    .iter()
                    .map(|share| (1.0 - (share * opacity).min(0.999)).ln() as f32)
                    .collect(),
            },
        };
        let area = Area {
            right: area.right.min(area.left + columns),
            bottom: area.bottom.min(area.top + rows),
            ..area
        };
        Some(Cells {
            area,
            columns,
            place,
            count,
            ink,
        })
    }

    /// Draws the part that reaches a stripe.
    pub(super) fn draw(&self, chart: &Chart<'_>, stripe: &mut Stripe<'_>) {
        let here = stripe.within(self.area);
        if here.is_empty() {
            return;
        }
        let places = chart.whole_numbers(self.place);
        // The cells whose discs reach the rows of the stripe.
        let reaching = |half: usize| {
            let from = here.start.saturating_sub(self.area.top + half);
            let to = here.end - self.area.top + half;
            let before =
                |row: usize| places.partition_point(|place| (*place as usize) < row.saturating_mul(self.columns));
            before(from)..before(to)
        };
        match &self.ink {
            Ink::Shades { shade, colors, disc } => {
                let half = disc.size / 2;
                let cells = reaching(half);
                let shades = &chart.shades(*shade)[cells.clone()];
                for (place, shade) in by_shade(&places[cells], shades) {
                    let (column, row) = (place % self.columns, place / self.columns);
                    let corner = (
                        (self.area.left + column) as isize - half as isize,
                        (self.area.top + row) as isize - half as isize,
                    );
                    disc.put(stripe, self.area, corner, &colors[usize::from(shade)]);
                }
            }
            Ink::OneColor { color, size, through } => {
                let cells = reaching(size / 2);
                let counts = &chart.whole_numbers(self.count)[cells.clone()];
                let sums = self.through((&places[cells], counts), &here, *size, through);
                for (row, sums) in here.zip(sums.chunks_exact(self.columns)) {
                    let pixels = stripe.pixels(row, self.area.left..self.area.right);
                    for (pixel, sum) in pixels.iter_mut().zip(sums) {
                        if *sum < 0.0 {
                            blend(pixel, *color, ((1.0 - sum.exp()) * 256.0) as u32);
                        }
                    }
                }
            }
        }
    }

    /// The sums of the logarithms on some rows of the picture.
    fn through(
        &self,
        (places, counts): (&[u32], &[u32]),
        here: &std::ops::Range<usize>,
        size: usize,
        stamp: &[f32],
    ) -> Vec<f32> {
        let (columns, half) = (self.columns, size / 2);
        let first = here.start - self.area.top;
        let mut sums = vec![0.0f32; here.len() * columns];
        for (place, count) in places.iter().zip(counts) {
            let (column, row) = (*place as usize % columns, *place as usize / columns);
            let count = *count as f32;
            for (down, shares) in stamp.chunks_exact(size).enumerate() {
                let Some(y) = (row + down).checked_sub(half + first) else {
                    continue;
                };
                if y >= here.len() {
                    break;
                }
                let from = half.saturating_sub(column);
                let to = size.min(columns + half - column);
                let start = y * columns + column + from - half;
                let sums = &mut sums[start..start + to - from];
                for (sum, share) in sums.iter_mut().zip(&shares[from..to]) {
                    *sum += count * share;
                }
            }
        }
        sums
    }
}

/// The cells in the order of rising shades.
fn by_shade(places: &[u32], shades: &[u8]) -> impl Iterator<Item = (usize, u8)> {
    let mut next = [0usize; 257];
    for shade in shades {
        next[usize::from(*shade) + 1] += 1;
    }
    for shade in 0..256 {
        next[shade + 1] += next[shade];
    }
    let mut order = vec![(0u32, 0u8); shades.len()];
    for (place, shade) in places.iter().zip(shades) {
        let next = &mut next[usize::from(*shade)];
        order[*next] = (*place, *shade);
        *next += 1;
    }
    order.into_iter().map(|(place, shade)| (place as usize, shade))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disc on a picture of 40 by 20 pixels, clipped to an area.
    fn drawn(radius: f64, corner: (isize, isize), area: Area) -> Vec<u8> {
        let mut bytes: Vec<u8> = (0..2400).map(|place| (place * 7 % 251) as u8).collect();
        let mut stripe = Stripe {
            width: 40,
            rows: 0..20,
            bytes: &mut bytes,
        };
        let disc = Disc::new(&Stamp::new(radius, (0.0, 0.0)), 0.7);
        disc.put(&mut stripe, area, corner, &ink([250, 3, 120]));
        bytes
    }

    /// Drawing whole runs and single pixels gives the same result, and nothing outside the area changes.
    #[test]
    fn a_disc_that_is_cut_off_is_the_same_within() {
        let whole = Area {
            left: 0,
            top: 0,
            right: 40,
            bottom: 20,
        };
        for radius in [0.5, 1.8, 3.0, 6.0] {
            for column in [3, 12, 24] {
                let all = drawn(radius, (column, 4), whole);
                let before = drawn(radius, (column, 100), whole);
                assert_ne!(all, before);
                let area = Area {
                    left: column as usize + 1,
                    right: column as usize + 2 + radius as usize,
                    bottom: 7,
                    ..whole
                };
                let cut = drawn(radius, (column, 4), area);
                for (place, byte) in cut.iter().enumerate() {
                    let (x, y) = (place / 3 % 40, place / 120);
                    let inside = (area.left..area.right).contains(&x) && y < area.bottom;
                    let wanted = if inside { all[place] } else { before[place] };
                    assert_eq!(*byte, wanted, "{radius} at {x}, {y}");
                }
            }
        }
    }
}
