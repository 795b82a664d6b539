//! `--renderer svg`: the chart as a vector drawing that can be scaled and edited.

use std::fmt::Write as _;
use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use itch_plugin::prelude::*;
use itch_plugin::{Color, Layer, Point, Rect};

use crate::canvas::limits::{self, thousands};
use crate::canvas::text::CAPITAL;
use crate::canvas::{Anchor, Canvas, Label, Pen, dots, draw, pixels};

struct Svg;

renderer!(Svg);

impl Renderer for Svg {
    fn describe(&self) -> RendererSpec {
        RendererSpec::new("svg", "A drawing that can be scaled and edited", "image/svg+xml")
            .help(format!(
                "Up to {} dots are circles; with more, only the dots become an image in the drawing, and itch prints a \
                 note; lines and text stay vectors. `--dots single` always draws circles, `--dots image` always the \
                 image.",
                thousands(limits::SINGLE_IN_DRAWINGS)
            ))
            .extension("svg")
            .detail(Detail::Points(limits::SINGLE_IN_DRAWINGS))
    }

    fn render(&self, chart: &Chart<'_>, out: &mut dyn Write) -> Result<()> {
        let (width, height) = (chart.target.width, chart.target.height);
        let mut svg = Drawing::default();
        let _ = writeln!(
            svg.text,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" font-family=\"'DejaVu Sans',Verdana,sans-serif\">\n\
             <title>{}</title>",
            escaped(&chart.title)
        );
        let area = chart.area;
        let _ = writeln!(svg.text, "<clipPath id=\"area\">{}</clipPath>", rectangle(area, ""));
        draw(chart, &mut svg);
        svg.text.push_str("</svg>\n");
        Ok(out.write_all(svg.text.as_bytes())?)
    }
}

/// The elements written so far.
#[derive(Default)]
struct Drawing {
    text: String,
}

/// A number with at most two decimals.
fn short(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn rectangle(rect: Rect, attributes: &str) -> String {
    let [left, top, width, height] = [rect.left, rect.top, rect.width, rect.height].map(short);
    format!("<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\"{attributes}/>")
}

/// A paint attribute, and an opacity attribute if the colour is not opaque.
fn paint(what: &str, color: Color) -> String {
    let mut text = format!(" {what}=\"{}\"", color.with_alpha(255));
    if color.alpha < 255 {
        let _ = write!(text, " {what}-opacity=\"{}\"", short(color.opacity()));
    }
    text
}

/// Escapes text for XML.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => {}
            character if character.is_control() => out.push(' '),
            character => out.push(character),
        }
    }
    out
}

fn path(points: &[Point]) -> String {
    let mut text = String::new();
    for (number, point) in points.iter().enumerate() {
        let _ = write!(text, "{}{} {}", if number == 0 { "M" } else { "L" }, short(point.x), short(point.y));
    }
    text
}

impl Canvas for Drawing {
    fn fill(&mut self, rect: Rect, color: Color) {
        self.text.push_str(&rectangle(rect, &paint("fill", color)));
        self.text.push('\n');
    }

    fn rule(&mut self, from: Point, to: Point, width: f64, dotted: bool, color: Color) {
        let dash = if dotted {
            format!(" stroke-dasharray=\"{0} {1}\"", short(width), short(width * 2.0))
        } else {
            String::new()
        };
        let _ = writeln!(
            self.text,
            "<path d=\"{}\" stroke-width=\"{}\"{}{dash}/>",
            path(&[from, to]),
            short(width),
            paint("stroke", color)
        );
    }

    fn polyline(&mut self, points: &[Point], pens: &[Pen], _: Rect) {
        let path = path(points);
        for pen in pens {
            let _ = writeln!(
                self.text,
                "<path d=\"{path}\" clip-path=\"url(#area)\" fill=\"none\" stroke-linejoin=\"round\" \
                 stroke-width=\"{}\"{}/>",
                short(pen.width),
                paint("stroke", pen.color)
            );
        }
    }

    fn fill_below(&mut self, points: &[Point], color: Color, clip: Rect) {
        let (Some(first), Some(last)) = (points.first(), points.last()) else {
            return;
        };
        let mut outline = vec![Point {
            x: first.x,
            y: clip.bottom(),
        }];
        outline.extend(points);
        outline.push(Point {
            x: last.x,
            y: clip.bottom(),
        });
        let _ =
            writeln!(self.text, "<path d=\"{}Z\" clip-path=\"url(#area)\"{}/>", path(&outline), paint("fill", color));
    }

    fn dot(&mut self, at: Point, radius: f64, color: Color, _: Rect) {
        let [x, y, radius] = [at.x, at.y, radius].map(short);
        let _ = writeln!(self.text, "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"{}/>", paint("fill", color));
    }

    fn dots(&mut self, chart: &Chart<'_>, layer: &Layer) {
        match layer {
            Layer::Points {
                x,
                y,
                shade,
                radius,
                opacity,
                ..
            } => {
                let shades = shade.map(|shade| chart.shades(shade));
                let radius = short(*radius);
                let mut last = None;
                let _ = writeln!(self.text, "<g clip-path=\"url(#area)\" fill-opacity=\"{}\">", short(*opacity));
                for (row, (x, y)) in chart.numbers(*x).iter().zip(chart.numbers(*y)).enumerate() {
                    let color = dots::color(chart, shades, row);
                    if last != Some(color) {
                        let end = if last.is_some() { "</g>" } else { "" };
                        let _ = writeln!(self.text, "{end}<g{}>", paint("fill", color));
                        last = Some(color);
                    }
                    let (x, y) = (short(chart.across(*x)), short(chart.down(&chart.y, *y)));
                    let _ = writeln!(self.text, "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"/>");
                }
                self.text.push_str(if last.is_some() { "</g></g>\n" } else { "</g>\n" });
            }
            Layer::Cells { .. } => {
                let layer = pixels::cut_out(chart, layer);
                let mut picture = Vec::new();
                // Writing to memory does not fail; if encoding fails, the dots are left out.
                if crate::png::encode_with_alpha(&layer, &mut picture).is_err() {
                    return;
                }
                let area = chart.area;
                let [left, top, width, height] = [area.left, area.top, area.width, area.height].map(short);
                let _ = writeln!(
                    self.text,
                    "<image x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" \
                     href=\"data:image/png;base64,{}\"/>",
                    STANDARD.encode(&picture)
                );
            }
            _ => {}
        }
    }

    fn text(&mut self, label: Label<'_>) {
        if label.text.is_empty() {
            return;
        }
        let anchor = match label.anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let base = label.size * CAPITAL / 2.0;
        let (x, y) = (short(label.at.x), short(label.at.y));
        let place = if label.turned {
            format!(" transform=\"translate({x} {y}) rotate(-90)\" y=\"{}\"", short(base))
        } else {
            format!(" x=\"{x}\" y=\"{}\"", short(label.at.y + base))
        };
        let _ = writeln!(
            self.text,
            "<text{place} font-size=\"{}\"{anchor}{}>{}</text>",
            short(label.size),
            paint("fill", label.color),
            escaped(label.text)
        );
    }
}
