//! Sanitising untrusted text for a terminal.
//!
//! Stream titles, chat messages and names are untrusted. On a terminal, a control character in them can set the
//! clipboard, change the window's title or hide lines; a bidirectional override can make one name look like another; a
//! zero-width character can make two names look the same.

use std::borrow::Cow;
use std::ops::RangeInclusive;

/// Characters that are invisible, or change how others are shown. Control characters are not in the table, since
/// `char::is_control` finds them.
const HIDDEN: &[RangeInclusive<char>] = &[
    '\u{ad}'..='\u{ad}',       // soft hyphen
    '\u{34f}'..='\u{34f}',     // grapheme joiner
    '\u{61c}'..='\u{61c}',     // Arabic letter mark: bidirectional
    '\u{115f}'..='\u{1160}',   // Hangul fillers
    '\u{17b4}'..='\u{17b5}',   // Khmer inherent vowels
    '\u{180b}'..='\u{180f}',   // Mongolian selectors and vowel separator
    '\u{200b}'..='\u{200f}',   // zero-width space and joiners, direction marks
    '\u{2028}'..='\u{202e}',   // line and paragraph separators, bidirectional embeddings and overrides
    '\u{2060}'..='\u{206f}',   // word joiner, invisible operators, bidirectional isolates
    '\u{3164}'..='\u{3164}',   // Hangul filler
    '\u{fe00}'..='\u{fe0d}',   // variation selectors, but for the two that emoji use
    '\u{feff}'..='\u{feff}',   // byte order mark
    '\u{ffa0}'..='\u{ffa0}',   // halfwidth Hangul filler
    '\u{fff9}'..='\u{fffb}',   // interlinear annotations
    '\u{1bca0}'..='\u{1bca3}', // shorthand format controls
    '\u{1d173}'..='\u{1d17a}', // musical format controls
    '\u{e0000}'..='\u{e0fff}', // tags, more variation selectors
];

const ZERO_WIDTH_JOINER: char = '\u{200d}';

/// Makes text safe to print: characters that a terminal would interpret or not show are written as an escape,
/// `\u{202e}`, `\u{1b}` or `\n`.
///
/// Letters of every script, combining marks, and the joiner between two emoji are kept. A backslash is not escaped, so
/// the original text cannot be recovered; programs read unsanitised output.
///
/// ```
/// use itch_output::sanitize;
///
/// assert_eq!(sanitize("good \u{1b}[2Jbye"), r"good \u{1b}[2Jbye");
/// assert_eq!(sanitize("日本語 👩\u{200d}💻"), "日本語 👩\u{200d}💻");
/// ```
pub fn sanitize(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_harmless) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut before = None;
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        let joins =
            character == ZERO_WIDTH_JOINER && before.is_some_and(is_emoji) && rest.clone().next().is_some_and(is_emoji);
        if joins || is_harmless(character) {
            out.push(character);
        } else {
            out.extend(character.escape_default());
        }
        before = Some(character);
    }
    Cow::Owned(out)
}

/// The text to write: sanitised for a terminal, unchanged for a program.
pub(crate) fn harmless(text: &str, on_terminal: bool) -> Cow<'_, str> {
    match on_terminal {
        true => sanitize(text),
        false => Cow::Borrowed(text),
    }
}

/// Whether a character may be written to a terminal.
pub(crate) fn is_harmless(character: char) -> bool {
    if character.is_ascii() {
        return !character.is_ascii_control();
    }
    !character.is_control() && !HIDDEN.iter().any(|range| range.contains(&character))
}

/// Whether a joiner may be next to this character: emoji, skin tones and the emoji variation selector.
fn is_emoji(character: char) -> bool {
    matches!(character, '\u{fe0f}' | '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_text_is_lent_as_it_is() {
        for text in ["", "Grüße, 日本語!", "Zoe\u{308}", r"¯\_(ツ)_/¯", "❤\u{fe0f}", "🇩🇪"] {
            assert!(matches!(sanitize(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn disarms_osc52_clipboard_payload() {
        assert_eq!(sanitize("\u{1b}]52;c;cm0gLXJmIC8=\u{7}"), r"\u{1b}]52;c;cm0gLXJmIC8=\u{7}");
    }

    #[test]
    fn disarms_window_title_and_screen_clear() {
        assert_eq!(sanitize("\u{1b}]0;root\u{1b}\\"), r"\u{1b}]0;root\u{1b}\");
        assert_eq!(sanitize("\u{1b}[2J\u{1b}[H"), r"\u{1b}[2J\u{1b}[H");
    }

    #[test]
    fn disarms_eight_bit_escape_introducer() {
        assert_eq!(sanitize("\u{9b}31m\u{9d}52;c;"), r"\u{9b}31m\u{9d}52;c;");
    }

    #[test]
    fn disarms_overwriting_by_carriage_return_and_backspace() {
        assert_eq!(sanitize("bad\rgood\u{8}\u{7f}"), r"bad\rgood\u{8}\u{7f}");
    }

    #[test]
    fn disarms_forged_rows() {
        assert_eq!(sanitize("title\nadmin\t2016"), r"title\nadmin\t2016");
        assert_eq!(sanitize("a\u{2028}b\u{85}c"), r"a\u{2028}b\u{85}c");
    }

    #[test]
    fn disarms_trojan_source_overrides() {
        assert_eq!(sanitize("user\u{202e}nimda\u{2066}x\u{2069}"), r"user\u{202e}nimda\u{2066}x\u{2069}");
    }

    #[test]
    fn shows_names_that_differ_by_something_invisible() {
        assert_eq!(sanitize("ad\u{200b}min"), r"ad\u{200b}min");
        assert_eq!(sanitize("\u{feff}admin\u{3164}"), r"\u{feff}admin\u{3164}");
        assert_eq!(sanitize("ad\u{200d}min"), r"ad\u{200d}min");
    }

    #[test]
    fn shows_words_smuggled_in_tag_characters() {
        assert_eq!(sanitize("hi\u{e0041}\u{e0100}"), r"hi\u{e0041}\u{e0100}");
    }

    #[test]
    fn keeps_joined_emoji_whole() {
        for text in [
            "👩\u{200d}💻",
            "👩🏽\u{200d}🚀",
            "🏳\u{fe0f}\u{200d}🌈",
            "❤\u{fe0f}\u{200d}🔥",
        ] {
            assert_eq!(sanitize(text), text);
        }
        assert_eq!(sanitize("👩\u{200d}"), r"👩\u{200d}");
        assert_eq!(sanitize("\u{200d}👩"), r"\u{200d}👩");
        assert_eq!(sanitize("👩\u{200d}\u{200d}👩"), r"👩\u{200d}\u{200d}👩");
    }

    proptest! {
        #[test]
        fn nothing_harmful_comes_through(text in any::<String>()) {
            check(&text)?;
        }

        #[test]
        fn nothing_harmful_comes_through_a_crowd(
            text in prop::collection::vec(prop::sample::select(HARMFUL), 0..20)
        ) {
            check(&text.into_iter().collect::<String>())?;
        }
    }

    /// Written out separately, so that a character missing from the table above is found.
    const HARMFUL: &[char] = &[
        '\0', '\u{7}', '\u{8}', '\t', '\n', '\r', '\u{1b}', '\u{7f}', '\u{85}', '\u{9b}', '\u{9d}', '\u{61c}',
        '\u{200b}', '\u{200c}', '\u{200d}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}',
        '\u{202e}', '\u{2060}', '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}', '\u{feff}', 'a', '\\', '👩',
    ];

    fn check(text: &str) -> Result<(), TestCaseError> {
        let clean = sanitize(text);
        for harmful in HARMFUL
            .iter()
            .filter(|character| !matches!(character, 'a' | '\\' | '👩' | '\u{200d}'))
        {
            prop_assert!(!clean.contains(*harmful));
        }
        prop_assert!(!clean.chars().any(char::is_control));
        prop_assert!(clean.split("👩\u{200d}👩").all(|part| !part.contains("a\u{200d}")), "{clean:?}");
        prop_assert_eq!(sanitize(&clean), clean.as_ref());
        Ok(())
    }
}
