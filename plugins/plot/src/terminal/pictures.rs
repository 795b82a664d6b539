//! Pictures on terminals: the protocols of kitty and iTerm2, and sixels.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use itch_plugin::{Chart, Result};

use crate::canvas::pixels::Pixels;
use crate::png;

/// The size of the picture in columns and lines of characters.
fn cells(chart: &Chart<'_>) -> (u32, u32) {
    let terminal = chart.target.terminal.as_ref();
    terminal.map_or((80, 24), |terminal| (terminal.columns, terminal.rows))
}

/// <https://sw.kovidgoyal.net/kitty/graphics-protocol/>
pub(super) fn kitty(chart: &Chart<'_>) -> Result<String> {
    let mut picture = Vec::new();
    png::draw(chart, None, &mut picture)?;
    let encoded = STANDARD.encode(&picture);
    let (columns, rows) = cells(chart);
    let mut text = String::new();
    // The protocol allows at most 4,096 bytes per escape sequence.
    let parts = encoded.as_bytes().chunks(4096);
    let last = parts.len().saturating_sub(1);
    for (number, part) in parts.enumerate() {
        let first = if number == 0 {
            format!("a=T,f=100,q=2,c={columns},r={rows},")
        } else {
            String::new()
        };
        let more = u8::from(number < last);
        let _ = write!(text, "\x1b_G{first}m={more};{}\x1b\\", String::from_utf8_lossy(part));
    }
    text.push('\n');
    Ok(text)
}

/// <https://iterm2.com/documentation-images.html>
pub(super) fn iterm(chart: &Chart<'_>) -> Result<String> {
    let mut picture = Vec::new();
    png::draw(chart, None, &mut picture)?;
    let (columns, rows) = cells(chart);
    Ok(format!(
        "\x1b]1337;File=inline=1;size={};width={columns};height={rows};preserveAspectRatio=0:{}\x07\n",
        picture.len(),
        STANDARD.encode(&picture)
    ))
}

/// Levels of red, green and blue: 6 · 7 · 6 colours, which is below the 256 that all sixel terminals have.
const STEPS: [u32; 3] = [6, 7, 6];

/// Encodes sixels: bands of six rows, drawn once for every colour in them.
/// <https://vt100.net/docs/vt3xx-gp/chapter14.html>
pub(super) fn sixel(pixels: &Pixels) -> String {
    let [reds, greens, blues] = STEPS;
    let mut text = format!("\x1bP0;1q\"1;1;{};{}", pixels.width, pixels.height);
    for color in 0..reds * greens * blues {
        let (red, green, blue) = (color / (greens * blues), color / blues % greens, color % blues);
        let percent = |step: u32, steps: u32| step * 100 / (steps - 1);
        let _ = write!(text, "#{color};2;{};{};{}", percent(red, reds), percent(green, greens), percent(blue, blues));
    }
    let index = |pixel: &[u8]| {
        let step = |value: u8, steps: u32| (u32::from(value) * (steps - 1) + 127) / 255;
        match pixel {
            [red, green, blue] => (step(*red, reds) * greens + step(*green, greens)) * blues + step(*blue, blues),
            _ => 0,
        }
    };
    for band in pixels.bytes.chunks(pixels.width.max(1) * 3 * 6) {
        let lines: Vec<Vec<u32>> = band
            .chunks(pixels.width.max(1) * 3)
            .map(|line| line.chunks_exact(3).map(index).collect())
            .collect();
        let mut there: Vec<u32> = lines.iter().flatten().copied().collect();
        there.sort_unstable();
        there.dedup();
        for color in there {
            let _ = write!(text, "#{color}");
            let sixel = |column: usize| {
                let bits = lines.iter().enumerate().filter(|(_, line)| line[column] == color);
                bits.map(|(row, _)| 1u8 << row).sum::<u8>()
            };
            let mut column = 0;
            while column < pixels.width {
                let value = sixel(column);
                let mut run = 1;
                while column + run < pixels.width && sixel(column + run) == value {
                    run += 1;
                }
                let letter = char::from(63 + value);
                if run > 3 {
                    let _ = write!(text, "!{run}{letter}");
                } else {
                    text.extend(std::iter::repeat_n(letter, run));
                }
                column += run;
            }
            text.push('$');
        }
        text.push('-');
    }
    text.push_str("\x1b\\\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixels_are_bands_of_six_lines() {
        let mut pixels = Pixels {
            width: 5,
            height: 7,
            bytes: vec![0; 5 * 7 * 3],
        };
        pixels.bytes[0] = 255;
        let text = sixel(&pixels);
        assert!(text.starts_with("\x1bP0;1q\"1;1;5;7#0;2;0;0;0"));
        // The corner is red, everything else black; then a band with one row.
        assert!(text.ends_with("#0}!4~$#210@!4?$-#0!5@$-\x1b\\\n"), "{text:?}");
    }
}
