//! The density of points at each point: a Gaussian kernel density estimate in linear time.
//!
//! The estimate is the usual one: with `n` points, their sample covariance `S` (over `n - 1`) and Scott's factor
//! `h = n^(-1/6)`, the kernel has the covariance `h² S`, and the density at a point is the mean of the kernels around
//! all points. Summing them takes quadratic time. Instead the points are whitened, so that the kernel is round and one
//! unit wide, then binned on a grid of three bins per unit with quadratic splines, convolved with a Gaussian that is
//! cut at five standard deviations, and interpolated from the grid with the same splines. Each of the two splines adds
//! a variance of a quarter of a squared bin, which is subtracted from the kernel's. The remaining error is below one in
//! a thousand at every point.

mod moments;
mod tiles;

#[cfg(test)]
mod tests;

use itch_plugin::Scale;

use crate::parallel;
use moments::Moments;
use tiles::Tiles;

/// Bins per kernel width.
const BINS: f64 = 3.0;

/// The arrangement of the points, which decides how the density is estimated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// In a plane.
    Plane,
    /// On a line: the density is estimated along it.
    Line,
    /// All in one place, or fewer than two points: every density is the same.
    Place,
}

/// The densities at the points.
#[derive(Clone, Debug)]
pub(crate) struct Density {
    /// One per point: the share of all points in a square of one unit of each axis.
    pub(crate) values: Vec<f32>,
    /// The arrangement of the points.
    pub(crate) shape: Shape,
}

/// Points in the coordinates of the axes.
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

/// Maps a point to whitened coordinates, in which the kernel is round and one unit wide.
#[derive(Clone, Copy, Debug)]
struct Whitening {
    mean: (f64, f64),
    /// The lower triangle of a matrix.
    matrix: [f64; 3],
    /// The factor from the density of whitened points to the density of the points.
    factor: f64,
}

impl Whitening {
    fn of(moments: &Moments) -> (Whitening, Shape) {
        let n = moments.n as f64;
        let Moments { xx, xy, yy, .. } = *moments;
        let mean = moments.mean;
        // The squares of very large numbers overflow, so they have no covariance.
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
            // Along the line, measured on the axis on which it is longer; the other coordinate follows from it.
            let (variance, matrix) = if xx >= yy {
                (xx, [1.0, 0.0, 0.0])
            } else {
                (yy, [0.0, 1.0, 0.0])
            };
            let bandwidth = n.powf(-0.2) * variance.sqrt();
            let matrix = matrix.map(|entry| entry / bandwidth);
            // The grid is two-dimensional: across the line it adds the height of a kernel, which is divided out here.
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
        // One empty bin as a margin, so that the spline of the lowest point has a bin to its left.
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
