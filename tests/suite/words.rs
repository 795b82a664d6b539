//! Phrases that must not be used: `tests/words.txt` lists them, and no other file of the repository may contain one.

use itch_tests::root;

use crate::meta::files;

/// The extensions of the files that are searched.
const EXTENSIONS: [&str; 7] = ["rs", "md", "h", "c", "sh", "toml", "js"];
/// The markers that a line of a comment or a list can start with.
const MARKERS: [&str; 8] = ["//!", "///", "//", "/*", "*", "#", "<!--", ">"];

/// The words of a file in lower case, each followed by one space, without line breaks and comment markers.
struct Prose {
    text: String,
    /// The line number of each byte of the text.
    lines: Vec<usize>,
}

impl Prose {
    fn of(source: &str) -> Prose {
        let mut prose = Prose {
            text: String::new(),
            lines: Vec::new(),
        };
        for (at, line) in source.lines().enumerate() {
            let mut line = line.trim();
            // A string that continues on the next line.
            line = line.strip_suffix('\\').unwrap_or(line);
            while let Some(rest) = MARKERS.iter().find_map(|marker| line.strip_prefix(marker)) {
                line = rest.trim_start();
            }
            for word in line.split_whitespace() {
                prose.text.push_str(&word.to_lowercase());
                prose.text.push(' ');
                prose.lines.resize(prose.text.len(), at + 1);
            }
        }
        prose
    }

    /// The line numbers at which a phrase starts.
    fn find(&self, phrase: &str) -> Vec<usize> {
        let found = self.text.match_indices(phrase).filter(|(at, _)| {
            let (before, after) = (&self.text[..*at], &self.text[at + phrase.len()..]);
            let is_word = |character: char| character.is_alphanumeric() || character == '_';
            let part_of_a_word = before.ends_with(is_word) || after.starts_with(is_word);
            // "There is no time" is ordinary English.
            let ordinary = phrase.starts_with("is ") && before.ends_with("there ");
            !part_of_a_word && !ordinary
        });
        found.map(|(at, _)| self.lines[at]).collect()
    }
}

#[test]
fn no_file_has_a_phrase_of_the_list() {
    let list = std::fs::read_to_string(root().join("tests/words.txt")).unwrap();
    let phrases: Vec<&str> = list
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    assert!(!phrases.is_empty());
    for phrase in &phrases {
        let normal = Prose::of(phrase).text;
        assert_eq!(normal.trim_end(), *phrase, "write phrases in lower case, with single spaces");
    }
    let mut hits = Vec::new();
    for path in EXTENSIONS.into_iter().flat_map(files) {
        let prose = Prose::of(&std::fs::read_to_string(&path).unwrap());
        let path = path.strip_prefix(root()).unwrap_or(&path).display();
        for phrase in &phrases {
            let lines = prose.find(phrase).into_iter();
            hits.extend(lines.map(|line| format!("{path}:{line}: {phrase}")));
        }
    }
    assert!(hits.is_empty(), "phrases of tests/words.txt:\n{}", hits.join("\n"));
}

#[test]
fn a_phrase_is_found_across_lines_and_only_as_whole_words() {
    for (source, lines) in [
        ("once in a blue moon", &[1_usize][..]),
        ("A Blue\nMoon", &[1]),
        ("\n/// a blue\n    /// moon", &[2]),
        ("//! blue\n//!\n//! moon", &[1]),
        ("say(\"a blue \\\n  moon\")", &[1]),
        (" * blue\n * moon, blue  moon", &[1, 2]),
        ("# blue\n# moons", &[]),
        ("skyblue moon, a_blue moon", &[]),
    ] {
        assert_eq!(Prose::of(source).find("blue moon"), lines, "{source:?}");
    }
    assert_eq!(Prose::of("There is no moon.\nThis is\nno moon.").find("is no moon"), [2]);
}
