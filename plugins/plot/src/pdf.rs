//! `--renderer pdf`: the chart on a page of its own size, for print.

use std::collections::BTreeSet;
use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use itch_plugin::prelude::*;
use itch_plugin::{Color, Layer, Point, Rect};
use pdf_writer::types::LineCapStyle;
use pdf_writer::{Content, Filter, Finish, Name, Pdf as Document, Rect as Box, Ref};

use crate::canvas::limits::{self, thousands};
use crate::canvas::pixels::{CutOut, cut_out};
use crate::canvas::text::{CAPITAL, Stroke, outline};
use crate::canvas::{Anchor, Canvas, Label, Pen, dots, draw};

struct Pdf;

renderer!(Pdf);

impl Renderer for Pdf {
    fn describe(&self) -> RendererSpec {
        RendererSpec::new("pdf", "A page for print", "application/pdf")
            .help(format!(
                "Text is drawn as outlines: no font is needed to read it, but it cannot be searched. Up to {} dots are \
                 drawn one by one; with more, only the dots become an image, and itch prints a note. `--dots single` \
                 and `--dots image` override this.",
                thousands(limits::SINGLE_IN_DRAWINGS)
            ))
            .extension("pdf")
            .detail(Detail::Points(limits::SINGLE_IN_DRAWINGS))
    }

    fn render(&self, chart: &Chart<'_>, out: &mut dyn Write) -> Result<()> {
        let mut page = Page {
            content: Content::new(),
            opacities: BTreeSet::new(),
            opacity: 255,
            images: Vec::new(),
        };
        let points = 72.0 / chart.target.dpi as f32;
        let (width, height) = (chart.target.width as f32 * points, chart.target.height as f32 * points);
        // PDF counts from the bottom; this converts to pixels from the top, as in a chart.
        page.content.transform([points, 0.0, 0.0, -points, 0.0, height]);
        draw(chart, &mut page);
        Ok(out.write_all(&page.document(width, height)?)?)
    }
}

/// The parts of the document drawn so far.
struct Page {
    content: Content,
    /// Every opacity in use; each is a graphics state of the document.
    opacities: BTreeSet<u8>,
    opacity: u8,
    images: Vec<CutOut>,
}

fn compressed(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

fn state_name(opacity: u8) -> Vec<u8> {
    format!("o{opacity}").into_bytes()
}

fn image_name(number: usize) -> Vec<u8> {
    format!("i{number}").into_bytes()
}

impl Page {
    fn document(self, width: f32, height: f32) -> Result<Vec<u8>> {
        let [catalog, pages, page, content] = [1, 2, 3, 4].map(Ref::new);
        let image = |number: usize| Ref::new(5 + 2 * number as i32);
        let mask = |number: usize| Ref::new(6 + 2 * number as i32);
        let mut document = Document::new();
        document.catalog(catalog).pages(pages);
        document.pages(pages).kids([page]).count(1);
        let mut sheet = document.page(page);
        sheet.media_box(Box::new(0.0, 0.0, width, height));
        sheet.parent(pages).contents(content);
        let mut resources = sheet.resources();
        let mut states = resources.ext_g_states();
        for opacity in self.opacities.iter().chain([&255]) {
            let share = f32::from(*opacity) / 255.0;
            states
                .insert(Name(&state_name(*opacity)))
                .start::<pdf_writer::writers::ExtGraphicsState<'_>>()
                .non_stroking_alpha(share)
                .stroking_alpha(share);
        }
        states.finish();
        let mut objects = resources.x_objects();
        for number in 0..self.images.len() {
            objects.pair(Name(&image_name(number)), image(number));
        }
        objects.finish();
        resources.finish();
        sheet.finish();
        for (number, picture) in self.images.iter().enumerate() {
            let colors: Vec<u8> = picture
                .bytes
                .chunks_exact(4)
                .flat_map(|pixel| pixel[..3].to_vec())
                .collect();
            let shares: Vec<u8> = picture.bytes.chunks_exact(4).map(|pixel| pixel[3]).collect();
            let (width, height) = (picture.width as i32, picture.height as i32);
            let bytes = compressed(&colors)?;
            let mut object = document.image_xobject(image(number), &bytes);
            object.width(width).height(height).bits_per_component(8);
            object.filter(Filter::FlateDecode);
            object.color_space().device_rgb();
            object.s_mask(mask(number));
            object.finish();
            let bytes = compressed(&shares)?;
            let mut object = document.image_xobject(mask(number), &bytes);
            object.width(width).height(height).bits_per_component(8);
            object.filter(Filter::FlateDecode);
            object.color_space().device_gray();
            object.finish();
        }
        let bytes = compressed(&self.content.finish())?;
        document.stream(content, &bytes).filter(Filter::FlateDecode);
        Ok(document.finish())
    }

    fn opacity(&mut self, opacity: u8) {
        if self.opacity != opacity {
            self.opacity = opacity;
            self.opacities.insert(opacity);
            self.content.set_parameters(Name(&state_name(opacity)));
        }
    }

    fn ink(&mut self, color: Color) {
        let share = |value: u8| f32::from(value) / 255.0;
        self.opacity(color.alpha);
        self.content
            .set_fill_rgb(share(color.red), share(color.green), share(color.blue));
        self.content
            .set_stroke_rgb(share(color.red), share(color.green), share(color.blue));
    }

    fn path(&mut self, points: &[Point]) {
        for (number, point) in points.iter().enumerate() {
            let (x, y) = (point.x as f32, point.y as f32);
            if number == 0 {
                self.content.move_to(x, y);
            } else {
                self.content.line_to(x, y);
            }
        }
    }

    fn clipped(&mut self, clip: Rect, work: impl FnOnce(&mut Page)) {
        self.content.save_state();
        let opacity = self.opacity;
        self.content
            .rect(clip.left as f32, clip.top as f32, clip.width as f32, clip.height as f32);
        self.content.clip_nonzero().end_path();
        work(self);
        self.content.restore_state();
        self.opacity = opacity;
    }

    /// A dot is drawn as a line of length zero with round ends.
    fn spot(&mut self, at: Point) {
        self.content
            .move_to(at.x as f32, at.y as f32)
            .line_to(at.x as f32, at.y as f32);
    }
}

impl Canvas for Page {
    fn fill(&mut self, rect: Rect, color: Color) {
        self.ink(color);
        self.content
            .rect(rect.left as f32, rect.top as f32, rect.width as f32, rect.height as f32);
        self.content.fill_nonzero();
    }

    fn rule(&mut self, from: Point, to: Point, width: f64, dotted: bool, color: Color) {
        self.ink(color);
        let width = width as f32;
        self.content.set_line_width(width);
        let dash: &[f32] = if dotted { &[width, width * 2.0] } else { &[] };
        self.content.set_dash_pattern(dash.iter().copied(), 0.0);
        self.path(&[from, to]);
        self.content.stroke();
        self.content.set_dash_pattern([], 0.0);
    }

    fn polyline(&mut self, points: &[Point], pens: &[Pen], clip: Rect) {
        self.clipped(clip, |page| {
            for pen in pens {
                page.ink(pen.color);
                page.content.set_line_width(pen.width as f32);
                page.path(points);
                page.content.stroke();
            }
        });
    }

    fn fill_below(&mut self, points: &[Point], color: Color, clip: Rect) {
        let (Some(first), Some(last)) = (points.first(), points.last()) else {
            return;
        };
        let ends = [
            Point {
                x: last.x,
                y: clip.bottom(),
            },
            Point {
                x: first.x,
                y: clip.bottom(),
            },
        ];
        self.clipped(clip, |page| {
            page.ink(color);
            page.path(points);
            for end in ends {
                page.content.line_to(end.x as f32, end.y as f32);
            }
            page.content.fill_nonzero();
        });
    }

    fn dot(&mut self, at: Point, radius: f64, color: Color, clip: Rect) {
        self.clipped(clip, |page| {
            page.ink(color);
            page.content
                .set_line_cap(LineCapStyle::RoundCap)
                .set_line_width(radius as f32 * 2.0);
            page.spot(at);
            page.content.stroke();
        });
    }

    fn dots(&mut self, chart: &Chart<'_>, layer: &Layer) {
        let area = chart.area;
        match layer {
            Layer::Points {
                x,
                y,
                shade,
                radius,
                opacity,
                ..
            } => self.clipped(area, |page| {
                let shades = shade.map(|shade| chart.shades(shade));
                let alpha = (opacity * 255.0) as u8;
                page.content
                    .set_line_cap(LineCapStyle::RoundCap)
                    .set_line_width(*radius as f32 * 2.0);
                let mut last = None;
                for (row, (x, y)) in chart.numbers(*x).iter().zip(chart.numbers(*y)).enumerate() {
                    let color = dots::color(chart, shades, row).with_alpha(alpha);
                    // One path per colour. Transparent dots get a path each, so that a crowd looks denser.
                    if last != Some(color) || alpha < 255 {
                        if last.is_some() {
                            page.content.stroke();
                        }
                        if last != Some(color) {
                            page.ink(color);
                        }
                        last = Some(color);
                    }
                    page.spot(Point {
                        x: chart.across(*x),
                        y: chart.down(&chart.y, *y),
                    });
                }
                if last.is_some() {
                    page.content.stroke();
                }
            }),
            Layer::Cells { .. } => {
                let number = self.images.len();
                self.images.push(cut_out(chart, layer));
                self.opacity(255);
                self.content.save_state();
                let (width, height) = (area.width as f32, area.height as f32);
                // The first row of an image is at its top, but the y axis of the page points up.
                self.content
                    .transform([width, 0.0, 0.0, -height, area.left as f32, area.bottom() as f32]);
                self.content.x_object(Name(&image_name(number)));
                self.content.restore_state();
            }
            _ => {}
        }
    }

    fn text(&mut self, label: Label<'_>) {
        let outline = outline(label.text, label.size);
        if outline.strokes.is_empty() {
            return;
        }
        self.ink(label.color);
        let before = match label.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => outline.width / 2.0,
            Anchor::End => outline.width,
        };
        let base = (label.size * CAPITAL / 2.0) as f32;
        let (x, y) = (label.at.x as f32, label.at.y as f32);
        let place = |along: f32, down: f32| match label.turned {
            true => (x + down + base, y - along + before),
            false => (x + along - before, y + down + base),
        };
        let content = &mut self.content;
        let mut last = (0.0, 0.0);
        for stroke in &outline.strokes {
            match *stroke {
                Stroke::Move(x, y) => {
                    last = place(x, y);
                    content.move_to(last.0, last.1);
                }
                Stroke::Line(x, y) => {
                    last = place(x, y);
                    content.line_to(last.0, last.1);
                }
                Stroke::Quad(x1, y1, x, y) => {
                    // PDF has no quadratic curves, only cubic ones.
                    let (middle, end) = (place(x1, y1), place(x, y));
                    let near = |from: f32, to: f32| from + (to - from) * 2.0 / 3.0;
                    content.cubic_to(
                        near(last.0, middle.0),
                        near(last.1, middle.1),
                        near(end.0, middle.0),
                        near(end.1, middle.1),
                        end.0,
                        end.1,
                    );
                    last = end;
                }
                Stroke::Curve(x1, y1, x2, y2, x, y) => {
                    let (first, second, end) = (place(x1, y1), place(x2, y2), place(x, y));
                    content.cubic_to(first.0, first.1, second.0, second.1, end.0, end.1);
                    last = end;
                }
                Stroke::Close => {
                    content.close_path();
                }
            }
        }
        content.fill_nonzero();
    }
}
