//! Homes that are none, directories whose place is taken, and clocks that are wrong.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use itch_tests::{Folder, RunResult, wait};

/// The folder's commands with only `HOME` set, or without it.
fn at_home(folder: &Folder, home: Option<&str>, arguments: &[&str]) -> RunResult {
    let mut command = folder.command(arguments);
    for name in ["XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "HOME"] {
        command.env_remove(name);
    }
    command.envs(home.map(|home| ("HOME", home)));
    folder.ran(wait(command.spawn().unwrap()), arguments)
}

#[test]
fn a_user_without_a_home_has_commands() {
    let folder = Folder::new();
    folder.write("taken", "");
    let taken = folder.path("taken").display().to_string();
    let before = fs::read_dir(folder.path("")).unwrap().count();
    for home in [
        Some("/dev/null"),
        Some("relative"),
        Some(""),
        Some(taken.as_str()),
        None,
    ] {
        at_home(&folder, home, &["--sandbox", "created", "burkeblack"]).prints("burkeblack\t1351971249\n");
        at_home(&folder, home, &["plugins", "list"]).succeeds();
        at_home(&folder, home, &["help", "environment"]).succeeds();
        // What was asked for cannot be stored: one warning, and the rows.
        let ran = at_home(&folder, home, &["--sandbox", "-c", "file", "created", "burkeblack"]);
        assert_eq!(ran.exits(0).stdout, "burkeblack\t1351971249\n");
        assert!(ran.stderr.starts_with("warning: cache file: ") && ran.stderr.lines().count() == 1, "{}", ran.stderr);
    }
    assert_eq!(
        fs::read_dir(folder.path("")).unwrap().count(),
        before,
        "something was stored in the working directory"
    );
}

#[test]
fn a_home_that_cannot_be_written_is_enough() {
    use std::os::unix::process::CommandExt;
    let folder = Folder::new();
    fs::create_dir(folder.path("home")).unwrap();
    fs::set_permissions(folder.path("home"), fs::Permissions::from_mode(0o555)).unwrap();
    fs::set_permissions(folder.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = folder.command(arguments);
        for name in ["XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
            command.env_remove(name);
        }
        if rustix::process::geteuid().is_root() {
            command.uid(65534).gid(65534);
        }
        folder.ran(wait(command.spawn().unwrap()), arguments)
    };
    run(&["--sandbox", "created", "burkeblack"]).prints("burkeblack\t1351971249\n");
    run(&["plugins", "list"]).succeeds();
    let ran = run(&["--sandbox", "-c", "file", "created", "burkeblack"]);
    assert_eq!(ran.exits(0).stdout, "burkeblack\t1351971249\n");
    ran.says("warning: cache file: the cache directory ");
}

#[test]
fn what_stands_in_the_place_of_a_directory_is_named() {
    let folder = Folder::new();
    for name in ["config", "data", "cache"] {
        fs::create_dir(folder.path(name)).unwrap();
        folder.write(&format!("{name}/itch"), "");
    }
    let path = |name: &str| folder.path(name).display().to_string();
    let created = ["--sandbox", "created", "burkeblack"];
    folder.itch(&created).exits(1).says(&format!(
        "error: the configuration `{}` cannot be read\n  caused by: `{}` is a file, not a directory\n",
        path("config/itch/config.toml"),
        path("config/itch")
    ));
    fs::remove_file(folder.path("config/itch")).unwrap();
    fs::create_dir_all(folder.path("config/itch/config.toml")).unwrap();
    folder
        .itch(&created)
        .exits(1)
        .says(&path("config/itch/config.toml"))
        .says("caused by: it is a directory, not a file\n");
    fs::remove_dir(folder.path("config/itch/config.toml")).unwrap();
    // Without a cache, the other directories are not needed.
    folder.itch(&created).prints("burkeblack\t1351971249\n");
    let cached = [&["-c", "file"][..], &created].concat();
    let obstacle = format!("{} is not a directory", path("cache/itch"));
    folder.itch(&cached).exits(0).says(&obstacle);
    folder.itch(&["cache", "stats"]).exits(6).says(&obstacle);
    let taken = format!("`{}` is a file, not a directory", path("data/itch"));
    folder
        .itch(&["plugins", "path"])
        .exits(1)
        .says(&format!("caused by: {taken}\n"));
    folder
        .itch(&["plugins", "list"])
        .exits(0)
        .says(&format!("warning: plugins are not searched there: {taken}\n"));
}

#[test]
fn a_file_in_the_place_of_a_plugin_directory_is_named() {
    let folder = Folder::new();
    folder.write("taken", "");
    let taken = folder.path("taken").display().to_string();
    folder
        .variable("ITCH_PLUGIN_PATH", &taken)
        .itch(&["plugins", "list"])
        .exits(0)
        .says(&format!("warning: plugins are not searched there: `{taken}` is a file, not a directory\n"));
}
