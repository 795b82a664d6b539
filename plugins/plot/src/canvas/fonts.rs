//! Fonts: two are included in the program. Fonts of the system are only searched for characters that these lack.
//!
//! The included fonts are DejaVu Sans (Latin, Greek, Cyrillic, Armenian, Hebrew, Arabic, Georgian and more) and Noto
//! Emoji.

use std::sync::{Arc, Mutex, OnceLock};

use itch_plugin::sync::lock;
use rustybuzz::Face;
use rustybuzz::ttf_parser::{GlyphId, OutlineBuilder};

/// A font.
#[derive(Clone)]
pub(crate) enum Font {
    /// A font included in the program.
    Carried(&'static Face<'static>),
    /// A font of the system: the bytes of its file, and the index of the face in it.
    System(Arc<Vec<u8>>, u32),
}

impl Font {
    /// Calls a function with the parsed face.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&Face<'_>) -> T) -> Option<T> {
        match self {
            Font::Carried(face) => Some(work(face)),
            Font::System(bytes, index) => Face::from_slice(bytes, *index).map(|face| work(&face)),
        }
    }

    fn has(&self, character: char) -> bool {
        self.with(|face| face.glyph_index(character).is_some()).unwrap_or(false)
    }
}

fn bundled_fonts() -> &'static [Face<'static>] {
    static BUNDLED: OnceLock<Vec<Face<'static>>> = OnceLock::new();
    BUNDLED.get_or_init(|| {
        let files = [dejavu::sans::regular(), epaint_default_fonts::NOTO_EMOJI_REGULAR];
        files
            .into_iter()
            .filter_map(|bytes| Face::from_slice(bytes, 0))
            .collect()
    })
}

/// The font for a character; `None` if no font has it.
pub(crate) fn font_for(character: char, before: Option<&Font>) -> Option<Font> {
    if let Some(before) = before.filter(|before| before.has(character)) {
        return Some(before.clone());
    }
    let mut carried = bundled_fonts().iter().map(Font::Carried);
    carried
        .find(|font| font.has(character))
        .or_else(|| of_the_system(character))
}

/// Detects whether a glyph has an outline: colour fonts have bitmaps instead.
struct HasOutline(bool);

impl OutlineBuilder for HasOutline {
    fn move_to(&mut self, _: f32, _: f32) {
        self.0 = true;
    }
    fn line_to(&mut self, _: f32, _: f32) {}
    fn quad_to(&mut self, _: f32, _: f32, _: f32, _: f32) {}
    fn curve_to(&mut self, _: f32, _: f32, _: f32, _: f32, _: f32, _: f32) {}
    fn close(&mut self) {}
}

/// Searches the font folders of the system, once per character.
fn of_the_system(character: char) -> Option<Font> {
    /// System fonts that were used before are tried first, since the next character is probably of the same script.
    static FOUND: Mutex<Vec<Font>> = Mutex::new(Vec::new());
    static SYSTEM: OnceLock<fontdb::Database> = OnceLock::new();

    let mut found = lock(&FOUND);
    if let Some(font) = found.iter().find(|font| font.has(character)) {
        return Some(font.clone());
    }
    let system = SYSTEM.get_or_init(|| {
        let mut system = fontdb::Database::new();
        system.load_system_fonts();
        system
    });
    // Regular faces first, so that a word is not bold or slanted only because such a file comes first in the list.
    let mut faces: Vec<_> = system.faces().collect();
    faces.sort_by_key(|face| (face.style != fontdb::Style::Normal, face.weight.0.abs_diff(400)));
    for info in faces {
        let font = system.with_face_data(info.id, |bytes, index| {
            let face = Face::from_slice(bytes, index)?;
            let glyph: GlyphId = face.glyph_index(character)?;
            let mut seen = HasOutline(false);
            face.outline_glyph(glyph, &mut seen);
            seen.0.then(|| Font::System(Arc::new(bytes.to_vec()), index))
        });
        if let Some(font) = font.flatten() {
            found.push(font.clone());
            return Some(font);
        }
    }
    None
}
