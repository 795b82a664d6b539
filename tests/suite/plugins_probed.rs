//! Inspecting plugin files: a file that misbehaves before it is called costs time once, and leaves no process.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, Instant};

use itch_tests::{Folder, Signal, eventually, fixtures, opened_during, processes_about, signal, wait};

use crate::plugins_found::{own, status, with};

#[test]
fn files_that_hang_are_waited_for_once_and_side_by_side() {
    let folder = with(&["hangs-loading", "hangs-describing", "forks-loading", "newer"]);
    let own = own(&folder);
    let second = own.join(fixtures::file_name("hangs-loading-too"));
    fs::copy(fixtures::plugin("hangs-loading"), second).unwrap();
    let start = Instant::now();
    let opened = opened_during(&own, || drop(folder.itch(&["--help"])));
    assert_eq!(opened.len(), 5, "{opened:?}");
    // One after the other, they would take five seconds each.
    let took = start.elapsed();
    assert!(took < Duration::from_secs(14), "{took:?}");
    for arguments in [&["--help"][..], &["no-such"], &["plugins", "list"]] {
        let opened = opened_during(&own, || drop(folder.itch(arguments)));
        assert_eq!(opened, [""; 0], "itch {}", arguments.join(" "));
    }
    for plugin in ["hangs-loading", "hangs-describing", "hangs-loading-too"] {
        let file = fixtures::file_name(plugin);
        let told = status(&folder, plugin, &file);
        assert_eq!(told, "crashed: did not finish within 5 s", "{plugin}");
    }
    // A plugin that starts a process while it is loaded can be used.
    let ran = folder.itch(&["forks-loading"]);
    assert_eq!(ran.exits(0).stdout, "started\n");
    eventually("the end of everything that was started", || processes_about(&own).is_empty());
}

#[test]
fn nothing_that_looks_at_a_file_outlives_the_program() {
    let folder = with(&["hangs-loading"]);
    let child = folder.command(&["--help"]).spawn().unwrap();
    let file = own(&folder);
    eventually("a process that looks", || !processes_about(&file).is_empty());
    signal(child.id(), Signal::KILL);
    wait(child);
    eventually("its end", || processes_about(&file).is_empty());
}

#[test]
fn one_that_hangs_while_it_is_loaded_to_run_ends_with_the_program() {
    let folder = with(&["hangs-loading-to-run"]);
    let path = own(&folder);
    let arguments = ["plugins", "trust", "hangs-loading-to-run"];
    folder.itch(&arguments).exits(0);
    for (kind, code) in [(Signal::INT, 130), (Signal::KILL, -1)] {
        let child = folder.command(&["hangs-loading-to-run"]).spawn().unwrap();
        eventually("its process", || !processes_about(&path).is_empty());
        // The test cannot see when it hangs, so it waits for a moment.
        std::thread::sleep(Duration::from_millis(100));
        signal(child.id(), kind);
        folder.ran(wait(child), &["hangs-loading-to-run"]).exits(code);
        eventually("its end", || processes_about(&path).is_empty());
    }
}

/// Builds a library, which may depend on another one.
fn library(folder: &Folder, name: &str, needs: Option<&str>) {
    let source = folder.path(&format!("{name}.c"));
    fs::write(&source, format!("int {name}(void) {{ return 0; }}\n")).unwrap();
    let mut command = Command::new("cc");
    command
        .args(["-shared", "-fPIC", "-o"])
        .arg(folder.path(&format!("lib{name}.so")))
        .arg(source);
    if let Some(needs) = needs {
        let libraries = folder.path("");
        command
            .arg("-Wl,--no-as-needed")
            .arg(format!("-L{}", libraries.display()))
            .arg(format!("-l{needs}"))
            .arg(format!("-Wl,-rpath,{}", folder.path("later").display()));
    }
    assert!(command.status().unwrap().success());
}

#[test]
fn a_file_that_lacked_another_is_looked_at_again() {
    let folder = Folder::new();
    library(&folder, "needed", None);
    library(&folder, "needy", Some("needed"));
    let own = own(&folder);
    fs::create_dir_all(&own).unwrap();
    fs::rename(folder.path("libneedy.so"), own.join("needy.so")).unwrap();
    let refused = status(&folder, "needy", "needy.so");
    assert!(refused.starts_with("refused: libneeded.so: cannot open shared object file"), "{refused}");
    // `--help` does not inspect it again, but the `itch plugins` commands do.
    let opened = opened_during(&own, || drop(folder.itch(&["--help"])));
    assert_eq!(opened, [""; 0]);
    fs::create_dir(folder.path("later")).unwrap();
    fs::rename(folder.path("libneeded.so"), folder.path("later/libneeded.so")).unwrap();
    let found = status(&folder, "needy", "needy.so");
    assert_eq!(found, "refused: it is not an itch plugin: it has no symbol `itch_plugin_v1`");
}

#[test]
fn a_file_is_known_again_by_more_than_its_size_and_date() {
    let folder = with(&["twin-a"]);
    folder.itch(&["twin"]).says("is new");
    let file = own(&folder).join(fixtures::file_name("twin-a"));
    // The same file with the same size and date, but another plugin version inside.
    let date = fs::metadata(&file).unwrap().modified().unwrap();
    let bytes = fs::read(&file).unwrap();
    let version = bytes.windows(5).position(|five| five == b"1.2.3").unwrap();
    let mut others = bytes.clone();
    others[version..version + 5].copy_from_slice(b"1.2.4");
    fs::write(&file, others).unwrap();
    let written = fs::File::options().write(true).open(&file).unwrap();
    written.set_modified(date).unwrap();
    drop(written);
    let ran = folder.itch(&["twin"]);
    ran.exits(0).says("plugin twin-a 1.2.4 from ").says("has changed");

    // A wrong index entry is corrected by the run that detects it.
    let index = folder.read("cache/itch/plugins.json");
    let (before, after) = index.split_once("\"sha256\":\"").unwrap();
    let wrong = format!("{before}\"sha256\":\"0000{}", &after[4..]);
    folder.write("cache/itch/plugins.json", &wrong);
    let ran = folder.itch(&["twin"]);
    ran.exits(1).says("it has just been changed");
    folder.itch(&["twin"]).exits(0);
    folder.itch(&["twin"]).prints("greeted by itself\n");
}

#[test]
fn a_link_is_judged_where_it_lies() {
    let folder = with(&["newer"]);
    let (own, open) = (own(&folder), folder.path("open"));
    fs::create_dir(&open).unwrap();
    let file = fixtures::file_name("newer");
    fs::rename(own.join(&file), folder.path(&file)).unwrap();
    std::os::unix::fs::symlink(folder.path(&file), open.join(&file)).unwrap();
    std::os::unix::fs::symlink(open.join(&file), own.join(&file)).unwrap();
    folder.itch(&["newer"]).exits(0);
    // A link in a directory that others can write to is refused.
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
    folder.itch(&["newer"]).exits(2);
    let told = status(&folder, "newer", &file);
    assert!(told.ends_with("open is writable by everyone"), "{told}");
}

#[test]
fn one_that_cannot_be_read_is_looked_at_once() {
    let folder = with(&["newer"]);
    let own = own(&folder);
    let file = own.join(fixtures::file_name("newer"));
    // Root can read every file, so a file that is too large replaces an unreadable one.
    let large = own.join(fixtures::file_name("large"));
    fs::File::create(&large).unwrap().set_len(3 << 30).unwrap();
    fs::set_permissions(&large, fs::Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    folder.itch(&["--help"]).exits(0);
    let opened = opened_during(&own, || drop(folder.itch(&["--help"])));
    assert_eq!(opened, [""; 0]);
    let name = fixtures::file_name("large");
    assert_eq!(status(&folder, "large", &name), "refused: it is larger than 1 GiB");
    // Once it can be read, it can be used.
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    folder.itch(&["newer"]).exits(0);
}
