//! `itch plugins add`, `remove`, `enable`, `disable` and `path`.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use itch_tests::{Folder, fixtures, units_of};
use snapbox::prelude::*;
use snapbox::{assert_data_eq, str};

use crate::plugins_found::{own, status, with};

#[test]
fn added_removed_and_added_again() {
    let folder = Folder::new();
    let file = fixtures::plugin("newer");
    let add = ["plugins", "add", file.to_str().unwrap()];
    let added = folder.itch(&add);
    let own = own(&folder);
    assert_eq!(
        added.exits(0).stderr,
        format!(
            "added newer 1.2.3 (report newer) to {}\n",
            own.join("newer.so").display()
        )
    );
    let mode = fs::metadata(own.join("newer.so"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o644);
    assert_eq!(
        fs::metadata(&own).unwrap().permissions().mode() & 0o7777,
        0o755
    );
    // Added on purpose, it is not new to anybody.
    folder.itch(&["newer"]).prints("greeted by itself\n");
    folder.itch(&add).exits(0);
    assert_eq!(fs::read_dir(&own).unwrap().count(), 1);
    folder
        .itch(&["plugins", "remove", "newer"])
        .exits(0)
        .says("removed ");
    folder.itch(&["newer"]).exits(2);
    assert_eq!(fs::read_dir(&own).unwrap().count(), 0);
    folder
        .itch(&["plugins", "remove", "newer"])
        .exits(2)
        .says("there is no plugin `newer`");
}

#[test]
fn what_is_no_plugin_is_not_added() {
    let folder = Folder::new();
    let elsewhere = folder.path("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    for (file, why) in [
        (fixtures::text(&elsewhere), "file too short"),
        (
            fixtures::no_plugin(&elsewhere),
            "it has no `itch_plugin_v1`",
        ),
        (fixtures::directory(&elsewhere), "it is no regular file"),
        (fixtures::dangling(&elsewhere), "No such file"),
        (fixtures::plugin("needs-newer"), "it needs version 1.1"),
        (elsewhere.join("nothing.so"), "No such file"),
        (
            elsewhere.join("plugin.txt"),
            "a plugin is a file named *.so",
        ),
    ] {
        let refused = folder.itch(&["plugins", "add", file.to_str().unwrap()]);
        refused
            .exits(1)
            .says("cannot be added\n  caused by: ")
            .says(why);
    }
    let own = own(&folder);
    assert_eq!(fs::read_dir(own).map_or(0, Iterator::count), 0);
}

#[test]
fn only_the_own_directory_is_tidied() {
    let folder = Folder::new();
    let shared = folder.path("shared");
    fixtures::install(&["newer"], &shared);
    let folder = folder.variable("ITCH_PLUGIN_PATH", &shared);
    let refused = folder.itch(&["plugins", "remove", "newer"]);
    refused
        .exits(2)
        .says("`newer` is not in your own directory but at ")
        .says("hint: itch plugins disable newer");
    assert!(shared.join("newer.so").exists());
}

#[test]
fn disabled_is_off_until_it_is_enabled() {
    let folder = with(&["newer", "twin-a"]);
    folder.itch(&["newer"]).exits(0);
    folder
        .itch(&["plugins", "disable", "newer"])
        .exits(0)
        .says("disabled ");
    assert_eq!(status(&folder, "newer", "newer"), "disabled");
    let refused = folder.itch(&["newer"]);
    refused
        .exits(1)
        .says("cannot be used\n  caused by: it is disabled\nhint: itch plugins list\n");
    assert!(!folder.itch(&["--help"]).succeeds().stdout.contains("newer"));
    folder
        .itch(&["plugins", "enable", "newer"])
        .exits(0)
        .says("enabled ");
    folder.itch(&["newer"]).prints("greeted by itself\n");
    // One that was never looked at is not looked at while it is off.
    folder.itch(&["plugins", "disable", "twin-a.so"]).exits(0);
    fs::remove_file(folder.path("cache/itch/plugins.json")).unwrap();
    let list = folder.itch(&["plugins", "list"]);
    assert!(
        list.succeeds()
            .stdout
            .contains("twin-a.so\t\t\t\t\tdisabled\t")
    );
    folder.itch(&["plugins", "enable", "twin-a.so"]).exits(0);
    assert_eq!(status(&folder, "twin-a", "twin"), "new");
}

#[test]
fn two_plugins_of_one_name_are_told_apart_by_their_files() {
    let folder = Folder::new();
    let other = folder.path("other");
    fixtures::install(&["newer"], &other);
    fixtures::install(&["newer"], &own(&folder));
    let folder = folder.variable("ITCH_PLUGIN_PATH", &other);
    folder
        .itch(&["plugins", "disable", "newer"])
        .exits(2)
        .says("`newer` is at ")
        .says(" and at ");
    let path = other.join("newer.so");
    folder
        .itch(&["plugins", "disable", path.to_str().unwrap()])
        .exits(0);
    let statuses: Vec<_> = units_of(&folder)
        .into_iter()
        .filter(|unit| unit["plugin"] == "newer" || unit["name"] == "newer.so")
        .map(|unit| unit["status"].clone())
        .collect();
    assert!(
        statuses.contains(&"disabled".into()) && statuses.contains(&"new".into()),
        "{statuses:?}"
    );
}

#[test]
fn the_own_directory_is_printed_and_made() {
    let folder = Folder::new();
    let path = folder.itch(&["plugins", "path"]);
    path.prints(&format!("{}\n", own(&folder).display()));
    assert!(own(&folder).is_dir());
}

#[test]
fn information_about_a_plugin_and_about_a_file() {
    let folder = with(&["fixture-report"]);
    fixtures::text(&own(&folder));
    let info = folder.itch(&["plugins", "info", "fixture-report"]);
    let lines: Vec<&str> = info.succeeds().stdout.lines().collect();
    assert_eq!(lines[0], "fixture-report: new");
    assert!(lines[1].starts_with("  file     ") && lines[1].ends_with("fixture-report.so"));
    assert!(lines[2].starts_with("  sha256   ") && lines[2].len() == 11 + 64);
    assert_eq!(lines[3], "  version  0.1.0, ABI 1.0");
    assert!(lines.contains(&"  report   rust-report: new"), "{lines:?}");
    assert_data_eq!(
        folder.itch(&["plugins", "info", "text.so"]).all(),
        str![[r#"
exit code: 0
--- stdout
text.so: refused: file too short
  file     [FOLDER]/data/itch/plugins/text.so
  sha256   2396a697e4bb20e18ac8f116919898d03a941af9b2b6b597d24df74c44b1af50
--- stderr

"#]]
        .raw()
    );
}
