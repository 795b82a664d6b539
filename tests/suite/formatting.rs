//! Whether rustfmt has formatted every item. If it cannot break a line, it silently leaves the whole item unformatted,
//! and `cargo fmt --check` passes whatever the indentation is.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use itch_tests::root;
use proc_macro2::{Delimiter, Spacing, Span, TokenStream, TokenTree};

use crate::meta::files;

/// Macros that rustfmt may leave unformatted, since it cannot parse their arguments.
const VERBATIM: [&str; 3] = ["json", "macro_rules", "table"];

/// The lines of a file that start inside a literal, an attribute, or a macro's body that rustfmt does not parse:
/// indentation there is content, or not checked.
fn lines_taken_as_they_are(source: &str) -> BTreeSet<usize> {
    fn note(span: Span, lines: &mut BTreeSet<usize>) {
        lines.extend(span.start().line + 1..=span.end().line);
    }
    fn walk(tokens: TokenStream, lines: &mut BTreeSet<usize>) {
        let mut before: Option<String> = None;
        let mut called = false;
        let mut attribute = false;
        for token in tokens {
            match token {
                TokenTree::Literal(literal) => note(literal.span(), lines),
                TokenTree::Group(group) => {
                    let verbatim = called && before.as_deref().is_some_and(|name| VERBATIM.contains(&name));
                    let verbatim = verbatim || attribute && group.delimiter() == Delimiter::Bracket;
                    match verbatim {
                        true => note(group.span(), lines),
                        false => walk(group.stream(), lines),
                    }
                    (before, called, attribute) = (None, false, false);
                }
                TokenTree::Punct(punct) if punct.as_char() == '#' => (before, called, attribute) = (None, false, true),
                TokenTree::Punct(punct) if punct.as_char() == '!' && punct.spacing() == Spacing::Alone => called = true,
                // `macro_rules! name { … }` has a name before the body.
                TokenTree::Ident(_) if called && before.as_deref() == Some("macro_rules") => {}
                TokenTree::Ident(ident) => (before, called, attribute) = (Some(ident.to_string()), false, false),
                TokenTree::Punct(_) => (before, called) = (None, false),
            }
        }
    }
    let mut lines = BTreeSet::new();
    walk(source.parse().unwrap(), &mut lines);
    lines
}

/// The source with every line indented by one more space than rustfmt uses.
fn indented(source: &str) -> String {
    let as_they_are = lines_taken_as_they_are(source);
    let mut text = String::with_capacity(source.len() + source.len() / 20);
    for (at, line) in source.split_inclusive('\n').enumerate() {
        if !line.trim().is_empty() && !as_they_are.contains(&(at + 1)) {
            text.push(' ');
        }
        text.push_str(line);
    }
    text
}

fn rustfmt(source: &str) -> String {
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(root().join("rustfmt.toml"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("rustfmt starts; it comes with `rustup component add rustfmt`");
    child.stdin.take().unwrap().write_all(source.as_bytes()).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

/// The first line of a file that rustfmt does not change.
fn left_out(path: &Path) -> Option<String> {
    let source = std::fs::read_to_string(path).unwrap();
    let formatted = rustfmt(&indented(&source));
    if formatted == source {
        return None;
    }
    let pairs = source.lines().zip(formatted.lines()).enumerate();
    let line = pairs
        .into_iter()
        .find(|(_, (is, would))| is != would)
        .map_or(0, |(at, _)| at + 1);
    let name = path.strip_prefix(root()).unwrap_or(path).display();
    Some(format!("{name}:{line}: rustfmt leaves this item as it is; break the line that is too long"))
}

#[test]
fn rustfmt_left_nothing_out() {
    // Templates are not valid Rust until they are filled in.
    let files: Vec<_> = files("rs")
        .into_iter()
        .filter(|path| !path.iter().any(|part| part == "templates"))
        .collect();
    let workers = thread::available_parallelism().map_or(1, |cores| cores.get());
    let left: Vec<String> = thread::scope(|scope| {
        let portions = files.chunks(files.len().div_ceil(workers));
        let running: Vec<_> = portions
            .map(|portion| scope.spawn(|| portion.iter().filter_map(|path| left_out(path)).collect::<Vec<_>>()))
            .collect();
        running.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    assert!(left.is_empty(), "{}", left.join("\n"));
}

#[test]
fn an_item_that_rustfmt_leaves_alone_is_noticed() {
    let long = "x".repeat(120);
    let source = format!("fn f() {{\n    g(\"{long}\")\n        .h(1)\n        .i(2)\n}}\n");
    assert_ne!(rustfmt(&indented(&source)), source);
    let text = "const A: &str = \"one\n  two\";\n\nfn f() {\n    let x = json!({\"a\": 1,\n      \"b\": 2});\n}\n";
    assert_eq!(rustfmt(&indented(text)), text);
}
