//! Whole pictures in memory, for formats that need them as a whole.

use itch_plugin::{Buffer, Chart, Layer, Rect};

use super::Canvas;
use super::marks::Marks;
use super::parallel;

/// Red, green and blue of every pixel, row by row from the top.
#[derive(Clone, Debug)]
pub(crate) struct Pixels {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) bytes: Vec<u8>,
}

impl Pixels {
    /// The chart as pixels.
    pub(crate) fn of(chart: &Chart<'_>) -> Pixels {
        Pixels::draw(&Marks::of(chart), chart, 0)
    }

    /// What is drawn, on a grey background.
    pub(super) fn draw(marks: &Marks, chart: &Chart<'_>, background: u8) -> Pixels {
        let mut bytes = Vec::with_capacity(marks.width * marks.height * 3);
        // Writing to memory does not fail.
        let _ = parallel::draw(marks, chart, background, &mut |rows| {
            bytes.extend_from_slice(rows);
            Ok(())
        });
        Pixels {
            width: marks.width,
            height: marks.height,
            bytes,
        }
    }
}

/// Pixels with transparency: red, green, blue and opacity.
#[derive(Clone, Debug)]
pub(crate) struct CutOut {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) bytes: Vec<u8>,
}

/// A layer of dots alone, as large as the area. It is drawn on black and on white; the difference gives the opacity.
pub(crate) fn cut_out(chart: &Chart<'_>, layer: &Layer) -> CutOut {
    let area = chart.area;
    let alone = Chart {
        area: Rect {
            left: 0.0,
            top: 0.0,
            ..area
        },
        x: chart.x.clone(),
        y: chart.y.clone(),
        theme: chart.theme.clone(),
        color_bar: chart.color_bar.clone(),
        buffers: chart.buffers.iter().map(Buffer::borrow).collect(),
        ..Chart::default()
    };
    let mut marks = Marks::new(area.width as u32, area.height as u32);
    marks.dots(&alone, layer);
    let draw = |background: u8| Pixels::draw(&marks, &alone, background);
    let (on_black, on_white) = (draw(0), draw(255));
    let mut bytes = Vec::with_capacity(on_black.width * on_black.height * 4);
    for (black, white) in on_black.bytes.chunks_exact(3).zip(on_white.bytes.chunks_exact(3)) {
        let differs = black
            .iter()
            .zip(white)
            .map(|(black, white)| white.saturating_sub(*black))
            .max();
        let opacity = 255 - differs.unwrap_or(255);
        let color = |black: u8| match opacity {
            0 => 0,
            opacity => (u32::from(black) * 255 / u32::from(opacity)).min(255) as u8,
        };
        bytes.extend(black.iter().map(|black| color(*black)));
        bytes.push(opacity);
    }
    CutOut {
        width: on_black.width,
        height: on_black.height,
        bytes,
    }
}
