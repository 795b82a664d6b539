//! Converts densities to shades, and makes the ticks of the colour bar.

use itch_plugin::Tick;

use crate::DensityScale;
use crate::parallel;

/// On the logarithmic scale, densities below this share of the highest density are all shown alike.
const FLOOR: f32 = 1e-4;
/// The logarithmic scale reaches down to this share at least, so that densities that hardly differ get similar colours.
const CEILING: f32 = 0.5;

/// Shades, and the ticks of the colour bar.
#[derive(Clone, Debug)]
pub(crate) struct Shades {
    pub(crate) values: Vec<u8>,
    pub(crate) ticks: Vec<Tick>,
    pub(crate) label: &'static str,
}

/// The shade of each density.
pub(crate) fn shades(density: &[f32], scale: DensityScale) -> Shades {
    let peak = density.iter().copied().fold(0.0f32, f32::max);
    let least = density.iter().copied().fold(f32::MAX, f32::min);
    let mut values = vec![255u8; density.len()];
    let shade = |share: f32| (share * 255.0 + 0.5) as u8;
    let tick = |at: f64, label: String| Tick {
        at,
        label,
        below: String::new(),
    };
    if density.is_empty() || least >= peak {
        return Shades {
            values,
            ticks: vec![tick(1.0, "100%".to_owned())],
            label: "density, share of the highest",
        };
    }
    match scale {
        DensityScale::Linear => {
            parallel::fill(&mut values, |range, values| {
                for (value, density) in values.iter_mut().zip(&density[range]) {
                    *value = shade(density / peak);
                }
            });
            let ticks = (0..=4).map(|quarter| tick(f64::from(quarter) / 4.0, format!("{}%", quarter * 25)));
            Shades {
                values,
                ticks: ticks.collect(),
                label: "density, share of the highest",
            }
        }
        DensityScale::Log => {
            let floor = (least / peak).clamp(FLOOR, CEILING);
            let span = -floor.ln();
            parallel::fill(&mut values, |range, values| {
                for (value, density) in values.iter_mut().zip(&density[range]) {
                    *value = shade(1.0 + ((density / peak).max(floor)).ln() / span);
                }
            });
            let ticks = [1e-4, 1e-3, 1e-2, 0.1, 0.2, 0.5, 1.0]
                .into_iter()
                .map(|share: f64| {
                    tick(1.0 + share.ln() / f64::from(span), format!("{}%", (share * 1e4).round() / 100.0))
                })
                .filter(|tick| tick.at >= -1e-6)
                .collect();
            Shades {
                values,
                ticks,
                label: "density, share of the highest",
            }
        }
        DensityScale::Rank => {
            // Positive numbers are ordered like their bits, so a counting sort is possible.
            let place = |density: f32| (density.to_bits() >> 12) as usize;
            let mut counts = vec![0u32; place(peak) + 1];
            density.iter().for_each(|density| counts[place(*density)] += 1);
            let mut below = 0u64;
            let n = density.len() as u64;
            let ranks: Vec<u8> = counts
                .iter()
                .map(|count| {
                    // Equal densities get the middle of their ranks.
                    let middle = 2 * below + u64::from(*count);
                    below += u64::from(*count);
                    (middle as f64 / (2 * n) as f64 * 255.0).round() as u8
                })
                .collect();
            parallel::fill(&mut values, |range, values| {
                for (value, density) in values.iter_mut().zip(&density[range]) {
                    *value = ranks[place(*density)];
                }
            });
            let ticks = (0..=4).map(|quarter| tick(f64::from(quarter) / 4.0, format!("{}%", quarter * 25)));
            Shades {
                values,
                ticks: ticks.collect(),
                label: "density, share of dots in thinner places",
            }
        }
    }
}

/// The order of rising shades; dots with equal shades keep their order.
pub(crate) fn order(shades: &[u8]) -> Vec<u32> {
    let mut next = [0u32; 257];
    shades.iter().for_each(|shade| next[usize::from(*shade) + 1] += 1);
    for shade in 0..256 {
        next[shade + 1] += next[shade];
    }
    let mut order = vec![0u32; shades.len()];
    for (row, shade) in shades.iter().enumerate() {
        let place = &mut next[usize::from(*shade)];
        order[*place as usize] = row as u32;
        *place += 1;
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scale_rises_with_the_density() {
        let density: Vec<f32> = (1..=1000).map(|n| (n * n) as f32 * 1e-12).collect();
        for scale in [DensityScale::Linear, DensityScale::Log, DensityScale::Rank] {
            let shades = shades(&density, scale);
            assert!(shades.values.windows(2).all(|pair| pair[0] <= pair[1]));
            assert!(shades.values[0] < 3 && shades.values[999] == 255, "{scale:?}");
            assert!(shades.ticks.iter().all(|tick| (-1e-6..=1.0).contains(&tick.at)));
        }
        assert_eq!(shades(&density, DensityScale::Rank).values[499], 127);
        for same in [&[][..], &[2.0], &[3.0, 3.0]] {
            assert_eq!(shades(same, DensityScale::Log).values, vec![255; same.len()]);
        }
    }

    #[test]
    fn the_order_is_stable() {
        assert_eq!(order(&[5, 1, 5, 0, 255]), [3, 1, 0, 2, 4]);
    }
}
