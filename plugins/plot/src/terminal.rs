//! `--renderer terminal`: the chart in braille dots and colours, or as a picture if the terminal can show pictures.

#[path = "terminal/braille.rs"]
mod braille;
#[path = "terminal/pictures.rs"]
mod pictures;

use std::io::Write;

use itch_plugin::prelude::*;
use itch_plugin::{Colors, Graphics};

use crate::canvas::pixels::Pixels;

struct Terminal;

renderer!(Terminal);

impl Renderer for Terminal {
    fn describe(&self) -> RendererSpec {
        RendererSpec::new("terminal", "On the terminal: braille dots and colours, or a picture", "text/plain")
            .help(
                "Each character has two by four dots and the colour of the densest of them. A terminal with the \
                 picture protocol of kitty or iTerm2 or with sixels shows a picture instead. This renderer is used if \
                 no file is named and stdout is a terminal.",
            )
            .extension("txt")
            .on_terminal()
    }

    fn render(&self, chart: &Chart<'_>, out: &mut dyn Write) -> Result<()> {
        let terminal = chart.target.terminal.as_ref();
        let text = match terminal.map(|terminal| terminal.graphics) {
            Some(Graphics::Kitty) => pictures::kitty(chart)?,
            Some(Graphics::Sixel) => pictures::sixel(&Pixels::of(chart)),
            Some(Graphics::Iterm) => pictures::iterm(chart)?,
            _ => {
                let colors = terminal.map_or(Colors::None, |terminal| terminal.colors);
                braille::page(chart).text(colors)
            }
        };
        Ok(out.write_all(text.as_bytes())?)
    }
}
