//! Compares the estimate with the sum over all pairs, and tests points without an estimate.

use super::*;

/// Random numbers from a fixed seed.
struct Dice(u64);

impl Dice {
    fn uniform(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let bits = (self.0 >> 33) ^ (self.0 >> 15);
        (bits & 0x7fff_ffff) as f64 / f64::from(0x8000_0000u32)
    }

    fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// Like followers: they arrive over years, with accounts of every age, and a wave of new accounts in half an hour.
fn followers(n: usize) -> (Vec<f64>, Vec<f64>) {
    let mut dice = Dice(7);
    let mut x = Vec::new();
    let mut y = Vec::new();
    for number in 0..n {
        let followed = 1.47e9 + dice.uniform() * 6e5 + dice.normal() * 1e4;
        let (followed, age) = match number % 5 {
            0 => (1.4703e9 + dice.uniform() * 2000.0, 8e5 + dice.uniform() * 2e5),
            _ => (followed, dice.uniform().powi(2) * 1.2e8),
        };
        x.push(followed);
        y.push(followed - age);
    }
    (x, y)
}

/// The sum over all pairs, for some of the points.
fn exact(x: &[f64], y: &[f64], every: usize) -> Vec<f64> {
    let n = x.len() as f64;
    let mean = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let sum = |a: &[f64], am: f64, b: &[f64], bm: f64| {
        a.iter().zip(b).map(|(a, b)| (a - am) * (b - bm)).sum::<f64>() / (n - 1.0)
    };
    let scott = n.powf(-1.0 / 3.0);
    let xx = sum(x, mean.0, x, mean.0) * scott;
    let xy = sum(x, mean.0, y, mean.1) * scott;
    let yy = sum(y, mean.1, y, mean.1) * scott;
    let determinant = xx * yy - xy * xy;
    let height = 1.0 / (std::f64::consts::TAU * determinant.sqrt() * n);
    let at = |place: usize| {
        let pairs = x.iter().zip(y);
        pairs
            .map(|(px, py)| {
                let (dx, dy) = (x[place] - px, y[place] - py);
                (-0.5 * (dx * dx * yy - 2.0 * dx * dy * xy + dy * dy * xx) / determinant).exp()
            })
            .sum::<f64>()
            * height
    };
    (0..x.len()).step_by(every).map(at).collect()
}

fn plain<'a>(x: &'a [f64], y: &'a [f64]) -> Points<'a> {
    Points {
        x,
        y,
        scales: (Scale::Linear, Scale::Linear),
    }
}

/// The largest and the mean relative error.
fn errors(n: usize, every: usize) -> (f64, f64) {
    let (x, y) = followers(n);
    let ours = estimate(plain(&x, &y));
    let exact = exact(&x, &y, every);
    let errors: Vec<f64> = ours
        .values
        .iter()
        .step_by(every)
        .zip(&exact)
        .map(|(ours, exact)| (f64::from(*ours) / exact - 1.0).abs())
        .collect();
    let mean = errors.iter().sum::<f64>() / errors.len() as f64;
    (errors.iter().copied().fold(0.0, f64::max), mean)
}

#[test]
fn it_is_the_sum_over_all_pairs_within_one_in_a_thousand() {
    for (n, every) in [(3, 1), (10, 1), (1000, 1), (5000, 1), (200_000, 2000)] {
        let (worst, mean) = errors(n, every);
        assert!(worst < 0.01 && mean < 0.001, "{n}: {worst} {mean}");
    }
}

/// The error for a million points: `cargo test --release -p itch-chart -- --ignored million --nocapture`.
#[test]
#[ignore = "two thousand times a million kernels"]
fn it_holds_for_a_million() {
    for (n, every) in [(1000, 1), (5000, 1), (1_000_000, 500)] {
        let (worst, mean) = errors(n, every);
        println!("{n} rows: at most {worst:.2e}, {mean:.2e} in the mean");
        assert!(worst < 0.01 && mean < 0.001);
    }
}

#[test]
fn a_long_tail_stays_small() {
    let mut dice = Dice(3);
    let n = 200_000;
    let x: Vec<f64> = (0..n).map(|_| dice.normal()).collect();
    let y: Vec<f64> = (0..n).map(|_| (1.0 - dice.uniform()).powf(-1.1)).collect();
    let moments = Moments::of(plain(&x, &y));
    let farthest = y.iter().copied().fold(0.0, f64::max) / moments.yy.sqrt();
    assert!(farthest > 100.0, "{farthest}");
    let density = estimate(plain(&x, &y));
    assert!(density.values.iter().all(|value| value.is_finite() && *value > 0.0));
    let mut tiles = Tiles::new((40_000, 40_000));
    for place in 0..400 {
        tiles.add((place as f64 * 99.0 + 1.0, 20_000.0));
    }
    assert!(tiles.convolve().tiles() < 1300);
}

#[test]
fn clouds_without_an_estimate_have_one_all_the_same() {
    let cases: [(&[f64], &[f64], Shape); 8] = [
        (&[], &[], Shape::Place),
        (&[1.0], &[2.0], Shape::Place),
        (&[1.4e9; 5], &[7.0; 5], Shape::Place),
        (&[1.0, 2.0], &[1.0, 5.0], Shape::Line),
        (&[1.0, 2.0, 3.0, 9.0], &[5.0; 4], Shape::Line),
        (&[1.4e9; 4], &[1.0, 2.0, 3.0, 4.0], Shape::Line),
        (&[1.0, 2.0, 3.0, 9.0], &[3.0, 5.0, 7.0, 19.0], Shape::Line),
        (&[0.0, 1.0, 0.0, 1e300], &[0.0, 0.0, 1.0, 1e300], Shape::Place),
    ];
    for (x, y, shape) in cases {
        let density = estimate(plain(x, y));
        assert_eq!(density.values.len(), x.len());
        if x.iter().all(|x| *x < 1e200) {
            assert_eq!(density.shape, shape, "{x:?} {y:?}");
        }
        assert!(density.values.iter().all(|value| value.is_finite()), "{x:?} {y:?}");
    }
    let line = estimate(plain(&[0.0, 1.0], &[5.0, 5.0]));
    // Two kernels at distance 1, each with a width of 2^-0.2 standard deviations.
    let width = 2f64.powf(-0.2) * 0.5f64.sqrt();
    let near = 1.0 / (std::f64::consts::TAU.sqrt() * width) / 2.0;
    let both = near * (1.0 + (-0.5 / (width * width)).exp());
    assert!((f64::from(line.values[0]) / both - 1.0).abs() < 0.001);
}
