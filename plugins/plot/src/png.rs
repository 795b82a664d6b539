//! `--renderer png`: the chart as a picture.

use std::io::Write;

use itch_plugin::prelude::*;

use crate::canvas::limits::{self, thousands};
use crate::canvas::marks::Marks;
use crate::canvas::parallel;
use crate::canvas::pixels::CutOut;

/// The size of a chunk of the file in bytes.
const PIECE: usize = 64 << 10;

struct Png;

renderer!(Png);

impl Renderer for Png {
    fn describe(&self) -> RendererSpec {
        RendererSpec::new("png", "A picture", "image/png")
            .help(format!(
                "Up to {} dots are drawn one by one; with more, dots are counted per pixel, which looks the same. Text \
                 uses fonts included in the program (DejaVu Sans, Noto Emoji), and fonts of the system for scripts \
                 that these lack; a character that no font has is drawn as a box.",
                thousands(limits::SINGLE)
            ))
            .extension("png")
    }

    fn render(&self, chart: &Chart, out: &mut dyn Write) -> Result<()> {
        draw(chart, Some(chart.target.dpi), out)
    }
}

/// Draws a chart and writes each stripe as soon as it is finished.
pub(crate) fn draw(chart: &Chart<'_>, dpi: Option<f64>, out: &mut dyn Write) -> Result<()> {
    let marks = Marks::of(chart);
    let mut encoder = encoder(marks.width, marks.height, ::png::ColorType::Rgb, out);
    if let Some(dpi) = dpi {
        let per_metre = (dpi / 0.0254).round() as u32;
        encoder.set_pixel_dims(Some(::png::PixelDimensions {
            xppu: per_metre,
            yppu: per_metre,
            unit: ::png::Unit::Meter,
        }));
    }
    let mut writer = encoder.write_header().map_err(refuse)?;
    let mut rows = writer.stream_writer_with_size(PIECE).map_err(refuse)?;
    parallel::draw(&marks, chart, 0, &mut |stripe| Ok(rows.write_all(stripe)?))?;
    rows.finish().map_err(refuse)?;
    writer.finish().map_err(refuse)
}

/// Writes pixels with transparency.
pub(crate) fn encode_with_alpha(pixels: &CutOut, out: &mut dyn Write) -> Result<()> {
    write(encoder(pixels.width, pixels.height, ::png::ColorType::Rgba, out), &pixels.bytes)
}

fn encoder(
    width: usize,
    height: usize,
    color: ::png::ColorType,
    out: &mut dyn Write,
) -> ::png::Encoder<'static, &mut dyn Write> {
    let mut encoder = ::png::Encoder::new(out, width as u32, height as u32);
    encoder.set_color(color);
    encoder.set_depth(::png::BitDepth::Eight);
    encoder.set_compression(::png::Compression::Fast);
    // Most rows are equal to the one above. Trying every filter for each row would cost more than it saves.
    encoder.set_filter(::png::Filter::Up);
    encoder
}

fn write(encoder: ::png::Encoder<'_, &mut dyn Write>, bytes: &[u8]) -> Result<()> {
    let mut writer = encoder.write_header().map_err(refuse)?;
    writer.write_image_data(bytes).map_err(refuse)?;
    writer.finish().map_err(refuse)
}

fn refuse(error: ::png::EncodingError) -> Error {
    Error::new(ErrorKind::Failed, "could not write the picture").source_chain(&error)
}
