//! How dense the points are at each point: a Gaussian kernel density estimate in time proportional to their number.
//!
//! The estimate is that of the textbook: with `n` points, their sample covariance `S` (over `n - 1`) and Scott's factor
//! `h = n^(-1/6)`, the kernel has the covariance `h² S`, and the density at a point is the mean of the kernels about all
//! points. Summing them is quadratic. Instead the points are whitened, so that the kernel is round and one unit wide,
//! binned on a grid of three bins a unit with quadratic splines, convolved with a Gaussian that is cut at five of its
//! standard deviations, and read off the grid again with the same splines. Each of the two splines blurs by a variance
//! of a quarter of a bin squared, which is taken off the kernel's. What is left is an error below one in a thousand at
//! every point.

mod moments;
mod tiles;

#[cfg(test)]
mod tests;

use itch_plugin::Scale;

use crate::parallel;
use moments::Moments;
use tiles::Tiles;

/// Bins in the width of a kernel.
const BINS: f64 = 3.0;

/// How the points lie, which decides the estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// In a plane.
    Plane,
    /// On a line: the estimate is that along it.
    Line,
    /// All in one place, or fewer than two: every density is the same.
    Place,
}

/// The densities at the points.
#[derive(Clone, Debug)]
pub(crate) struct Density {
    /// One a point: the share of all points in a square of one unit of each axis.
    pub(crate) values: Vec<f32>,
    /// How the points lie.
    pub(crate) shape: Shape,
}

/// Points as the axes are divided.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Points<'a> {
    pub(crate) x: &'a [f64],
    pub(crate) y: &'a [f64],
    pub(crate) scales: (Scale, Scale),
}

impl Points<'_> {
    fn len(&self) -> usize {
        self.x.len().min(self.y.len())
    }

    fn at(&self, place: usize) -> (f64, f64) {
        (self.scales.0.of(self.x[place]), self.scales.1.of(self.y[place]))
    }
}

/// From a point to its place among the whitened ones, where the kernel is round and one unit wide.
#[derive(Clone, Copy, Debug)]
struct Whitening {
    mean: (f64, f64),
    /// The lower triangle of a matrix.
    matrix: [f64; 3],
    /// What the density of whitened points is multiplied with.
    factor: f64,
}

impl Whitening {
    fn of(moments: &Moments) -> (Whitening, Shape) {
        let n = moments.n as f64;
        let Moments { xx, xy, yy, .. } = *moments;
        let mean = moments.mean;
        // Numbers so large that their squares are not finite have no covariance either.
        let finite = (xx + xy + yy).is_finite();
        if moments.n < 2 || !finite || (xx <= 0.0 && yy <= 0.0) {
            let matrix = [0.0; 3];
            let factor = 0.0;
            return (Whitening { mean, matrix, factor }, Shape::Place);
        }
        let independent = if xx > 0.0 && yy > 0.0 {
            1.0 - (xy / xx) * (xy / yy)
        } else {
            0.0
        };
        if moments.n < 3 || independent < 1e-12 {
            // Along the line, by whichever axis it goes farther on; the other coordinate follows from it.
            let (variance, matrix) = if xx >= yy {
                (xx, [1.0, 0.0, 0.0])
            } else {
                (yy, [0.0, 1.0, 0.0])
            };
            let bandwidth = n.powf(-0.2) * variance.sqrt();
            let matrix = matrix.map(|entry| entry / bandwidth);
            // What the grid adds across the line is the height of a kernel there.
            let factor = (2.0 * std::f64::consts::PI).sqrt() / bandwidth / n;
            return (Whitening { mean, matrix, factor }, Shape::Line);
        }
        let scott = n.powf(-1.0 / 6.0);
        let a = xx.sqrt() * scott;
        let b = xy / xx.sqrt() * scott;
        let c = (yy * independent).sqrt() * scott;
        let matrix = [1.0 / a, -b / (a * c), 1.0 / c];
        let factor = 1.0 / (a * c) / n;
        (Whitening { mean, matrix, factor }, Shape::Plane)
    }

    fn apply(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let (x, y) = (x - self.mean.0, y - self.mean.1);
        let [a, b, c] = self.matrix;
        if c == 0.0 {
            return (a * x + b * y, 0.0);
        }
        (a * x, b * x + c * y)
    }
}

/// Estimates the density at every point.
pub(crate) fn estimate(points: Points<'_>) -> Density {
    let n = points.len();
    let moments = Moments::of(points);
    let (whitening, shape) = Whitening::of(&moments);
    if shape == Shape::Place {
        let values = vec![1.0; n];
        return Density { values, shape };
    }
    let corners = moments.corners.map(|corner| whitening.apply(corner));
    let low = corners
        .iter()
        .fold((f64::MAX, f64::MAX), |low, corner| (low.0.min(corner.0), low.1.min(corner.1)));
    let high = corners
        .iter()
        .fold((f64::MIN, f64::MIN), |high, corner| (high.0.max(corner.0), high.1.max(corner.1)));
    let bin = |place: usize| {
        let (x, y) = whitening.apply(points.at(place));
        // One bin of air, so that the spline of the lowest point has a bin to the left of it.
        ((x - low.0) * BINS + 1.0, (y - low.1) * BINS + 1.0)
    };
    let size = |low: f64, high: f64| ((high - low) * BINS) as usize + 4;
    let size = (size(low.0, high.0), size(low.1, high.1));
    let grids = parallel::map(n, |range| {
        let mut tiles = Tiles::new(size);
        range.for_each(|place| tiles.add(bin(place)));
        tiles
    });
    let mut grids = grids.into_iter();
    let Some(mut tiles) = grids.next() else {
        let values = Vec::new();
        return Density { values, shape };
    };
    grids.for_each(|other| tiles.merge(&other));
    let smooth = tiles.convolve();
    let factor = whitening.factor * BINS * BINS;
    let mut values = vec![0.0f32; n];
    parallel::fill(&mut values, |range, values| {
        for (place, value) in range.zip(values) {
            *value = (smooth.read(bin(place)) * factor) as f32;
        }
    });
    Density { values, shape }
}
