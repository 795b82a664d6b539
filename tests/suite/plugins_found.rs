//! Where plugins are found, their names, the messages about those that cannot be used, and that installed plugins do
//! not slow down other runs.

use std::fs;
use std::path::{Path, PathBuf};

use itch_tests::{Folder, RunResult, fixtures, opened_during, units_of};
use serde_json::Value;

/// The user's plugin directory.
pub(crate) fn own(folder: &Folder) -> PathBuf {
    folder.path("data/itch/plugins")
}

/// A folder with these plugins in the user's plugin directory.
pub(crate) fn with(plugins: &[&str]) -> Folder {
    let folder = Folder::new();
    fixtures::install(plugins, &own(&folder));
    folder
}

/// The status of a unit or a file, and its source.
pub(crate) fn status(folder: &Folder, plugin: &str, name: &str) -> String {
    let units = units_of(folder);
    let unit = units
        .iter()
        .find(|unit| unit["name"] == name && (unit["plugin"] == plugin || unit["plugin"].is_null()));
    let unit = unit.unwrap_or_else(|| panic!("{plugin}/{name} is not listed: {units:?}"));
    unit["status"].as_str().unwrap().to_owned()
}

#[test]
fn a_file_in_the_own_directory_is_a_command() {
    let folder = with(&["c-report"]);
    let help = folder.itch(&["--help"]);
    assert!(help.succeeds().stdout.contains("\n  c-report "), "{}", help.stdout);
    let first = folder.itch(&["--sandbox", "c-report", "burkeblack", "--times", "2"]);
    let rows = first.exits(0).cells();
    assert_eq!(rows[0], ["burkeblack", "0", "0.25", "false", "1469108655", "90"]);
    assert_eq!(rows[2][0], "get");
    first.says("plugin c-report 1.2.3 from ").says(" is new\n");
    // The facts that it noted are in the verdict.
    let verbose = folder.itch(&["-v", "--sandbox", "c-report", "burkeblack"]);
    verbose.exits(0).says("1 things");
    let again = folder.itch(&["--sandbox", "c-report", "burkeblack", "--times", "2"]);
    assert_eq!(again.stdout, first.stdout);
    assert!(!again.exits(0).stderr.contains("is new"), "{}", again.stderr);
    let info = folder.itch(&["plugins", "info", "c-report"]);
    assert!(
        info.succeeds()
            .stdout
            .starts_with("c-report: Show what a report in C can do\nreport of c-report 1.2.3, ABI 1.0, ")
    );
    assert!(info.stdout.lines().nth(1).unwrap().ends_with("c-report.so, ok"), "{}", info.stdout);
    // Its arguments are checked like those of a built-in report.
    folder.itch(&["c-report"]).exits(2).says("<CHANNEL>");
    folder
        .itch(&["c-report", "x", "--times", "many"])
        .exits(2)
        .says("whole number");
}

#[test]
fn a_plugins_error_is_told_like_any_other() {
    let folder = with(&["c-report"]);
    let ran = folder.itch(&["--sandbox", "c-report", "x", "--fail"]);
    ran.exits(5)
        .says("error: there is no such thing\nhint: itch c-report other\n2 rows had been written before the error\n");
}

#[test]
fn what_cannot_be_used_is_listed_with_the_reason() {
    let folder = with(&["newer", "needs-newer", "other-major", "wrong-major", "reserved"]);
    let own = own(&folder);
    fixtures::text(&own);
    fixtures::truncated(&own);
    fixtures::no_plugin(&own);
    fixtures::directory(&own);
    fixtures::dangling(&own);
    fixtures::world_writable(&own);
    fs::write(own.join("readme.txt"), "no library by its name").unwrap();
    let units = units_of(&folder);
    let said = |name: &str| -> &str {
        let unit = units.iter().find(|unit| unit["name"] == name);
        unit.unwrap_or_else(|| panic!("{name} is not listed"))["status"]
            .as_str()
            .unwrap()
    };
    assert_eq!(said("newer"), "new");
    assert_eq!(said("plugins"), "refused: `plugins` is a built-in command of itch");
    assert!(
        said("needs-newer.so").starts_with("refused: it needs version 1.1 of the plugin"),
        "{}",
        said("needs-newer.so")
    );
    assert!(said("other-major.so").starts_with("refused: it was built for version 2 of the plugin"));
    assert!(said("wrong-major.so").starts_with("refused: it was built for version 2.0 of the plugin"));
    assert_eq!(said("text.so"), "refused: file too short");
    assert_eq!(said("no-plugin.so"), "refused: it is not an itch plugin: it has no symbol `itch_plugin_v1`");
    assert_eq!(said("directory.so"), "refused: it is a directory");
    assert_eq!(said("dangling.so"), "refused: it is a broken symbolic link");
    assert_eq!(said("world-writable.so"), "refused: it is writable by everyone");
    let truncated = said("truncated.so");
    assert!(truncated.starts_with("crashed: ") || truncated.starts_with("refused: "), "{truncated}");
    assert!(!units.iter().any(|unit| unit["name"] == "readme.txt"));
    // The same on a pipe, as columns.
    let list = folder.itch(&["plugins", "list"]);
    let row = list
        .succeeds()
        .cells()
        .into_iter()
        .find(|row| row[0] == "text.so")
        .unwrap();
    assert_eq!(&row[1..6], ["", "", "", "", "refused: file too short"]);
    assert_eq!(Path::new(row[6]), own.join("text.so"));

    // Other commands still work.
    folder
        .itch(&["--sandbox", "followers", "-l", "3", "burkeblack"])
        .succeeds();
    folder.itch(&["newer"]).exits(0);
    folder.itch(&["newer"]).prints("greeted by itself\n");
    folder.itch(&["--help"]).succeeds();
    folder.itch(&["plugins", "path"]).succeeds();
    folder.itch(&["plugins", "info", "followers"]).succeeds();
    folder.itch(&["plugins", "info", "text.so"]).succeeds();
    folder.itch(&["plugins", "remove", "text.so"]).exits(0);
    assert!(!own.join("text.so").exists());
    let unknown = folder.itch(&["text"]);
    unknown
        .exits(2)
        .says("unrecognized subcommand 'text'")
        .says("plugins cannot be used; `itch plugins list` says why");
}

/// The plugin that a name refers to.
#[track_caller]
fn meant(folder: &Folder, arguments: &[&str]) -> String {
    let ran = folder.itch(arguments);
    let info: Value = serde_json::from_str(&ran.succeeds().stdout).unwrap();
    info["plugin"].as_str().unwrap().to_owned()
}

#[test]
fn an_earlier_directory_wins_a_name() {
    let folder = with(&["twin-b"]);
    let first = folder.path("first");
    let configured = folder.path("configured");
    fixtures::install(&["twin-a"], &first);
    let info = ["plugins", "info", "twin", "--json"];
    assert_eq!(meant(&folder, &info), "twin-b");

    let folder = folder.variable("ITCH_PLUGIN_PATH", &first);
    assert_eq!(meant(&folder, &info), "twin-a");
    assert_eq!(status(&folder, "twin-b", "twin"), "shadowed by twin-a");
    folder.itch(&["twin"]).says("plugin twin-a 1.2.3 from ");
    folder.itch(&["twin-b/twin"]).says("plugin twin-b 1.2.3 from ");
    folder.itch(&["twin-b/twin"]).prints("greeted by itself\n");

    // A directory of the configuration also comes before the user's directory; a file comes first.
    let folder = folder.variable("ITCH_PLUGIN_PATH", "");
    fs::rename(&first, &configured).unwrap();
    fs::create_dir_all(folder.path("config/itch")).unwrap();
    let path = configured.display();
    folder.write("config/itch/config.toml", &format!("[plugins]\npath = [\"{path}\"]\n"));
    assert_eq!(meant(&folder, &info), "twin-a");
    let file = fixtures::install(&["twin-b"], &folder.path("files")).remove(0);
    let named = ["--plugin", file.to_str().unwrap(), "plugins", "info", "twin", "--json"];
    assert_eq!(meant(&folder, &named), "twin-b");
}

#[test]
fn two_of_one_name_in_one_directory_are_an_error_that_names_both() {
    let folder = with(&["twin-a", "twin-b"]);
    let tied = folder.itch(&["twin"]);
    tied.exits(2)
        .says("error: two reports are called `twin`: twin-a (")
        .says("and twin-b (");
    tied.says("hint: itch --prefer twin=twin-a");
    assert_eq!(status(&folder, "twin-a", "twin"), "tied with twin-b");
    for arguments in [
        &["twin-b/twin"][..],
        &["--prefer", "twin=twin-b", "twin"],
        &["twin", "--prefer=twin=twin-b"],
    ] {
        folder.itch(arguments).exits(0);
        folder.itch(arguments).prints("greeted by itself\n");
    }
    fs::create_dir_all(folder.path("config/itch")).unwrap();
    folder.write("config/itch/config.toml", "[plugins.prefer]\ntwin = \"twin-a\"\n");
    folder.itch(&["twin"]).says("plugin twin-a 1.2.3 ");
    assert_eq!(status(&folder, "twin-b", "twin"), "shadowed by twin-a");
    folder
        .itch(&["--prefer", "twin"])
        .exits(2)
        .says("is not a valid preference: write NAME=PLUGIN");
}

#[test]
fn a_preference_that_means_nothing_is_said() {
    let folder = with(&["twin-a", "twin-b", "impostor"]);
    for arguments in [
        &["--prefer", "twin=typo", "twin"][..],
        &["twin", "--prefer=twin=typo"],
        &["plugins", "list", "--prefer", "twin=typo"],
        // The error does not depend on the command.
        &["--prefer", "twin=typo", "--sandbox", "followers", "burkeblack"],
    ] {
        assert_eq!(
            folder.itch(arguments).exits(2).stderr,
            "error: could not prefer `twin` of the plugin `typo`\n  \
             caused by: only these plugins have it: twin-a, twin-b\nhint: itch --prefer twin=twin-a\n"
        );
    }
    assert_eq!(
        folder.itch(&["--prefer", "twn=twin-a", "twin"]).exits(2).stderr,
        "error: could not prefer `twn` of the plugin `twin-a`\n  \
         caused by: no plugin has a report, cache or renderer of this name\nhint: itch plugins list\n"
    );
    // A preferred plugin that exists but cannot be used is an error with that reason.
    folder.itch(&["plugins", "disable", "impostor"]).exits(0);
    folder
        .itch(&["--prefer", "followers=impostor", "followers", "x"])
        .exits(1)
        .says("caused by: it is disabled\nhint: itch plugins enable impostor\n");
    folder
        .itch(&["--no-plugins", "--prefer", "twin=twin-a", "followers", "x"])
        .exits(2)
        .says("no plugin has a report, cache or renderer of this name");

    fs::create_dir_all(folder.path("config/itch")).unwrap();
    folder.write("config/itch/config.toml", "[plugins.prefer]\ntwin = \"typo\"\n");
    let warning = "warning: config.toml: could not prefer `twin` of the plugin `typo`: \
         only these plugins have it: twin-a, twin-b\n";
    let list = folder.itch(&["plugins", "list"]);
    assert_eq!(list.exits(0).stderr, warning);
    folder.itch(&["twin-a/twin"]).exits(0).says(warning);
    // Without plugins, the preference is ignored.
    folder
        .itch(&["--sandbox", "followers", "-l", "1", "burkeblack"])
        .succeeds();
    folder.itch(&["--no-plugins", "plugins", "list"]).succeeds();
}

#[test]
fn what_is_built_in_wins_unless_told_otherwise() {
    let folder = with(&["impostor"]);
    assert_eq!(status(&folder, "impostor", "followers"), "shadowed by built-in");
    let real = folder.itch(&["--sandbox", "followers", "-l", "1", "burkeblack"]);
    assert_eq!(real.succeeds().cells()[0].len(), 6);
    for arguments in [
        &["impostor/followers"][..],
        &["--prefer", "followers=impostor", "followers"],
    ] {
        folder.itch(arguments).exits(0);
        folder.itch(arguments).prints("greeted by itself\n");
    }
    fs::create_dir_all(folder.path("config/itch")).unwrap();
    folder.write("config/itch/config.toml", "[plugins.prefer]\nfollowers = \"impostor\"\n");
    folder.itch(&["followers"]).prints("greeted by itself\n");
    assert_eq!(status(&folder, "itch-reports", "followers"), "shadowed by impostor");
    let qualified = folder.itch(&["--sandbox", "itch-reports/followers", "-l", "1", "burkeblack"]);
    assert_eq!(qualified.succeeds().stdout, real.stdout);
}

#[test]
fn none_takes_part_if_none_should() {
    let folder = with(&["c-report", "newer"]);
    folder.itch(&["newer"]).exits(0);
    folder
        .itch(&["--no-plugins", "newer"])
        .exits(2)
        .says("unrecognized subcommand 'newer'");
    folder.itch(&["newer", "--no-plugins"]).exits(2);
    let list = folder.itch(&["--no-plugins", "plugins", "list"]);
    assert_eq!(list.succeeds().stdout, Folder::new().itch(&["plugins", "list"]).stdout);
    let folder = folder.variable("ITCH_NO_PLUGINS", "1");
    folder.itch(&["newer"]).exits(2);
    assert!(!folder.itch(&["--help"]).succeeds().stdout.contains("c-report"));
}

#[test]
fn a_file_named_on_the_command_line_takes_part() {
    let folder = Folder::new();
    let file = fixtures::plugin("newer");
    fs::copy(&file, folder.path("mine.so")).unwrap();
    let run = |arguments: &[&str]| -> RunResult { folder.itch(arguments) };
    run(&["--plugin", "mine.so", "newer"]).exits(0);
    run(&["newer", "--plugin", "./mine.so"]).prints("greeted by itself\n");
    run(&["newer"]).exits(2);
    // A plugin on the command line that cannot be used is an error.
    folder.write("text.so", "text");
    let refused = run(&["--plugin", "text.so", "--sandbox", "followers", "burkeblack"]);
    refused
        .exits(1)
        .says("text.so` cannot be used\n  caused by: refused: file too short\nhint: itch plugins check ");
    run(&["--plugin", "no-such.so", "newer"])
        .exits(1)
        .says("there is no such file");
    run(&["--plugin", "text.so", "plugins", "list"]).succeeds();
}

#[test]
fn a_third_partys_cache_is_a_cache() {
    let folder = with(&["c-cache", "fixture-cache"]);
    let (store, rust) = (folder.path("store"), folder.path("rust"));
    let folder = folder.variable("C_CACHE", &store).variable("RUST_CACHE", rust);
    for plugin in ["c-cache", "fixture-cache"] {
        folder.itch(&["plugins", "trust", "--allow", plugin]).exits(0);
    }
    let arguments = ["--sandbox", "-c", "c-cache", "followers", "-l", "300", "burkeblack"];
    let cold = folder.itch(&arguments);
    assert_eq!(cold.exits(0).rows().len(), 300);
    let stored = fs::read_dir(&store).unwrap().count();
    assert!(stored >= 4, "{stored}");
    let offline = folder.itch(&[&["--offline"], &arguments[..]].concat());
    assert_eq!(offline.succeeds().stdout, cold.stdout);
    let stats = folder.itch(&["cache", "stats", "-c", "c-cache"]);
    assert_eq!(stats.succeeds().cells()[0][0], "c-cache");
    assert_eq!(folder.itch(&["cache", "list", "-c", "c-cache"]).succeeds().rows().len(), stored);
    let path = folder.itch(&["cache", "path", "-c", "c-cache"]);
    path.prints(&format!("{}\n", store.display()));
    folder.itch(&["cache", "clear", "-c", "c-cache"]).succeeds();
    assert_eq!(fs::read_dir(&store).unwrap().count(), 0);
    // Next to a built-in one.
    let both = folder.itch(&[
        "--sandbox",
        "-c",
        "file,c-cache",
        "followers",
        "-l",
        "300",
        "burkeblack",
    ]);
    assert_eq!(both.succeeds().stdout, cold.stdout);
    assert_eq!(fs::read_dir(&store).unwrap().count(), stored);
}

#[test]
#[cfg(target_os = "linux")]
fn only_the_plugin_that_is_called_is_opened() {
    let folder = with(&["c-report", "newer", "twin-a", "segfault", "c-cache"]);
    let own = own(&folder);
    fixtures::text(&own);
    // A new file is inspected once, even if it cannot be used.
    let all = opened_during(&own, || {
        folder.itch(&["plugins", "list"]).succeeds();
    });
    assert_eq!(all.len(), 6, "{all:?}");
    // A library that could not be loaded may need another file, so the `itch plugins` commands inspect it again.
    let again = opened_during(&own, || {
        folder.itch(&["plugins", "list"]).succeeds();
    });
    assert_eq!(again, ["text.so"]);
    for arguments in [
        &["--help"][..],
        &["--version"],
        &["no-such-command"],
        &["--sandbox", "followers", "-l", "1", "burkeblack"],
    ] {
        let opened = opened_during(&own, || drop(folder.itch(arguments)));
        assert_eq!(opened, [""; 0], "itch {}", arguments.join(" "));
    }
    let opened = opened_during(&own, || {
        folder.itch(&["newer"]).exits(0);
    });
    assert_eq!(opened, ["newer.so"]);
    // Built-in units do not even read the directory.
    let index = folder.path("cache/itch/plugins.json");
    fs::remove_file(&index).unwrap();
    folder
        .itch(&["--sandbox", "followers", "-l", "1", "burkeblack"])
        .succeeds();
    assert!(!index.exists());
}

#[test]
fn an_index_that_is_broken_or_old_is_made_anew() {
    let folder = with(&["newer"]);
    let list = || folder.itch(&["plugins", "list"]).succeeds().stdout.clone();
    let expected = list();
    let index = folder.path("cache/itch/plugins.json");
    let whole = fs::read_to_string(&index).unwrap();
    let half = &whole[..whole.len() / 2];
    let older = whole.replacen("\"itch\":\"", "\"itch\":\"0.0.", 1);
    for broken in ["", "{}", "null", half, &older, "{\"itch\":1}"] {
        fs::write(&index, broken).unwrap();
        assert_eq!(list(), expected, "{broken:.40}");
        assert_eq!(fs::read_to_string(&index).unwrap(), whole);
    }
    // If the index cannot be written, runs only take longer.
    fs::remove_file(&index).unwrap();
    fs::create_dir(&index).unwrap();
    assert_eq!(list(), expected);
    // A removed file is removed from the index.
    fs::remove_dir(&index).unwrap();
    list();
    fs::remove_file(own(&folder).join("newer.so")).unwrap();
    fixtures::install(&["twin-a"], &own(&folder));
    assert!(list().contains("twin-a"));
    assert!(!fs::read_to_string(&index).unwrap().contains("newer"));
}
