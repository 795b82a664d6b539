//! The pages of documentation and their blocks.
//!
//! `pages_written` writes the generated parts; `pages_run` runs every command.

use std::path::Path;

use itch_tests::{Folder, root};

/// Every page for users and contributors.
pub(crate) const PAGES: &[&str] = &[
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/account.md",
    "docs/api-command.md",
    "docs/architecture.md",
    "docs/caches.md",
    "docs/completeness.md",
    "docs/library.md",
    "docs/plotting.md",
    "docs/plugins.md",
    "docs/recipes.md",
    "docs/reference.md",
    "docs/reports.md",
];
/// The maximum number of lines in the README.
const MOST_README_LINES: usize = 200;

/// Reads a file of the repository.
pub(crate) fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A fenced block of a page.
#[derive(Clone, Debug)]
pub(crate) struct Block {
    /// The second-level heading above it.
    pub(crate) section: String,
    /// The text after the opening fence.
    pub(crate) language: String,
    /// The comment directly above it: `<!-- … -->` without the markers.
    pub(crate) marker: Option<String>,
    pub(crate) lines: Vec<String>,
}

/// The text of a comment that is a whole line.
pub(crate) fn comment(line: &str) -> Option<&str> {
    line.strip_prefix("<!-- ")?.strip_suffix(" -->")
}

/// The fenced blocks of a page.
pub(crate) fn blocks(page: &str) -> Vec<Block> {
    let (mut section, mut marker) = (String::new(), None);
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(heading) = line.strip_prefix("## ") {
            section = heading.to_owned();
        }
        if let Some(language) = line.strip_prefix("```") {
            blocks.push(Block {
                section: section.clone(),
                language: language.to_owned(),
                marker: marker.take(),
                lines: lines
                    .by_ref()
                    .take_while(|line| *line != "```")
                    .map(str::to_owned)
                    .collect(),
            });
        } else if !line.is_empty() {
            marker = comment(line).map(str::to_owned);
        }
    }
    blocks
}

/// The text between single backticks.
pub(crate) fn inline_code(page: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut fenced = false;
    for line in page.lines() {
        let is_fence = line.starts_with("```");
        fenced ^= is_fence;
        if !fenced && !is_fence {
            found.extend(line.split('`').skip(1).step_by(2));
        }
    }
    found
}

#[test]
fn every_page_is_known() {
    let mut found: Vec<String> = Vec::new();
    for (folder, prefix) in [("", ""), ("docs", "docs/")] {
        for entry in std::fs::read_dir(root().join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            // Its examples are of older versions.
            if name.ends_with(".md") && name != "CHANGELOG.md" {
                found.push(format!("{prefix}{name}"));
            }
        }
    }
    found.sort();
    let mut known = PAGES.to_vec();
    known.sort();
    assert_eq!(found, known);
}

#[test]
fn the_readme_fits_on_a_page() {
    let lines = read("README.md").lines().count();
    assert!(lines <= MOST_README_LINES, "README.md has {lines} lines");
}

/// An indented block has no language, so the tests cannot know whether to run it.
#[test]
fn commands_stand_in_fenced_blocks() {
    for page in PAGES {
        let mut fenced = false;
        for line in read(page).lines() {
            fenced ^= line.starts_with("```");
            let indented =
                line.starts_with("    ") || line.trim_start() != line && line.trim_start().starts_with("```");
            assert!(fenced || !indented, "{page}: `{line}` is indented; use a fence at the start of a line");
        }
    }
}

/// The itch commands in a sentence, such as `itch cache stats`.
#[test]
fn every_command_that_is_mentioned_exists() {
    let folder = Folder::new();
    let mut mentioned = Vec::new();
    for page in PAGES {
        let text = read(page);
        for code in inline_code(&text)
            .into_iter()
            .filter_map(|code| code.strip_prefix("itch "))
        {
            let is_name = |word: &&str| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
            let is_name = |word: &&str| is_name(word) && !word.starts_with('-');
            let words: Vec<String> = code.split(' ').take_while(is_name).take(2).map(str::to_owned).collect();
            // The plugin that docs/plugins.md creates.
            if !words.is_empty() && words[0] != "hello" {
                mentioned.push(words);
            }
        }
    }
    mentioned.sort();
    mentioned.dedup();
    assert!(mentioned.len() > 10, "{mentioned:?}");
    for words in mentioned {
        let mut arguments: Vec<&str> = words.iter().map(String::as_str).collect();
        arguments.push("--help");
        folder.itch(&arguments).exits(0);
    }
}

/// Every configuration on a page is valid.
#[test]
fn every_configuration_is_understood() {
    let mut found = 0;
    for page in PAGES {
        let blocks = blocks(&read(page));
        for block in blocks.iter().filter(|block| block.language == "toml") {
            if block
                .lines
                .first()
                .is_some_and(|line| line.ends_with("itch/config.toml"))
            {
                let folder = Folder::new();
                std::fs::create_dir_all(folder.path("config/itch")).unwrap();
                folder.write("config/itch/config.toml", &block.lines.join("\n"));
                folder.itch(&["--sandbox", "created", "burkeblack"]).exits(0);
                found += 1;
            }
        }
    }
    assert!(found > 2, "{found}");
}

/// Every file that a page names exists: `itch/api/src/`, `README.md`, `src/<name>.rs`.
#[test]
fn every_file_that_is_named_exists() {
    let listed = std::process::Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let files: Vec<&str> = listed.lines().filter(|file| root().join(file).exists()).collect();
    assert!(files.len() > 100, "{files:?}");
    let mut found = 0;
    for page in ["CONTRIBUTING.md", "docs/architecture.md"] {
        let text = read(page);
        for name in inline_code(&text).into_iter().filter(|code| is_path(code)) {
            assert!(exists(name, &files), "{page} names `{name}`, which does not exist");
            found += 1;
        }
    }
    assert!(found > 60, "{found}");
}

fn is_path(code: &str) -> bool {
    let known = [".rs", ".md", ".h", ".c", "Cargo.toml", ".txt"];
    let of_the_user = code.starts_with(['~', '/', '$']) || code.contains("://");
    let is_name = code
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"._-/<>".contains(&byte));
    is_name && !of_the_user && (known.iter().any(|end| code.ends_with(end)) || code.ends_with('/'))
}

/// Whether a file has this path, or a path that ends with it. A name in angle brackets matches any name.
fn exists(name: &str, files: &[&str]) -> bool {
    let parts: Vec<&str> = name.trim_end_matches('/').split('/').collect();
    let fits = |part: &str, found: &str| match (part.find('<'), part.rfind('>')) {
        (Some(start), Some(end)) => found.starts_with(&part[..start]) && found.ends_with(&part[end + 1..]),
        _ => part == found,
    };
    files.iter().any(|file| {
        let found: Vec<&str> = file.split('/').collect();
        let mut places = found.windows(parts.len()).enumerate();
        places.any(|(at, window)| {
            let is_last = at + parts.len() == found.len();
            (is_last != name.ends_with('/')) && parts.iter().zip(window).all(|(part, found)| fits(part, found))
        })
    })
}

#[test]
fn a_named_file_may_be_the_end_of_a_path() {
    let files = ["a/b/c.rs", "a/b/dd.rs"];
    for name in [
        "a/b/c.rs",
        "c.rs",
        "b/c.rs",
        "b/",
        "a/b/",
        "a/b/<name>.rs",
        "b/d<name>.rs",
    ] {
        assert!(exists(name, &files), "{name}");
    }
    for name in ["b.rs", "a/c.rs", "c/", "b/e<name>.rs", "a/b"] {
        assert!(!exists(name, &files), "{name}");
    }
}

#[test]
fn blocks_are_found_with_their_markers() {
    let page = "# A\n```sh\none\n```\n## B\n<!-- not run: x -->\n\n```console\n$ two\nthree\n```\ntext\n```\n```\n";
    let found = blocks(page);
    let seen: Vec<_> = found
        .iter()
        .map(|block| (block.section.as_str(), block.language.as_str()))
        .collect();
    assert_eq!(seen, [("", "sh"), ("B", "console"), ("B", "")]);
    assert_eq!(found[1].marker.as_deref(), Some("not run: x"));
    assert_eq!((found[1].lines.len(), found[2].marker.is_none()), (2, true));
    assert_eq!(inline_code("a `b` c\n```\n`d`\n```\n`e`"), ["b", "e"]);
}
