//! Converts text to outlines: direction, shaping, and a font for every part. A character without a font is drawn as a
//! box.

use rustybuzz::ttf_parser::{GlyphId, OutlineBuilder};
use rustybuzz::{Direction, UnicodeBuffer};
use unicode_bidi::{BidiInfo, Level};

use super::fonts::{self, Font};

/// A part of an outline, in pixels from the left end of the base line; y grows downwards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Stroke {
    Move(f32, f32),
    Line(f32, f32),
    Quad(f32, f32, f32, f32),
    Curve(f32, f32, f32, f32, f32, f32),
    Close,
}

/// The outlines of a text and its size.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outline {
    pub(crate) strokes: Vec<Stroke>,
    pub(crate) width: f32,
}

/// The height of a capital letter above the base line, as a share of the font size.
pub(crate) const CAPITAL: f64 = 0.729;

/// Converts a text to outlines in this size.
pub(crate) fn outline(text: &str, size: f64) -> Outline {
    let mut outline = Outline::default();
    let info = BidiInfo::new(text, None);
    for paragraph in &info.paragraphs {
        let (levels, runs) = info.visual_runs(paragraph, paragraph.range.clone());
        for run in runs {
            let level = levels.get(run.start).copied().unwrap_or(Level::ltr());
            let mut parts = by_font(&text[run]);
            if level.is_rtl() {
                parts.reverse();
            }
            for (font, part) in parts {
                match font {
                    Some(font) => shape(&font, part, level.is_rtl(), size as f32, &mut outline),
                    None => missing_glyph_boxes(part, size as f32, &mut outline),
                }
            }
        }
    }
    outline
}

/// Whether a character has no form of its own and is joined to the one before it.
fn is_combining(character: char) -> bool {
    matches!(
        character,
        '\u{300}'..='\u{36f}' | '\u{200c}'..='\u{200f}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}'
    )
}

/// Splits a text wherever the font changes.
fn by_font(text: &str) -> Vec<(Option<Font>, &str)> {
    let mut parts: Vec<(Option<Font>, usize, usize)> = Vec::new();
    for (at, character) in text.char_indices() {
        let end = at + character.len_utf8();
        if let Some((font, _, last)) = parts.last_mut() {
            let stays = is_combining(character)
                || match font {
                    Some(font) => font.with(|face| face.glyph_index(character).is_some()) == Some(true),
                    None => false,
                };
            if stays {
                *last = end;
                continue;
            }
        }
        let before = parts.last().and_then(|(font, ..)| font.clone());
        // A space keeps the current font; otherwise every word would be a part of its own.
        parts.push((fonts::font_for(character, before.as_ref()), at, end));
    }
    parts
        .into_iter()
        .map(|(font, from, to)| (font, &text[from..to]))
        .collect()
}

/// Collects the outline of a glyph at its position.
struct Collect<'a> {
    strokes: &'a mut Vec<Stroke>,
    scale: f32,
    x: f32,
    y: f32,
}

impl Collect<'_> {
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        (self.x + x * self.scale, self.y - y * self.scale)
    }
}

impl OutlineBuilder for Collect<'_> {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.strokes.push(Stroke::Move(x, y));
    }
    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.strokes.push(Stroke::Line(x, y));
    }
    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.at(x1, y1), self.at(x, y));
        self.strokes.push(Stroke::Quad(x1, y1, x, y));
    }
    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.at(x1, y1), self.at(x2, y2), self.at(x, y));
        self.strokes.push(Stroke::Curve(x1, y1, x2, y2, x, y));
    }
    fn close(&mut self) {
        self.strokes.push(Stroke::Close);
    }
}

fn shape(font: &Font, text: &str, right_to_left: bool, size: f32, outline: &mut Outline) {
    let drawn = font.with(|face| {
        let scale = size / face.units_per_em() as f32;
        let mut buffer = UnicodeBuffer::new();
        buffer.push_str(text);
        buffer.guess_segment_properties();
        let direction = if right_to_left {
            Direction::RightToLeft
        } else {
            Direction::LeftToRight
        };
        buffer.set_direction(direction);
        let glyphs = rustybuzz::shape(face, &[], buffer);
        for (info, position) in glyphs.glyph_infos().iter().zip(glyphs.glyph_positions()) {
            let mut collect = Collect {
                x: outline.width + position.x_offset as f32 * scale,
                y: -position.y_offset as f32 * scale,
                strokes: &mut outline.strokes,
                scale,
            };
            face.outline_glyph(GlyphId(info.glyph_id as u16), &mut collect);
            outline.width += position.x_advance as f32 * scale;
        }
    });
    if drawn.is_none() {
        missing_glyph_boxes(text, size, outline);
    }
}

/// A box for each character that no font has.
fn missing_glyph_boxes(text: &str, size: f32, outline: &mut Outline) {
    for character in text.chars().filter(|character| !is_combining(*character)) {
        if character.is_whitespace() || character.is_control() {
            outline.width += size * 0.3;
            continue;
        }
        let (left, right) = (outline.width + size * 0.06, outline.width + size * 0.6);
        let (top, bottom) = (-size * CAPITAL as f32, 0.0);
        let thin = size * 0.06;
        let mut side = |left: f32, top: f32, right: f32, bottom: f32| {
            outline.strokes.extend([
                Stroke::Move(left, top),
                Stroke::Line(right, top),
                Stroke::Line(right, bottom),
                Stroke::Line(left, bottom),
                Stroke::Close,
            ]);
        };
        side(left, top, right, top + thin);
        side(left, bottom - thin, right, bottom);
        side(left, top, left + thin, bottom);
        side(right - thin, top, right, bottom);
        outline.width += size * 0.66;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_is_wide_and_nothing_fails() {
        for text in [
            "BurkeBlack",
            "Стример",
            "قناة البث",
            "שלום",
            "日本語",
            "👩\u{200d}💻 🎉",
            "é",
            "a\u{301}",
            "\u{10ffff}",
            "\u{e000}",
            "\u{202e}abc",
            "1:2 السلام 3",
            "\u{200d}",
            "ᚠᛇᚻ",
            "\u{1f1e9}\u{1f1ea}",
        ] {
            let outline = outline(text, 20.0);
            assert!(outline.width.is_finite() && (outline.width > 0.0 || text == "\u{200d}"), "{text}");
        }
        assert_eq!(outline("", 20.0).width, 0.0);
    }

    #[test]
    fn arabic_letters_are_joined() {
        let apart: f32 = ["ب", "ب", "ب"].iter().map(|letter| outline(letter, 20.0).width).sum();
        assert!(outline("ببب", 20.0).width < apart);
    }

    #[test]
    fn measures_are_those_that_the_layout_expects() {
        let width = f64::from(outline("2016-07-25", 100.0).width) / 10.0;
        assert!((50.0..62.0).contains(&width), "{width}");
    }
}
