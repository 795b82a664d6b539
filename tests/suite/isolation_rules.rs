//! Invalid rows, unknown statuses, and errors that a plugin ignores: each ends the run with an error that names the
//! plugin, both in a separate process and in the same one.

use std::fs;

use itch_tests::{Folder, fixtures};

use crate::isolation::known;
use crate::plugins_found::{own, status, with};

/// The violations, and their messages.
const ODD: &[(&str, &str)] = &[
    ("no-json", "the plugin `odd` printed a line that is not a JSON array"),
    ("few", "the plugin `odd` printed a row of 1 cell, but declares 2 columns"),
    ("many", "the plugin `odd` printed a row of 3 cells, but declares 2 columns"),
    ("big", "the plugin `odd` printed a number in column `n`, which holds whole numbers"),
    ("nan", "the plugin `odd` printed a line that is not a JSON array"),
    ("counted-more", "the plugin `odd` emitted 2 rows but gave their number as 7"),
    ("counted-none", "the plugin `odd` emitted 2 rows but gave their number as 0"),
    ("no-line-feed", "the plugin `odd` emitted a row without a line feed at its end"),
    ("empty-line", "the plugin `odd` emitted an empty line among its rows"),
    ("huge", "the plugin `odd` emitted a row of 64 MiB; the limit is 64 MiB"),
    ("nowhere", "the plugin `odd` emitted an invalid buffer of 400 bytes"),
    ("status", "the plugin `odd` returned status 12345, which is not valid here"),
    ("done", "the plugin `odd` returned status 1, which is not valid here"),
    ("negative", "the plugin `odd` returned status -99, which is not valid here"),
    ("silent", "the plugin `odd` failed without an error message"),
];

fn inside(folder: &Folder) {
    fs::create_dir_all(folder.path("config/itch")).unwrap();
    folder.write("config/itch/config.toml", "[plugins]\nin-process = [\"odd\"]\n");
}

#[test]
fn what_breaks_the_rules_is_an_error_that_names_the_plugin_once() {
    let folder = known("odd");
    for door in ["its own process", "ours"] {
        for (what, told) in ODD {
            let ran = folder.itch(&["odd", what]);
            ran.exits(1);
            assert!(ran.stdout.starts_with("a\t1\n"), "{what} in {door}");
            let error = ran.stderr.lines().next().unwrap();
            assert_eq!(error, format!("error: {told}"), "{what} in {door}");
            let named = ran.stderr.matches("`odd`").count();
            assert_eq!(named, 1, "{what} in {door}: {}", ran.stderr);
        }
        folder.itch(&["odd", "nothing"]).prints("a\t1\n");
        // A failed request that the report ignores: nobody is signed in.
        let ignores = folder.itch(&["odd", "ignores"]);
        ignores
            .exits(3)
            .says("a request of the report failed, and it printed nothing");
        // A usage error of the plugin itself is not changed.
        let own = folder.itch(&["odd", "no-such"]);
        own.exits(2).says("error: there is nothing so odd\n");
        inside(&folder);
    }
}

#[test]
fn errors_and_warnings_of_a_plugin_reach_the_person_as_our_own_do() {
    let folder = known("odd");
    for quiet in [&["odd", "log"][..], &["-q", "odd", "log"]] {
        let ran = folder.itch(quiet);
        ran.exits(0).says(" error: an error of mine\n");
        ran.says(" warning: a warning of mine\n");
        assert!(!ran.stderr.contains("a word of mine"), "{}", ran.stderr);
    }
    let verbose = folder.itch(&["-v", "odd", "log"]);
    verbose.exits(0).says(" info: a word of mine\n");
}

/// A file chooses its own name, so only a file that was used or trusted before is loaded into the process.
#[test]
fn only_a_file_that_was_used_before_runs_inside() {
    let folder = with(&["stdout"]);
    fs::create_dir_all(folder.path("config/itch")).unwrap();
    folder.write("config/itch/config.toml", "[plugins]\nin-process = [\"stdout\"]\n");
    // Inside the process, what it prints itself is mixed with the rows.
    let rows = "one\ntwo\nthree\nfour\n";
    assert_eq!(folder.itch(&["stdout"]).exits(0).stdout, rows);
    assert!(folder.itch(&["stdout"]).exits(0).stdout.contains("not a row"));
    // A changed file is not trusted, whatever its name; here, one byte is appended.
    let file = own(&folder).join(fixtures::file_name("stdout"));
    let mut bytes = fs::read(&file).unwrap();
    bytes.push(0);
    fs::remove_file(&file).unwrap();
    fs::write(&file, bytes).unwrap();
    let changed = folder.itch(&["stdout"]);
    changed.exits(0).says("has changed");
    assert_eq!(changed.stdout, rows);
}

#[test]
fn a_description_without_end_is_refused_unread() {
    let folder = with(&["long-spec", "long-name"]);
    for (plugin, why) in [
        ("long-spec", "the description of a unit is 419430400 bytes long, more than 1048576"),
        ("long-name", "the name of a unit is 18446744073709551615 bytes long, more than 64"),
    ] {
        let file = fixtures::file_name(plugin);
        assert_eq!(status(&folder, plugin, &file), format!("refused: {why}"));
    }
}
