//! Command lines with plugins: values of options that only the plugin knows, and options about plugins at any position.

use std::fs;

use itch_tests::{Folder, fixtures, units_of};

use crate::plugins_found::with;

#[test]
fn a_value_that_looks_like_an_option_is_a_value() {
    let folder = with(&["hello"]);
    // Also at the first use, when the file is not in the index yet.
    for greeting in ["--no-plugins", "--prefer", "--plugin", "-v", "x"] {
        let ran = folder.itch(&["hello", "--greeting", greeting]);
        assert_eq!(ran.exits(0).stdout, format!("{greeting}\n"));
    }
    folder
        .itch(&["hello", "--greeting=--no-plugins"])
        .prints("--no-plugins\n");
    folder
        .itch(&["hello", "--greeting", "--plugin", "--columns", "greeting"])
        .prints("--plugin\n");
    // A file that is the value of an option is not a plugin, and the word after it is a separate argument.
    fs::copy(fixtures::plugin("newer"), folder.path("newer.so")).unwrap();
    folder
        .itch(&["hello", "--greeting", "--plugin", "newer.so"])
        .exits(2)
        .says("unexpected argument 'newer.so'");
}

#[test]
fn a_command_is_unknown_without_its_plugin() {
    let folder = with(&["hello"]);
    for arguments in [
        &["hello", "--no-plugins"][..],
        &["hello", "--greeting", "x", "--no-plugins"],
        &["hello", "--no-plugins", "--no-such"],
        &["--no-plugins", "hello", "--greeting", "x"],
    ] {
        folder.itch(arguments).exits(2).says("unrecognized subcommand 'hello'");
    }
    folder
        .itch(&["hello", "--no-such"])
        .exits(2)
        .says("unexpected argument '--no-such'");
    folder.itch(&["hello"]).exits(0);
    folder.itch(&["hello"]).prints("hello\n");
}

#[test]
fn a_file_is_found_behind_options_that_only_it_knows() {
    let folder = Folder::new();
    fs::copy(fixtures::plugin("hello"), folder.path("f.so")).unwrap();
    folder.itch(&["hello", "--greeting", "x", "--plugin", "f.so"]).exits(0);
    for arguments in [
        &["hello", "--greeting", "x", "--plugin", "f.so"][..],
        &["hello", "--greeting", "x", "--limit", "1", "--plugin=f.so"],
        &["hello", "--plugin", "f.so", "--greeting", "x"],
        &["--plugin", "f.so", "hello", "--greeting=x"],
    ] {
        folder.itch(arguments).prints("x\n");
    }
    folder
        .itch(&["hello", "--no-such", "x", "--plugin", "f.so"])
        .exits(2)
        .says("unexpected argument '--no-such'");
    folder
        .itch(&["hello", "--greeting", "x", "--limit", "none", "--plugin", "f.so"])
        .exits(2)
        .says("invalid value 'none' for '--limit <ROWS>'");
    folder
        .itch(&["hello", "--greeting", "x", "--plugin", "no-such.so"])
        .exits(1)
        .says("there is no such file");
}

#[test]
fn a_built_in_name_that_means_a_plugin_has_the_plugins_options() {
    let folder = with(&["talkative"]);
    let prefer = ["--prefer", "followers=talkative"];
    folder
        .itch(&[&["followers", "--greeting", "x"], &prefer[..]].concat())
        .exits(0);
    for arguments in [
        [&["followers", "--greeting", "x"], &prefer[..]].concat(),
        [&["followers"], &prefer[..], &["--greeting", "x"]].concat(),
        [&prefer[..], &["followers", "--greeting", "x"]].concat(),
    ] {
        folder.itch(&arguments).prints("x\n");
    }
    // Without it the option is unknown, and no plugin is searched for.
    folder
        .itch(&["followers", "--greeting", "x"])
        .exits(2)
        .says("unexpected argument '--greeting'");
}

#[test]
fn files_named_before_and_behind_a_command_all_take_part() {
    let folder = Folder::new();
    for name in ["hello", "newer", "talkative"] {
        fs::copy(fixtures::plugin(name), folder.path(&format!("{name}.so"))).unwrap();
    }
    let arguments = [
        "--plugin",
        "hello.so",
        "plugins",
        "--plugin=newer.so",
        "list",
        "--json",
        "--plugin",
        "talkative.so",
    ];
    let listed = folder.itch(&arguments);
    for name in ["hello", "newer", "talkative"] {
        assert!(listed.succeeds().stdout.contains(&format!("\"plugin\": \"{name}\"")), "{name}");
    }
    assert!(!units_of(&folder).iter().any(|unit| unit["plugin"] == "newer"));
}

#[test]
fn a_picture_is_drawn_by_the_plugin_that_its_name_says() {
    let folder = with(&["fixture-renderer"]);
    let picture = folder.path("a.rtally");
    let run = ["--sandbox", "followers", "-l", "20", "burkeblack", "--plot", "a.rtally"];
    let ran = folder.itch(&run);
    assert_eq!(ran.exits(0).rows().len(), 20);
    let first = fs::read_to_string(&picture).unwrap();
    assert!(first.starts_with("title \"burkeblack - followers\"\n"), "{first}");
    fs::remove_file(&picture).unwrap();
    folder.itch(&[&["--plot", "a.rtally"], &run[..5]].concat()).exits(0);
    assert_eq!(fs::read_to_string(&picture).unwrap(), first);

    // And a table by the renderer that `itch plot` names.
    folder.write("rows.tsv", &ran.stdout);
    for arguments in [
        &["plot", "-s", "rows.tsv", "b.rtally"][..],
        &["plot", "-s", "rows.tsv", "-o", "b.rtally"],
        &[
            "plot",
            "-s",
            "rows.tsv",
            "--renderer",
            "rust-renderer",
            "-o",
            "b.rtally",
        ],
    ] {
        folder.itch(arguments).exits(0);
        fs::remove_file(folder.path("b.rtally")).unwrap();
    }
    let ran = folder.itch(&["plot", "-s", "rows.tsv", "b.rtally", "--no-plugins"]);
    // A host without built-in units has no renderer at all then.
    let nothing_built_in = ran.stderr.contains("there are no renderers");
    assert!(nothing_built_in || ran.stderr.contains("no renderer draws `b.rtally`"), "{}", ran.stderr);
    ran.exits(2);
}

#[test]
fn the_later_of_two_options_counts_and_contradictions_are_refused() {
    let folder = Folder::new();
    let run = |arguments: &[&str]| folder.itch(&[arguments, &["burkeblack"]].concat());
    for (arguments, headed) in [
        (&["--header", "--sandbox", "followers", "-l", "1"][..], true),
        (&["--header", "--sandbox", "followers", "-l", "1", "--no-header"], false),
        (
            &[
                "--no-header",
                "--sandbox",
                "-l",
                "5",
                "followers",
                "-l",
                "1",
                "--header",
            ],
            true,
        ),
    ] {
        let ran = run(arguments);
        let rows = ran.succeeds().rows().len();
        assert_eq!(rows, if headed { 2 } else { 1 }, "{arguments:?}: {}", ran.stdout);
    }
    run(&["--refresh", "--sandbox", "followers", "--max-age", "1h"])
        .exits(2)
        .says("`--refresh` and `--max-age` contradict each other");
    run(&["--offline", "--sandbox", "followers", "--refresh"])
        .exits(2)
        .says("`--refresh` and `--offline` contradict each other");
}
