//! Failures of `itch plugins new`: one message, and no files are left.

use itch_tests::Folder;

#[test]
fn a_name_that_cannot_be_one_is_refused() {
    for (name, why) in [
        ("9x", "error: `9x` does not begin with a letter\n"),
        ("Hello", "error: `Hello` is not a valid name: use lower-case letters, digits, `-` and `_`\n"),
        ("../x", "error: `../x` is not a valid name: use lower-case letters, digits, `-` and `_`\n"),
        ("plugins", "error: `plugins` is a built-in command of itch\n"),
        ("followers", "error: there is a report `followers` already\nhint: itch plugins list\n"),
    ] {
        for language in ["c", "rust"] {
            let folder = Folder::new();
            let ran = folder.itch(&["plugins", "new", name, "--lang", language]);
            let ran = ran.exits(2);
            assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", why));
            assert_eq!(std::fs::read_dir(folder.path(".")).unwrap().count(), 0);
        }
    }
}

#[test]
fn what_is_there_is_left_alone() {
    let folder = Folder::new();
    folder.write("hello", "mine");
    let ran = folder.itch(&["plugins", "new", "hello"]);
    assert_eq!(
        ran.exits(2).stderr,
        "error: `hello` exists already\nhint: choose another name, or another directory\n"
    );
    assert_eq!(folder.read("hello"), "mine");
}

#[test]
fn a_source_tree_that_is_none_is_said() {
    let folder = Folder::new();
    let ran = folder.itch(&["plugins", "new", "hello", "--sdk", "nowhere"]);
    assert_eq!(
        ran.exits(2).stderr,
        "error: there is no source tree of itch at `nowhere`\nhint: itch plugins new hello --sdk DIRECTORY\n"
    );
    let ran = folder.itch(&["plugins", "new", "hello", "--lang", "c", "--sdk", "."]);
    assert_eq!(
        ran.exits(2).stderr,
        "error: a plugin in C needs no source tree: the header comes with it\n\
         hint: itch plugins new hello --lang c\n"
    );
    assert!(!folder.path("hello").exists());
}

#[test]
fn the_name_stands_in_every_file() {
    let folder = Folder::new();
    for (name, language) in [("in-c", "c"), ("in-rust", "rust")] {
        folder
            .itch(&["-q", "plugins", "new", name, "--lang", language])
            .succeeds();
        let mut files = 0;
        let mut folders = vec![folder.path(name)];
        while let Some(next) = folders.pop() {
            for entry in std::fs::read_dir(next).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = std::fs::read_to_string(&path).unwrap();
                assert!(!text.contains("{{"), "{} is not filled in", path.display());
                files += 1;
            }
        }
        assert!(files >= 4, "{name}: {files}");
    }
    assert!(
        folder
            .read("in-rust/README.md")
            .contains("target/release/libin_rust.so")
    );
    assert!(folder.read("in-c/Makefile").contains("\nin-c.so: plugin.c"));
}
