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
    let (line, from) = added.exits(0).stderr.split_once('\n').unwrap();
    assert_eq!(line, format!("added newer 1.2.3 (report newer) to {}", own.join("newer.so").display()));
    assert!(from.starts_with(&format!("from {}, sha256:", file.display())), "{from}");
    assert_eq!(from.lines().count(), 1, "it asks for nothing: {from}");
    let mode = fs::metadata(own.join("newer.so")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o644);
    assert_eq!(fs::metadata(&own).unwrap().permissions().mode() & 0o7777, 0o755);
    // A file that was added is not reported as new.
    folder.itch(&["newer"]).prints("greeted by itself\n");
    folder.itch(&add).exits(0).says("replaced newer 1.2.3\n");
    assert_eq!(fs::read_dir(&own).unwrap().count(), 1);
    folder.itch(&["plugins", "remove", "newer"]).exits(0).says("removed ");
    folder.itch(&["newer"]).exits(2);
    assert_eq!(fs::read_dir(&own).unwrap().count(), 0);
    folder
        .itch(&["plugins", "remove", "newer"])
        .exits(2)
        .says("there is no plugin `newer`");
}

/// Copies a plugin's library into a folder under another name.
fn renamed(folder: &Folder, plugin: &str, file: &str) -> String {
    fs::create_dir_all(folder.path("elsewhere")).unwrap();
    let path = folder.path("elsewhere").join(file);
    fs::copy(fixtures::plugin(plugin), &path).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_plugin_takes_its_own_place_and_no_others() {
    let folder = with(&["twin-a", "newer"]);
    let own = own(&folder);
    let files = || {
        let entries = fs::read_dir(&own).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    // Another plugin with the same file name.
    let before = fs::read(own.join("twin-a.so")).unwrap();
    let other = renamed(&folder, "twin-b", "twin-a.so");
    let path = own.join("twin-a.so");
    let refused = folder.itch(&["plugins", "add", &other]);
    refused
        .exits(1)
        .says("cannot be added\n  caused by: the plugin `twin-a` already has a file of this name\n")
        .says(&format!("hint: itch plugins remove {}\n", path.display()));
    assert_eq!(fs::read(&path).unwrap(), before);
    // The same plugin with another file name.
    folder.itch(&["plugins", "disable", "newer"]).exits(0);
    let update = renamed(&folder, "newer", "libnewer.so");
    let added = folder.itch(&["plugins", "add", &update]);
    let (told, _) = added.exits(0).stderr.split_once("from ").unwrap();
    assert_eq!(
        told,
        format!(
            "added newer 1.2.3 (report newer) to {}\nreplaced newer 1.2.3, which was at {}\n",
            own.join("libnewer.so").display(),
            own.join("newer.so").display()
        )
    );
    assert_eq!(files(), ["libnewer.so", "twin-a.so"]);
    folder.itch(&["newer"]).prints("greeted by itself\n");
    assert!(!folder.read("data/itch/plugins.lock").contains("/newer.so\""));
    // A file that cannot be used is replaced.
    let text = fixtures::text(&own);
    let repaired = renamed(&folder, "twin-b", "text.so");
    folder
        .itch(&["plugins", "add", &repaired])
        .exits(0)
        .says("replaced text.so\n");
    assert_eq!(fs::read(text).unwrap(), fs::read(fixtures::plugin("twin-b")).unwrap());
    // If the same plugin is installed twice, one has to be removed first.
    fixtures::install(&["newer"], &own);
    let again = renamed(&folder, "newer", "third.so");
    folder
        .itch(&["plugins", "add", &again])
        .exits(1)
        .says("`newer` is already installed twice: at ")
        .says(&format!("hint: itch plugins remove {}\n", own.join("newer.so").display()));
    assert_eq!(files(), ["libnewer.so", "newer.so", "text.so", "twin-a.so"]);
}

#[test]
fn what_an_ended_add_left_behind_is_swept_away() {
    let folder = with(&["twin-a"]);
    let own = own(&folder);
    fs::write(own.join(".aBcDeF.part"), "half").unwrap();
    fs::write(own.join(".mine"), "kept").unwrap();
    let file = fixtures::plugin("newer");
    folder.itch(&["plugins", "add", file.to_str().unwrap()]).exits(0);
    assert!(!own.join(".aBcDeF.part").exists());
    assert!(own.join(".mine").exists() && own.join("newer.so").exists());
}

#[test]
fn a_pipe_is_not_waited_for() {
    let folder = Folder::new();
    let pipe = folder.path("pipe.so");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let pipe = pipe.to_str().unwrap();
    folder
        .itch(&["plugins", "add", pipe])
        .exits(1)
        .says("cannot be added\n  caused by: it is not a regular file\n");
    folder.itch(&["plugins", "check", pipe]).exits(1);
    folder.itch(&["--plugin", pipe, "plugins", "list"]).exits(0);
}

#[test]
fn what_is_no_plugin_is_not_added() {
    let folder = Folder::new();
    let elsewhere = folder.path("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    for (file, why) in [
        (fixtures::text(&elsewhere), "file too short"),
        (fixtures::no_plugin(&elsewhere), "it has no symbol `itch_plugin_v1`"),
        (fixtures::directory(&elsewhere), "it is not a regular file"),
        (fixtures::dangling(&elsewhere), "there is no such file"),
        (fixtures::plugin("needs-newer"), "it needs version 1.1"),
        (elsewhere.join("nothing.so"), "there is no such file"),
        (elsewhere.join("plugin.txt"), "a plugin is a file named *.so"),
    ] {
        let refused = folder.itch(&["plugins", "add", file.to_str().unwrap()]);
        refused.exits(1).says("cannot be added\n  caused by: ").says(why);
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
        .says("`newer` is not in your plugin directory but at ")
        .says("hint: itch plugins disable newer");
    assert!(shared.join("newer.so").exists());
}

#[test]
fn disabled_is_off_until_it_is_enabled() {
    let folder = with(&["newer", "twin-a"]);
    folder.itch(&["newer"]).exits(0);
    folder.itch(&["plugins", "disable", "newer"]).exits(0).says("disabled ");
    assert_eq!(status(&folder, "newer", "newer"), "disabled");
    let refused = folder.itch(&["newer"]);
    refused
        .exits(1)
        .says("cannot be used\n  caused by: it is disabled\nhint: itch plugins enable newer\n");
    assert!(!folder.itch(&["--help"]).succeeds().stdout.contains("newer"));
    folder.itch(&["plugins", "enable", "newer"]).exits(0).says("enabled ");
    folder.itch(&["newer"]).prints("greeted by itself\n");
    // A file that was never inspected is not inspected while it is disabled.
    folder.itch(&["plugins", "disable", "twin-a.so"]).exits(0);
    fs::remove_file(folder.path("cache/itch/plugins.json")).unwrap();
    let list = folder.itch(&["plugins", "list"]);
    assert!(list.succeeds().stdout.contains("twin-a.so\t\ttwin-a\t\t\tdisabled\t"));
    folder.itch(&["plugins", "enable", "twin-a.so"]).exits(0);
    assert_eq!(status(&folder, "twin-a", "twin"), "new");
}

#[test]
fn what_is_so_already_is_said() {
    let folder = with(&["newer"]);
    let enable = ["plugins", "enable", "newer"];
    folder.itch(&enable).exits(0).says("`newer` is enabled already\n");
    for _ in 0..2 {
        folder.itch(&["plugins", "disable", "newer"]).exits(0);
    }
    folder
        .itch(&["plugins", "disable", "newer"])
        .says("`newer` is disabled already\n");
    folder
        .itch(&["plugins", "trust", "newer"])
        .exits(1)
        .says("caused by: it is disabled\nhint: itch plugins enable ");
    folder.itch(&enable).exits(0).says("enabled newer at ");
    assert_eq!(status(&folder, "newer", "newer"), "new");
}

#[test]
fn a_name_that_is_no_plugins_says_whose_it_is() {
    let folder = with(&["twin-a"]);
    for command in ["disable", "enable", "remove", "trust"] {
        let of_unit = folder.itch(&["plugins", command, "twin"]);
        assert_eq!(
            of_unit.exits(2).stderr,
            format!("error: `twin` is a report of the plugin `twin-a`\nhint: itch plugins {command} twin-a\n")
        );
        for built_in in ["followers", "num_followers", "itch-reports"] {
            let refused = folder.itch(&["plugins", command, built_in]);
            assert_eq!(
                refused.exits(2).stderr,
                format!("error: `{built_in}` is built in: it has no file\nhint: itch plugins info {built_in}\n")
            );
        }
    }
    let info = folder.itch(&["plugins", "info", "itch-caches"]);
    info.prints(
        "itch-caches: built-in\n  version  0.1.0, ABI 1.0\n  cache    file: ok\n  \
         cache    memcache: ok\n  cache    redis: ok\n",
    );
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
    folder.itch(&["plugins", "disable", path.to_str().unwrap()]).exits(0);
    let statuses: Vec<_> = units_of(&folder)
        .into_iter()
        .filter(|unit| unit["plugin"] == "newer" || unit["name"] == "newer.so")
        .map(|unit| unit["status"].clone())
        .collect();
    assert!(statuses.contains(&"disabled".into()) && statuses.contains(&"new".into()), "{statuses:?}");
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
