//! A sparse grid of bins: only the tiles that have points in them are stored.
//!
//! Data with a long tail makes the grid large and mostly empty: of a million follower counts the largest are hundreds
//! of standard deviations away from the mean.

use std::collections::HashMap;

use super::BINS;
use crate::parallel;

/// Bins per side of a tile.
const TILE: usize = 64;
/// A tile has one more bin on every side, so that a spline never reaches beyond its tile.
const SIDE: usize = TILE + 2;
/// How far the kernel reaches, in bins: five standard deviations.
const REACH: usize = 15;
/// The side of the square that is gathered around a tile to smooth it.
const AROUND: usize = SIDE + 2 * REACH;
/// With more tiles than this, a table of all tiles would be larger than the tiles with points in them.
const TABLE: usize = 1 << 22;

/// No tile.
const NONE: u32 = u32::MAX;

/// The index of each tile by its key.
#[derive(Clone, Debug)]
enum Directory {
    Table(Vec<u32>),
    Map(HashMap<usize, u32>),
}

impl Directory {
    fn get(&self, key: usize) -> u32 {
        match self {
            Directory::Table(table) => table[key],
            Directory::Map(map) => map.get(&key).copied().unwrap_or(NONE),
        }
    }

    fn set(&mut self, key: usize, tile: u32) {
        match self {
            Directory::Table(table) => table[key] = tile,
            Directory::Map(map) => {
                map.insert(key, tile);
            }
        }
    }
}

/// Which tiles are stored.
#[derive(Clone, Debug)]
struct Places {
    columns: usize,
    rows: usize,
    directory: Directory,
    keys: Vec<usize>,
}

impl Places {
    fn neighbour(&self, key: usize, right: isize, down: isize) -> Option<usize> {
        let column = (key % self.columns).checked_add_signed(right)?;
        let row = (key / self.columns).checked_add_signed(down)?;
        (column < self.columns && row < self.rows).then_some(row * self.columns + column)
    }
}

/// The weights of the points on the bins.
#[derive(Clone, Debug)]
pub(crate) struct Tiles {
    places: Places,
    cells: Vec<f64>,
}

/// The densities on the bins of the same tiles.
#[derive(Clone, Debug)]
pub(crate) struct Smooth {
    places: Places,
    cells: Vec<f32>,
}

/// The nearest bin, and the weights of it and its two neighbours.
fn spline(place: f64) -> (usize, [f64; 3]) {
    let bin = (place + 0.5) as usize;
    let off = place - bin as f64;
    let (below, above) = (0.5 - off, 0.5 + off);
    (bin, [0.5 * below * below, 0.75 - off * off, 0.5 * above * above])
}

impl Tiles {
    /// An empty grid of so many bins.
    pub(crate) fn new((width, height): (usize, usize)) -> Tiles {
        let columns = width / TILE + 1;
        let rows = height / TILE + 1;
        let directory = if columns.saturating_mul(rows) <= TABLE {
            Directory::Table(vec![NONE; columns * rows])
        } else {
            Directory::Map(HashMap::new())
        };
        Tiles {
            places: Places {
                columns,
                rows,
                directory,
                keys: Vec::new(),
            },
            cells: Vec::new(),
        }
    }

    /// The tile with this key; created if necessary.
    fn tile(&mut self, key: usize) -> usize {
        let found = self.places.directory.get(key);
        if found != NONE {
            return found as usize;
        }
        let tile = self.places.keys.len();
        self.places.directory.set(key, tile as u32);
        self.places.keys.push(key);
        self.cells.resize((tile + 1) * SIDE * SIDE, 0.0);
        tile
    }

    /// Adds a point at a position in bins.
    pub(crate) fn add(&mut self, (x, y): (f64, f64)) {
        let ((column, across), (row, down)) = (spline(x), spline(y));
        let key = row / TILE * self.places.columns + column / TILE;
        let tile = self.tile(key);
        let first = tile * SIDE * SIDE + row % TILE * SIDE + column % TILE;
        for (line, weight) in down.into_iter().enumerate() {
            let from = first + line * SIDE;
            for (cell, share) in self.cells[from..from + 3].iter_mut().zip(across) {
                *cell += weight * share;
            }
        }
    }

    /// Adds the weights of another grid of the same size.
    pub(crate) fn merge(&mut self, other: &Tiles) {
        let tiles = other.cells.chunks_exact(SIDE * SIDE);
        for (key, cells) in other.places.keys.iter().zip(tiles) {
            let tile = self.tile(*key);
            let ours = &mut self.cells[tile * SIDE * SIDE..(tile + 1) * SIDE * SIDE];
            for (cell, weight) in ours.iter_mut().zip(cells) {
                *cell += weight;
            }
        }
    }

    /// Moves the weights in the outer bins of a tile to the tiles that these bins belong to.
    fn fold(&mut self) {
        let mut next = 0;
        // Tiles created here have no weights in their outer bins, so they need not be visited.
        let with_points = self.places.keys.len();
        while next < with_points {
            let key = self.places.keys[next];
            for row in 0..SIDE {
                let step = if row == 0 || row == SIDE - 1 { 1 } else { SIDE - 1 };
                for column in (0..SIDE).step_by(step) {
                    let from = next * SIDE * SIDE + row * SIDE + column;
                    let weight = std::mem::take(&mut self.cells[from]);
                    if weight == 0.0 {
                        continue;
                    }
                    let side = |place: usize| match place {
                        0 => (-1, TILE),
                        place if place == SIDE - 1 => (1, 1),
                        place => (0, place),
                    };
                    let ((down, row), (right, column)) = (side(row), side(column));
                    if (down, right) == (0, 0) {
                        self.cells[from] += weight;
                    } else if let Some(key) = self.places.neighbour(key, right, down) {
                        let tile = self.tile(key);
                        self.cells[tile * SIDE * SIDE + row * SIDE + column] += weight;
                    }
                }
            }
            next += 1;
        }
    }

    /// Copies the bins of a tile and of the parts of its neighbours that the kernel reaches.
    fn gather(&self, key: usize, around: &mut [f64]) {
        around.fill(0.0);
        // How many bins the square begins before the first bin of the tile.
        let before = REACH + 1;
        for down in -1..=1 {
            for right in -1..=1 {
                let key = self.places.neighbour(key, right, down);
                let tile = key.map_or(NONE, |key| self.places.directory.get(key));
                if tile == NONE {
                    continue;
                }
                let cells = &self.cells[tile as usize * SIDE * SIDE..][..SIDE * SIDE];
                let part = |side: isize| match side {
                    -1 => (TILE - before..TILE, 0),
                    0 => (0..TILE, before),
                    _ => (0..before, before + TILE),
                };
                let ((rows, to_row), (columns, to_column)) = (part(down), part(right));
                for (number, row) in rows.enumerate() {
                    let from = &cells[(row + 1) * SIDE + 1..][columns.clone()];
                    let to = (to_row + number) * AROUND + to_column;
                    around[to..to + from.len()].copy_from_slice(from);
                }
            }
        }
    }

    /// Convolves with the kernel, reduced by the blur of the splines.
    pub(crate) fn convolve(mut self) -> Smooth {
        self.fold();
        let variance = BINS * BINS - 2.0 * 0.25;
        let kernel: Vec<f64> = (0..=2 * REACH)
            .map(|place| {
                let off = place as f64 - REACH as f64;
                (-off * off / (2.0 * variance)).exp() / (2.0 * std::f64::consts::PI * variance).sqrt()
            })
            .collect();
        let mut cells = vec![0.0f32; self.places.keys.len() * SIDE * SIDE];
        let threads = parallel::threads(usize::MAX).max(1);
        let part = self.places.keys.len().div_ceil(threads).max(1);
        std::thread::scope(|scope| {
            let (tiles, kernel) = (&self, &kernel);
            let parts = cells.chunks_mut(part * SIDE * SIDE);
            for (keys, cells) in self.places.keys.chunks(part).zip(parts) {
                let mut work = move || {
                    let mut around = vec![0.0; AROUND * AROUND];
                    let mut half = vec![0.0; AROUND * SIDE];
                    for (key, cells) in keys.iter().zip(cells.chunks_exact_mut(SIDE * SIDE)) {
                        tiles.gather(*key, &mut around);
                        smooth(&around, kernel, &mut half, cells);
                    }
                };
                // For a few tiles, starting a thread would take longer than smoothing them.
                if tiles.places.keys.len() < 8 {
                    work();
                } else {
                    scope.spawn(work);
                }
            }
        });
        Smooth {
            places: self.places,
            cells,
        }
    }
}

/// The kernel is separable: two one-dimensional passes.
fn smooth(around: &[f64], kernel: &[f64], half: &mut [f64], cells: &mut [f32]) {
    half.fill(0.0);
    for (from, to) in around.chunks_exact(AROUND).zip(half.chunks_exact_mut(SIDE)) {
        if from.iter().all(|weight| *weight == 0.0) {
            continue;
        }
        for (off, weight) in kernel.iter().enumerate() {
            for (sum, value) in to.iter_mut().zip(&from[off..off + SIDE]) {
                *sum += weight * value;
            }
        }
    }
    let mut sums = [0.0; SIDE];
    for (row, cells) in cells.chunks_exact_mut(SIDE).enumerate() {
        sums.fill(0.0);
        for (off, weight) in kernel.iter().enumerate() {
            let from = &half[(row + off) * SIDE..(row + off + 1) * SIDE];
            for (sum, value) in sums.iter_mut().zip(from) {
                *sum += weight * value;
            }
        }
        for (cell, sum) in cells.iter_mut().zip(sums) {
            *cell = sum as f32;
        }
    }
}

impl Smooth {
    /// The density at a position in bins at which a point was added.
    pub(crate) fn read(&self, (x, y): (f64, f64)) -> f64 {
        let ((column, across), (row, down)) = (spline(x), spline(y));
        let tile = self
            .places
            .directory
            .get(row / TILE * self.places.columns + column / TILE);
        if tile == NONE {
            return 0.0;
        }
        let first = tile as usize * SIDE * SIDE + row % TILE * SIDE + column % TILE;
        let mut sum = 0.0;
        for (line, weight) in down.into_iter().enumerate() {
            let from = first + line * SIDE;
            for (cell, share) in self.cells[from..from + 3].iter().zip(across) {
                sum += weight * share * f64::from(*cell);
            }
        }
        sum
    }

    /// How many tiles are stored.
    #[cfg(test)]
    pub(crate) fn tiles(&self) -> usize {
        self.places.keys.len()
    }
}
