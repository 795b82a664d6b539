//! `--renderer png`: the chart as a picture.

use std::io::Write;

use itch_plugin::prelude::*;

use crate::canvas::pixels::{CutOut, Pixels};

struct Png;

renderer!(Png);

impl Renderer for Png {
    fn describe(&self) -> RendererSpec {
        RendererSpec::new("png", "A picture", "image/png")
            .help(
                "Single dots up to 50,000; above, dots are gathered on the pixels of their middles, which shows the same. \
                 Letters come from fonts in the program (DejaVu Sans, Noto Emoji); for scripts that these lack, from the \
                 system's, and where nothing has a letter, a box stands for it.",
            )
            .extension("png")
    }

    fn render(&self, chart: &Chart, out: &mut dyn Write) -> Result<()> {
        let pixels = Pixels::of(chart);
        encode(&pixels, Some(chart.target.dpi), out)
    }
}

/// Writes pixels as PNG.
pub(crate) fn encode(pixels: &Pixels, dpi: Option<f64>, out: &mut dyn Write) -> Result<()> {
    let mut encoder = encoder(pixels.width, pixels.height, ::png::ColorType::Rgb, out);
    if let Some(dpi) = dpi {
        let per_metre = (dpi / 0.0254).round() as u32;
        encoder.set_pixel_dims(Some(::png::PixelDimensions {
            xppu: per_metre,
            yppu: per_metre,
            unit: ::png::Unit::Meter,
        }));
    }
    write(encoder, &pixels.bytes)
}

/// Writes pixels that hide only a part of what is below.
pub(crate) fn encode_with_alpha(pixels: &CutOut, out: &mut dyn Write) -> Result<()> {
    write(
        encoder(pixels.width, pixels.height, ::png::ColorType::Rgba, out),
        &pixels.bytes,
    )
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
    encoder
}

fn write(encoder: ::png::Encoder<'_, &mut dyn Write>, bytes: &[u8]) -> Result<()> {
    let refuse = |error: ::png::EncodingError| {
        Error::new(ErrorKind::Failed, "the picture could not be written").source_chain(&error)
    };
    let mut writer = encoder.write_header().map_err(refuse)?;
    writer.write_image_data(bytes).map_err(refuse)?;
    writer.finish().map_err(refuse)
}
