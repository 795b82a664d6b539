//! Measures and shortens texts.

use unicode_width::UnicodeWidthStr;

/// The width of a text in characters.
pub(crate) fn columns(text: &str) -> f64 {
    text.width() as f64
}

/// The text, shortened to at most so many characters.
pub(crate) fn shortened(text: &str, most: f64) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if columns(&clean) <= most {
        return clean;
    }
    let mut short = String::new();
    for character in clean.chars() {
        let mut buffer = [0; 4];
        if columns(&short) + columns(character.encode_utf8(&mut buffer)) + 1.0 > most {
            break;
        }
        short.push(character);
    }
    short.push('…');
    short
}
