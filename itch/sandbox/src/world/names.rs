//! Account names: converts a number to a login, and a login back to its number.
//!
//! Every number below 2^31 has one login and every login at most one number, so an account is found by name without a
//! table. Numbers are shuffled before (see [`super::World`]), so neighbouring ids have unrelated names.

use super::{
    seed::Seed,
    words::{FIRST_WORDS, LAST_WORDS},
};

/// Numbers below 2 to this power have a name.
pub(crate) const NAME_BITS: u32 = 31;

/// A number is split into one of eight styles and a value of so many bits.
const VALUE_BITS: u32 = 28;
const STYLES: u32 = 1 << (NAME_BITS - VALUE_BITS);

const CONSONANTS: &[u8; 16] = b"bdfghjklmnprstvz";
const VOWELS: &[u8; 5] = b"aeiou";
const SYLLABLES: u32 = 16 * 5;

const ENDINGS: [&str; 8] = ["", "n", "s", "r", "k", "l", "m", "z"];
const OPENINGS: [&str; 8] = ["its", "the", "mr", "dr", "real", "just", "xx", "ttv"];
const TAILS: [&str; 3] = ["", "x", "1"];
const SUFFIXES: [&str; 16] = [
    "", "tv", "_tv", "ttv", "_ttv", "hd", "yt", "x", "xd", "gg", "1", "2", "7", "69", "420", "99",
];

/// A login, and the positions at which its words begin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) login: String,
    /// Bit n is set when a word begins at byte n.
    words: u32,
}

/// The name of a number below 2^31. The styles differ in their pattern (digits, underscores, words or syllables), so
/// two styles never give the same login.
pub(crate) fn spell(number: u32) -> Name {
    let style = number >> VALUE_BITS;
    let value = number & ((1 << VALUE_BITS) - 1);
    let mut name = Name::default();
    match style {
        // nakiromun
        0 => {
            name.syllables(value / 8, 4);
            name.login.push_str(ENDINGS[(value % 8) as usize]);
        }
        // darkwolf412, dark_wolf412
        1 | 2 => {
            name.word(FIRST_WORDS[(value >> 20) as usize]);
            if style == 2 {
                name.login.push('_');
            }
            name.word(LAST_WORDS[(value >> 12 & 255) as usize]);
            name.number(value & 4_095);
        }
        // darkwolftoast_tv
        3 => {
            name.word(FIRST_WORDS[(value >> 20) as usize]);
            name.word(LAST_WORDS[(value >> 12 & 255) as usize]);
            name.word(LAST_WORDS[(value >> 4 & 255) as usize]);
            name.login.push_str(SUFFIXES[(value & 15) as usize]);
        }
        // nakirowolf
        4 => {
            name.syllables(value / (3 * 256), 3);
            name.word(LAST_WORDS[(value / 3 % 256) as usize]);
            name.login.push_str(TAILS[(value % 3) as usize]);
        }
        // itsnakiro77
        5 => {
            name.word(OPENINGS[(value % 8) as usize]);
            name.syllables(value / 8 % SYLLABLES.pow(3), 3);
            name.number(value / (8 * SYLLABLES.pow(3)));
        }
        // nakiro312
        6 => {
            name.syllables(value % SYLLABLES.pow(3), 3);
            name.number(value / SYLLABLES.pow(3) + 1);
        }
        // naki_romu3
        _ => {
            name.syllables(value / 7 / SYLLABLES.pow(2), 2);
            name.login.push('_');
            name.syllables(value / 7 % SYLLABLES.pow(2), 2);
            name.number(value % 7);
        }
    }
    name
}

/// The number that has this login, if there is one.
pub(crate) fn read(login: &str) -> Option<u32> {
    (0..STYLES)
        .filter_map(|style| Some(style << VALUE_BITS | read_value(style, Reader(login))?))
        // The parser accepts too much (a number that is too high, a leading zero), so the result is spelled again and
        // compared.
        .find(|&number| spell(number).login == login)
}

fn read_value(style: u32, mut rest: Reader<'_>) -> Option<u32> {
    let value = match style {
        0 => {
            let syllables = rest.syllables(4)?;
            syllables * 8 + rest.one_of(&ENDINGS)?
        }
        1 | 2 => {
            let first = rest.word(&FIRST_WORDS)?;
            if style == 2 {
                rest.literal("_")?;
            }
            let last = rest.word(&LAST_WORDS)?;
            first << 20 | last << 12 | rest.number(4_095)?
        }
        3 => {
            let first = rest.word(&FIRST_WORDS)?;
            let middle = rest.word(&LAST_WORDS)?;
            let last = rest.word(&LAST_WORDS)?;
            first << 20 | middle << 12 | last << 4 | rest.one_of(&SUFFIXES)?
        }
        4 => {
            let syllables = rest.syllables(3)?;
            let last = rest.word(&LAST_WORDS)?;
            (syllables * 256 + last) * 3 + rest.one_of(&TAILS)?
        }
        5 => {
            let (opening, syllables) = (0..)
                .zip(OPENINGS)
                .find_map(|(index, opening)| {
                    let mut rest = Reader(rest.0.strip_prefix(opening)?);
                    Some(((index, rest.syllables(3)?), rest))
                })
                .map(|(found, after)| {
                    rest = after;
                    found
                })?;
            (rest.number(99)? * SYLLABLES.pow(3) + syllables) * 8 + opening
        }
        6 => {
            let syllables = rest.syllables(3)?;
            rest.number(999)?.checked_sub(1)? * SYLLABLES.pow(3) + syllables
        }
        _ => {
            let first = rest.syllables(2)?;
            rest.literal("_")?;
            let last = rest.syllables(2)?;
            (first * SYLLABLES.pow(2) + last) * 7 + rest.number(6)?
        }
    };
    (value < 1 << VALUE_BITS).then_some(value)
}

impl Name {
    fn word(&mut self, word: &str) {
        self.words |= 1 << self.login.len();
        self.login.push_str(word);
    }

    fn syllables(&mut self, value: u32, count: u32) {
        self.words |= 1 << self.login.len();
        for place in (0..count).rev() {
            let syllable = value / SYLLABLES.pow(place) % SYLLABLES;
            self.login.push(CONSONANTS[(syllable / 5) as usize].into());
            self.login.push(VOWELS[(syllable % 5) as usize].into());
        }
    }

    /// Zero is written as an empty string.
    fn number(&mut self, number: u32) {
        if number > 0 {
            self.login.push_str(&number.to_string());
        }
    }

    /// The display name: nearly always the login with other capitals, which is all that Twitch allows, or a name in
    /// Chinese, Japanese or Korean characters.
    pub(crate) fn display_name(&self, seed: Seed) -> String {
        match seed.below(0, 1_000) {
            0..420 => self.login.clone(),
            420..860 => self
                .login
                .char_indices()
                .map(|(at, letter)| match self.words >> at & 1 {
                    1 => letter.to_ascii_uppercase(),
                    _ => letter,
                })
                .collect(),
            860..930 => {
                let mut letters = self.login.clone();
                letters[..1].make_ascii_uppercase();
                letters
            }
            930..985 => self.login.to_ascii_uppercase(),
            985..992 => pair(seed, &JAPANESE),
            992..996 => pair(seed, &KOREAN),
            _ => pair(seed, &CHINESE),
        }
    }
}

fn pair(seed: Seed, parts: &[&str; 16]) -> String {
    format!("{}{}", seed.choose(1, parts), seed.choose(2, parts))
}

const JAPANESE: [&str; 16] = [
    "さくら",
    "ねこ",
    "うさぎ",
    "ゆき",
    "はる",
    "そら",
    "カメ",
    "タロウ",
    "ミカン",
    "ラーメン",
    "月",
    "桜井",
    "海斗",
    "ひかり",
    "クロ",
    "まる",
];
const KOREAN: [&str; 16] = [
    "하늘",
    "바다",
    "고양이",
    "별",
    "달빛",
    "토끼",
    "구름",
    "민수",
    "지훈",
    "소라",
    "여우",
    "나무",
    "겨울",
    "봄날",
    "감자",
    "라면",
];
const CHINESE: [&str; 16] = [
    "小", "貓咪", "月亮", "老王", "阿明", "龍", "星空", "熊貓", "風", "雪", "大白", "夜貓", "豆腐", "木木", "海",
    "茶茶",
];

/// The rest of a login to be parsed.
#[derive(Clone, Copy)]
struct Reader<'a>(&'a str);

impl Reader<'_> {
    fn literal(&mut self, literal: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(literal)?;
        Some(())
    }

    fn word(&mut self, words: &[&str; 256]) -> Option<u32> {
        // No word is a prefix of another. So if a word is a prefix of the rest, it is the last word that is not greater
        // than the rest.
        let index = words.partition_point(|&word| word <= self.0).checked_sub(1)?;
        self.literal(words[index])?;
        Some(index as u32)
    }

    fn syllables(&mut self, count: usize) -> Option<u32> {
        let letters = self.0.as_bytes().get(..2 * count)?;
        let mut value = 0;
        for syllable in letters.chunks_exact(2) {
            let consonant = CONSONANTS.iter().position(|letter| *letter == syllable[0])?;
            let vowel = VOWELS.iter().position(|letter| *letter == syllable[1])?;
            value = value * SYLLABLES + (consonant * 5 + vowel) as u32;
        }
        self.0 = &self.0[2 * count..];
        Some(value)
    }

    /// Parses the whole rest as a number; empty is zero.
    fn number(self, highest: u32) -> Option<u32> {
        if self.0.is_empty() {
            return Some(0);
        }
        self.0.parse().ok().filter(|number| *number <= highest)
    }

    /// Parses the whole rest as one of these, and returns its index.
    fn one_of(self, choices: &[&str]) -> Option<u32> {
        choices
            .iter()
            .position(|choice| *choice == self.0)
            .map(|index| index as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a word could be parsed as syllables with an ending.
    fn is_syllables(word: &str) -> bool {
        word.bytes().enumerate().all(|(at, letter)| match at % 2 {
            0 => CONSONANTS.contains(&letter),
            _ => VOWELS.contains(&letter),
        })
    }

    #[test]
    fn words_can_be_told_apart() {
        for words in [&FIRST_WORDS, &LAST_WORDS] {
            assert!(words.is_sorted());
            // In sorted order, a word that is a prefix of another would be a prefix of the next word.
            assert!(words.windows(2).all(|pair| !pair[1].starts_with(pair[0])));
            assert!(
                words
                    .iter()
                    .all(|word| !is_syllables(word) && (3..=6).contains(&word.len()))
            );
        }
        // Every ending is made of syllables; otherwise `fo` and `x` could be a word.
        assert!(ENDINGS[1..].iter().all(|ending| is_syllables(ending)));
        for opening in OPENINGS {
            assert!(!is_syllables(opening));
            assert!(FIRST_WORDS.iter().all(|word| !word.starts_with(opening)));
            assert!(FIRST_WORDS.iter().all(|word| !opening.starts_with(word)));
        }
    }

    #[test]
    fn every_number_has_a_login_of_its_own() {
        for number in (0..1 << NAME_BITS).step_by(4_099) {
            let Name { login, .. } = spell(number);
            assert_eq!(read(&login), Some(number), "{login}");
            assert!((4..=25).contains(&login.len()), "{login}");
            assert!(login.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_')));
        }
        for style in 0..STYLES {
            let last = ((style + 1) << VALUE_BITS) - 1;
            assert_eq!(read(&spell(last).login), Some(last), "{}", spell(last).login);
        }
    }

    #[test]
    fn no_other_spelling_is_read() {
        let numbered = spell(1 << VALUE_BITS | 12).login;
        assert!(numbered.ends_with("12"), "{numbered}");
        let padded = numbered.replace("12", "012");
        let signed = numbered.replace("12", "+12");
        for login in ["", "a", "_", "burkeblack", &padded, &signed, &numbered.to_uppercase()] {
            assert_eq!(read(login), None, "{login}");
        }
    }

    #[test]
    fn display_names_are_the_login_or_of_another_script() {
        let mut other_scripts = 0;
        for number in 0..20_000 {
            let name = spell(number * 104_729 % (1 << NAME_BITS));
            let display = name.display_name(Seed::new(1).of(number.into()));
            match display.is_ascii() {
                true => assert_eq!(display.to_ascii_lowercase(), name.login),
                false => other_scripts += 1,
            }
        }
        assert!((200..400).contains(&other_scripts), "{other_scripts}");
    }
}
