//! The text of a comment, split into fragments as Twitch does.

use super::{
    phrases::{EMOJI, EMOTES, HOSTILE, PHRASES},
    seed::Seed,
};

/// A piece of a message: some text, or an emote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fragment {
    pub(crate) text: String,
    pub(crate) emote: Option<Emote>,
}

/// The first and the last code point of the emote in the whole message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Emote {
    pub(crate) id: &'static str,
    pub(crate) from: usize,
    pub(crate) to: usize,
}

#[derive(Default)]
struct Message {
    fragments: Vec<Fragment>,
    length: usize,
}

impl Message {
    fn text(&mut self, text: &str) {
        self.length += text.chars().count();
        match self.fragments.last_mut() {
            Some(Fragment { text: last, emote }) if emote.is_none() => last.push_str(text),
            _ => self.fragments.push(Fragment {
                text: text.to_owned(),
                emote: None,
            }),
        }
    }

    fn emote(&mut self, (name, id): (&str, &'static str)) {
        let from = self.length;
        self.length += name.len();
        let to = self.length - 1;
        self.fragments.push(Fragment {
            text: name.to_owned(),
            emote: Some(Emote { id, from, to }),
        });
    }
}

/// The message with this seed. `name` is a user it may mention.
pub(super) fn message(seed: Seed, name: impl FnOnce() -> String) -> Vec<Fragment> {
    let emote = |draw| seed.choose(draw, &EMOTES);
    let phrase = |draw| seed.choose(draw, &PHRASES);
    let mut message = Message::default();
    match seed.below(0, 1_000) {
        0..5 => {
            message.text(seed.choose(1, &HOSTILE));
            if seed.below(2, 3) == 0 {
                message.text(" ");
                message.emote(emote(3));
            }
        }
        // The message was deleted.
        5 => {}
        6..130 => {
            message.emote(emote(1));
            for place in 0..seed.below(2, 6).saturating_sub(2) {
                message.text(" ");
                message.emote(emote(3 + place % 2));
            }
        }
        130..360 => {
            message.text(phrase(1));
            message.text(" ");
            message.emote(emote(2));
        }
        360..430 => {
            message.text(seed.choose(1, &EMOJI));
            message.text(" ");
            message.emote(emote(2));
            message.text(" ");
            message.text(phrase(3));
        }
        430..480 => message.text(&format!("@{} {}", name(), phrase(1))),
        480..490 => message.text(&format!("Cheer{} {}", 100 * seed.below(1, 9) + 1, phrase(2))),
        490..540 => message.text(&format!("{} {}", phrase(1), seed.choose(2, &EMOJI))),
        540..560 => {
            // Nearly as long as Twitch allows.
            let text = format!("{} ", phrase(1));
            message.text(&text.repeat(480 / text.chars().count()));
        }
        560..620 => message.text(&format!("{} {}", phrase(1), seed.below(2, 10_000))),
        620..700 => message.text(&format!("{}, {}", phrase(1), phrase(2))),
        _ => message.text(phrase(1)),
    }
    message.fragments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emotes_stand_where_they_say_in_code_points() {
        let (mut beyond, mut control, mut empty) = (0, 0, 0);
        for index in 0..20_000 {
            let fragments = message(Seed::new(1).of(index), || "some_viewer".to_owned());
            let text: String = fragments.iter().map(|part| part.text.as_str()).collect();
            let letters: Vec<char> = text.chars().collect();
            assert!(letters.len() <= 500, "{text}");
            for part in &fragments {
                if let Some(Emote { from, to, .. }) = part.emote {
                    let there: String = letters[from..=to].iter().collect();
                    assert_eq!(there, part.text);
                    beyond += usize::from(letters[..from].iter().any(|c| *c > '\u{ffff}'));
                }
            }
            control += usize::from(text.contains(|c: char| c.is_control()));
            empty += usize::from(fragments.is_empty());
            assert!(
                fragments
                    .windows(2)
                    .all(|pair| { pair[0].emote.is_some() || pair[1].emote.is_some() })
            );
        }
        assert!(beyond > 500 && control > 20 && empty > 5, "{beyond} {control} {empty}");
    }
}
