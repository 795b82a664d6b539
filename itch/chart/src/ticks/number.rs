//! Ticks of numbers: multiples of 1, 2 and 5 times a power of ten, or powers of ten.

use itch_plugin::Tick;

use super::{Room, Span};

/// The smallest step whose labels fit.
pub(super) fn linear(span: Span, room: Room) -> Vec<Tick> {
    // Half of each bound, because the difference of the largest numbers would overflow to infinity.
    let half = span.max / 2.0 - span.min / 2.0;
    let start = (half / 64.0).log10().floor() as i32;
    for power in start..start + 5 {
        for factor in [1.0, 2.0, 5.0] {
            let step = factor * 10f64.powi(power);
            let ticks = multiples(span, step);
            if !ticks.is_empty() && span.fits(room, &ticks) {
                return ticks;
            }
        }
    }
    Vec::new()
}

fn multiples(span: Span, step: f64) -> Vec<Tick> {
    let (first, last) = ((span.min / step).ceil(), (span.max / step).floor());
    // A step below the distance of two neighbouring floating-point numbers is not useful.
    if (last - first).is_nan() || last - first >= 200.0 || span.max.abs().max(span.min.abs()) / step > 1e15 {
        return Vec::new();
    }
    let largest = span.max.abs().max(span.min.abs());
    (0..=(last - first).max(0.0) as usize)
        .map(|number| (first + number as f64) * step)
        .filter(|at| (span.min..=span.max).contains(at))
        .map(|at| Tick {
            at,
            label: number(at, step, largest),
            below: String::new(),
        })
        .collect()
}

/// Formats a number with the digits that its step needs.
fn number(value: f64, step: f64, largest: f64) -> String {
    let digit = step.log10().floor() as i32;
    if value == 0.0 {
        return if digit < 0 && digit > -5 {
            format!("{value:.*}", digit.unsigned_abs() as usize)
        } else {
            "0".to_owned()
        };
    }
    if largest >= 1e15 || (largest < 1e-3 && digit < -4) {
        let digits = (value.abs().log10().floor() as i32 - digit).clamp(0, 15) as usize;
        let text = format!("{value:.digits$e}");
        return match text.split_once('e') {
            Some((mantissa, exponent)) if mantissa.contains('.') => {
                let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.');
                format!("{mantissa}e{exponent}")
            }
            _ => text,
        };
    }
    grouped(&format!("{value:.*}", digit.min(0).unsigned_abs() as usize))
}

/// Groups digits: `10,000,000`.
fn grouped(text: &str) -> String {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    let (sign, digits) = match whole.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", whole),
    };
    let mut out = sign.to_owned();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// Powers of ten; if necessary, every n-th of them, or 1, 2 and 5 between them. Within one decade, ticks are linear.
pub(super) fn logarithmic(span: Span, room: Room) -> Vec<Tick> {
    let (low, high) = (span.min.log10(), span.max.log10());
    if !(low.is_finite() && high.is_finite()) {
        return Vec::new();
    }
    let mut tries: Vec<(usize, &[f64])> = Vec::new();
    if high - low >= 1.0 {
        if high - low < 6.0 {
            tries.push((1, &[1.0, 2.0, 5.0]));
        }
        for every in [1, 2, 3, 5, 10, 20, 50, 100] {
            tries.push((every, &[1.0]));
        }
    }
    for (every, factors) in tries {
        let powers = (low.floor() as i32..=high.ceil() as i32).filter(|power| power % every as i32 == 0);
        let ticks: Vec<Tick> = powers
            .flat_map(|power| factors.iter().map(move |factor| (power, *factor)))
            .map(|(power, factor)| (format!("{factor}e{power}").parse().unwrap_or(f64::NAN), power))
            .filter(|(at, _): &(f64, i32)| (span.min..=span.max).contains(at))
            .map(|(at, power)| Tick {
                at,
                label: number(at, 10f64.powi(power), if (-4..9).contains(&power) { 1.0 } else { 1e15 }),
                below: String::new(),
            })
            .collect();
        if ticks.len() > 1 && span.fits(room, &ticks) {
            return ticks;
        }
    }
    linear(span, room)
}
