//! Which files may run: first uses and changes are reported once, pinned hashes are enforced, and files that other
//! users could have written are refused.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use itch_tests::{Folder, fixtures};
use serde_json::Value;

use crate::plugins_found::{own, status, with};

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Replaces one plugin's file by another, as an update does.
fn replace(folder: &Folder, file: &str, by: &str) {
    let target = own(folder).join(file);
    fs::remove_file(&target).unwrap();
    fs::copy(fixtures::plugin(by), target).unwrap();
}

fn configure(folder: &Folder, text: &str) {
    fs::create_dir_all(folder.path("config/itch")).unwrap();
    folder.write("config/itch/config.toml", text);
}

#[test]
fn a_first_use_and_each_change_are_told_once() {
    let folder = with(&["newer"]);
    assert_eq!(status(&folder, "newer", "newer"), "new");
    let path = own(&folder).join("newer.so");
    let first = folder.itch(&["newer"]);
    let hash = hash(&folder, "newer");
    let line = format!("plugin newer 1.2.3 from {} (sha256:{}…) is new\n", path.display(), &hash[..16]);
    assert_eq!(first.exits(0).stderr, line);
    folder.itch(&["newer"]).prints("greeted by itself\n");
    assert_eq!(status(&folder, "newer", "newer"), "ok");

    // Another file with the same name and unit: the other twin.
    let folder = with(&["twin-a"]);
    folder.itch(&["twin"]).says("is new");
    replace(&folder, "twin-a.so", "twin-b");
    assert_eq!(status(&folder, "twin-b", "twin"), "changed");
    let changed = folder.itch(&["twin"]);
    changed
        .exits(0)
        .says("plugin twin-b 1.2.3 from ")
        .says(" has changed\n");
    folder.itch(&["twin"]).prints("greeted by itself\n");
    // The same bytes with a new date are not a change.
    replace(&folder, "twin-a.so", "twin-b");
    folder.itch(&["twin"]).prints("greeted by itself\n");
}

/// The full hash of a plugin's file.
fn hash(folder: &Folder, name: &str) -> String {
    let info = folder.itch(&["plugins", "info", name, "--json"]);
    let info: Value = serde_json::from_str(&info.succeeds().stdout).unwrap();
    info["sha256"].as_str().unwrap().to_owned()
}

#[test]
fn pinned_means_pinned() {
    let folder = with(&["twin-a", "newer"]);
    configure(&folder, "[plugins]\npolicy = \"pinned\"\n");
    let refused = folder.itch(&["twin"]);
    refused.exits(2);
    let list = folder.itch(&["plugins", "list"]);
    let row = list
        .succeeds()
        .cells()
        .into_iter()
        .find(|row| row[0] == "twin-a.so")
        .unwrap();
    // Its description is unknown too, since it was not loaded.
    assert_eq!(&row[1..6], ["", "", "", "", "refused: it is not trusted"]);
    folder
        .itch(&["plugins", "trust", "twin-a.so"])
        .exits(0)
        .says("trusted ");
    folder.itch(&["twin"]).prints("greeted by itself\n");
    assert_eq!(status(&folder, "twin-a", "twin"), "ok");
    // The other one is still not trusted.
    folder.itch(&["newer"]).exits(2);

    replace(&folder, "twin-a.so", "twin-b");
    assert_eq!(status(&folder, "twin-a", "twin-a.so"), "refused: it is not trusted");
    folder.itch(&["twin"]).exits(2);
    // Every command still accepts the name under which it was trusted.
    let info = folder.itch(&["plugins", "info", "twin-a"]);
    assert!(
        info.succeeds()
            .stdout
            .starts_with("twin-a: refused: it is not trusted\n")
    );
    for command in ["disable", "enable"] {
        folder.itch(&["plugins", command, "twin-a"]).exits(0);
    }
    let trusted = folder.itch(&["plugins", "trust", "twin-a"]);
    trusted
        .exits(0)
        .says("trusted twin-b 1.2.3 (report twin) at ")
        .says("twin-a.so, as it is now\n");
    folder.itch(&["twin"]).prints("greeted by itself\n");
    replace(&folder, "twin-a.so", "twin-a");
    folder.itch(&["plugins", "remove", "twin-b"]).exits(0);
    assert!(!own(&folder).join("twin-a.so").exists());

    // A file that is added is trusted.
    let newer = fixtures::plugin("newer");
    folder.itch(&["plugins", "add", newer.to_str().unwrap()]).exits(0);
    folder.itch(&["newer"]).prints("greeted by itself\n");
}

#[test]
fn an_untrusted_file_says_so_by_its_units_once_they_are_known() {
    let folder = with(&["newer"]);
    folder.itch(&["newer"]).exits(0);
    fs::remove_file(folder.path("data/itch/plugins.lock")).unwrap();
    configure(&folder, "[plugins]\npolicy = \"pinned\"\n");
    let refused = folder.itch(&["newer"]);
    refused
        .exits(1)
        .says("error: the report `newer` of newer (")
        .says("cannot be used\n  caused by: it is not trusted\nhint: itch plugins trust newer\n");
}

#[test]
fn a_lock_file_that_cannot_be_read_trusts_nothing_and_is_kept() {
    let folder = with(&["newer", "twin-a"]);
    folder.itch(&["newer"]).exits(0);
    folder.itch(&["plugins", "disable", "twin-a"]).exits(0);
    let lock = folder.path("data/itch/plugins.lock");
    let lock = lock.display();
    for broken in ["{ half", "", "[]", "{\"v\":2}"] {
        folder.write("data/itch/plugins.lock", broken);
        // A plugin that was used before is not trusted, and a disabled one is not either.
        for report in ["newer", "twin"] {
            let refused = folder.itch(&[report]);
            assert_ne!(refused.code, 0, "{report}");
            assert_eq!(refused.stdout, "");
            refused
                .says(&format!("warning: the lock file `{lock}` cannot be read: "))
                .says("; no plugin is trusted until this is fixed\n")
                .says(&format!("hint: mv {lock} {lock}.broken\n"));
        }
        let list = folder.itch(&["plugins", "list"]);
        let cells = list.exits(0).cells();
        let newer = cells.iter().find(|row| row[0] == "newer").unwrap();
        assert_eq!(newer[5], "refused: it is not trusted");
        let file = fixtures::plugin("newer");
        for command in [
            ["plugins", "trust", "newer"],
            ["plugins", "disable", "newer"],
            ["plugins", "add", file.to_str().unwrap()],
        ] {
            folder
                .itch(&command)
                .exits(1)
                .says("error: the lock file `")
                .says(&format!("hint: mv {lock} {lock}.broken\n"));
        }
        assert_eq!(folder.read("data/itch/plugins.lock"), broken);
        // Built-in units still work.
        folder
            .itch(&["--sandbox", "followers", "-l", "1", "burkeblack"])
            .succeeds();
    }
    // The command of the hint fixes it.
    fs::rename(folder.path("data/itch/plugins.lock"), folder.path("data/itch/plugins.lock.broken")).unwrap();
    folder.itch(&["newer"]).exits(0).says("is new\n");
}

#[test]
fn a_configuration_that_cannot_be_read_runs_nothing_new() {
    let folder = with(&["newer"]);
    configure(&folder, "[plugins]\npolicy = \"pined\"\n");
    folder.itch(&["newer"]).exits(2);
    let list = folder.itch(&["plugins", "list"]);
    list.exits(0).says("could not parse the configuration `");
    assert!(list.stdout.contains("newer.so\t\t\t\t\trefused: it is not trusted"));
    configure(&folder, "[plugins]\npath = [\"here\"]\n");
    folder
        .itch(&["--sandbox", "followers", "burkeblack"])
        .exits(2)
        .says("the plugin path `here` is not absolute");
}

#[test]
fn what_others_could_have_put_there_is_refused() {
    let folder = with(&["newer"]);
    let (own, file) = (own(&folder), own(&folder).join("newer.so"));
    folder.itch(&["newer"]).exits(0);
    let everybody = format!("its directory {} is writable by everyone", own.display());
    for (path, bits, back, why) in [
        (&file, 0o664, 0o644, "it is writable by its group"),
        (&file, 0o646, 0o644, "it is writable by everyone"),
        (&own, 0o757, 0o755, everybody.as_str()),
        // A sticky bit does not prevent others from adding files.
        (&own, 0o1777, 0o755, everybody.as_str()),
    ] {
        mode(path, bits);
        assert_eq!(status(&folder, "newer", "newer.so"), format!("refused: {why}"), "{bits:o}");
        folder.itch(&["newer"]).exits(2);
        mode(path, back);
        folder.itch(&["newer"]).prints("greeted by itself\n");
    }
    // A link into such a directory is refused too.
    let open = folder.path("open");
    fs::create_dir(&open).unwrap();
    fs::rename(&file, open.join("newer.so")).unwrap();
    std::os::unix::fs::symlink(open.join("newer.so"), &file).unwrap();
    folder.itch(&["newer"]).exits(0);
    mode(&open, 0o777);
    folder.itch(&["newer"]).exits(2);
    assert!(status(&folder, "newer", "newer.so").contains("is writable by everyone"));
    mode(&open, 0o755);
    // Only root can change the owner of a file; the unit test of the loader covers other users.
    if std::os::unix::fs::chown(open.join("newer.so"), Some(65533), None).is_ok() {
        let refused = status(&folder, "newer", "newer.so");
        assert_eq!(refused, "refused: it belongs to another user (65533)");
    }
}

#[test]
fn a_relative_directory_in_the_environment_is_no_place() {
    let folder = Folder::new();
    fixtures::install(&["newer"], &folder.path("here"));
    let folder = folder.variable("ITCH_PLUGIN_PATH", "here:.");
    folder.itch(&["newer"]).exits(2);
    let here = folder.path("here");
    let folder = folder.variable("ITCH_PLUGIN_PATH", here);
    folder.itch(&["newer"]).exits(0);
}

#[test]
fn a_plugin_that_is_opted_in_runs_inside() {
    let folder = with(&["stdout", "c-report", "c-cache", "fixture-report"]);
    let child = folder.itch(&["stdout"]);
    assert_eq!(child.exits(0).stdout, "one\ntwo\nthree\nfour\n");
    let run = ["--sandbox", "c-report", "burkeblack", "--times", "700"];
    let expected = folder.itch(&run).exits(0).stdout.clone();
    let rust = ["rust-report", "--rows", "700", "-f", "jsonl"];
    let expected_rust = folder.itch(&rust).exits(0).stdout.clone();
    configure(&folder, "[plugins]\nin-process = [\"stdout\", \"c-report\", \"c-cache\", \"fixture-report\"]\n");
    // What it prints itself is mixed with the rows, unlike in a separate process.
    let inside = folder.itch(&["stdout"]);
    assert!(inside.succeeds().stdout.contains("this is not a row\n"));
    assert_eq!(folder.itch(&run).exits(0).stdout, expected);
    assert_eq!(folder.itch(&rust).succeeds().stdout, expected_rust);
    let panic = folder.itch(&["panic"]);
    panic
        .exits(1)
        .says("error: the plugin `fixture-report` panicked after 3 rows\n  caused by: told to panic, at ");
    let store = folder.path("store");
    let folder = folder.variable("C_CACHE", &store);
    folder.itch(&["plugins", "trust", "c-cache"]).exits(0);
    folder
        .itch(&["--sandbox", "-c", "c-cache", "followers", "-l", "1", "burkeblack"])
        .exits(0);
    assert!(fs::read_dir(&store).unwrap().count() > 0);
}
