//! Confinement of plugins: what they try is refused, only their own command fails, and what they are allowed works.

use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

use itch_tests::{Folder, RunResult, behind, fixtures, units_of, wait};

use crate::isolation::{ROWS, known};
use crate::plugins_found::{own, status, with};

/// What stands in the user's files; it is an account file without accounts.
const OWN: &str = "{\"version\": 1}\n";

/// The user without rights, when the tests run as root.
const NOBODY: u32 = 65534;
const AS_NOBODY: &[&str] = &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

/// A folder with a plugin, and with files of the user that the plugin tries to read and change.
fn victim(plugin: &str) -> Folder {
    let folder = with(&[plugin]);
    fs::create_dir_all(folder.path("home/.ssh")).unwrap();
    for name in ["home/.ssh/x", "home/own", "data/itch/accounts.json"] {
        folder.write(name, OWN);
        fs::set_permissions(folder.path(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    folder
}

fn configure(folder: &Folder, text: &str) {
    fs::create_dir_all(folder.path("config/itch")).unwrap();
    folder.write("config/itch/config.toml", text);
}

/// Gives everything in a folder to the user without rights.
fn give(path: &Path) {
    chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    if path.is_dir() {
        fs::read_dir(path)
            .unwrap()
            .for_each(|entry| give(&entry.unwrap().path()));
    }
}

/// Fails unless everything was refused, for lack of a right or of memory.
fn all_refused(ran: &RunResult) {
    const REFUSALS: [i32; 5] = [libc::EPERM, libc::EACCES, libc::ENOSYS, libc::ENOMEM, libc::EFBIG];
    let rows = ran.exits(0).cells();
    assert!(rows.len() > 90, "{}", rows.len());
    let allowed: Vec<_> = rows
        .iter()
        .filter(|row| !row[2].parse().is_ok_and(|error: i32| REFUSALS.contains(&error)))
        .collect();
    assert!(allowed.is_empty(), "{allowed:#?}");
}

#[test]
fn everything_that_is_forbidden_is_refused() {
    let folder = victim("attack");
    folder.itch(&["plugins", "trust", "attack"]).exits(0);
    all_refused(&folder.itch(&["attack"]));
    assert_eq!(folder.read("home/own"), OWN);
    assert_eq!(fs::read_dir(folder.path("home")).unwrap().count(), 2);
    // Only root can become the user without rights.
    if rustix::process::geteuid().is_root() {
        give(&folder.path(""));
        let run = behind(AS_NOBODY, &folder.command(&["attack"])).spawn().unwrap();
        all_refused(&folder.ran(wait(run), &["attack"]));
    }
    folder.itch(&["plugins", "list"]).succeeds();
}

#[test]
fn an_inspection_is_confined_too() {
    // The file is loaded for the first time, without being run.
    let folder = victim("attack");
    folder.itch(&["plugins", "list"]).succeeds();
    assert_eq!(folder.read("home/own"), OWN);
    assert_eq!(fs::read_dir(folder.path("home")).unwrap().count(), 2);
    assert_eq!(status(&folder, "attack", "attack"), "new");
}

#[test]
fn what_runs_in_itch_itself_is_not_confined() {
    let folder = victim("attack-mild");
    folder.itch(&["plugins", "trust", "attack-mild"]).exits(0);
    configure(&folder, "[plugins]\nin-process = [\"attack-mild\"]\n");
    let folder = folder.variable("TMPDIR", std::env::temp_dir().to_str().unwrap());
    let rows = folder.itch(&["attack-mild"]);
    let running = |row: &&Vec<&str>| row[0] == "running";
    let cells = rows.exits(0).cells();
    let refused: Vec<_> = cells.iter().filter(running).filter(|row| row[2] != "done").collect();
    assert!(refused.is_empty(), "{refused:?}");
    assert_eq!(folder.read("home/written"), "x");
    assert!(status(&folder, "attack-mild", "attack-mild").ends_with(", in-process"));
}

#[test]
fn a_memory_limit_is_told_when_it_is_reached() {
    for (plugin, how) in [
        ("hoard", "failed without an error message"),
        ("hoard-and-crash", "died of signal 11 (SIGSEGV) after 3 rows"),
        ("grab", "failed without an error message"),
        ("grab-and-crash", "died of signal 11 (SIGSEGV) after 3 rows"),
    ] {
        let folder = known(plugin);
        configure(&folder, "[plugins]\nmemory = \"256MiB\"\n");
        let ran = folder.itch(&[plugin]);
        assert_eq!(ran.exits(1).stdout, ROWS, "{plugin}");
        ran.says(&format!("error: the plugin `{plugin}` {how}\n"));
        ran.says("  caused by: it had reached its memory limit of 256 MiB\n");
        ran.says("hint: raise `memory` below `[plugins]` in config.toml\n");
    }
    let folder = Folder::new();
    configure(&folder, "[plugins]\nmemory = \"much\"\n");
    folder.itch(&["cache", "path"]).exits(2).says("`much` is not a size");
}

#[test]
fn an_exception_keeps_its_words() {
    known("exception")
        .itch(&["exception"])
        .exits(1)
        .says("error: the plugin `exception` panicked after 3 rows\n  caused by: bad_alloc: no memory for it\n");
}

#[test]
fn a_library_beside_the_plugin_is_found() {
    let folder = Folder::new();
    fixtures::with_sibling(&own(&folder));
    // Some file there is no plugin, and that is all.
    folder.itch(&["plugins", "trust", "with-sibling"]).exits(0);
    folder.itch(&["with-sibling"]).prints("from the sibling\n");
    configure(&folder, "[plugins]\nin-process = [\"with-sibling\"]\n");
    folder.itch(&["with-sibling"]).prints("from the sibling\n");
}

#[test]
fn nothing_is_left_of_its_own_directory() {
    let folder = victim("attack");
    folder.itch(&["plugins", "trust", "attack"]).exits(0);
    let place = folder.path("temporary");
    fs::create_dir(&place).unwrap();
    let folder = folder.variable("TMPDIR", place.to_str().unwrap());
    folder.itch(&["attack"]).exits(0);
    assert_eq!(fs::read_dir(&place).unwrap().count(), 0);
    // A cache is open until the program ends.
    let store = folder.path("store");
    fixtures::install(&["c-cache"], &own(&folder));
    folder.itch(&["plugins", "trust", "--allow", "c-cache"]).exits(0);
    let folder = folder.variable("C_CACHE", store.to_str().unwrap());
    for limit in ["1", "2000"] {
        let arguments = ["--sandbox", "-c", "c-cache", "followers", "-l", limit, "burkeblack"];
        folder.itch(&arguments).succeeds();
        assert_eq!(fs::read_dir(&place).unwrap().count(), 0);
    }
}

#[test]
fn an_old_kernel_is_told_of() {
    let folder = with(&["c-report"]).old_kernel();
    folder.itch(&["plugins", "trust", "c-report"]).exits(0);
    let told = status(&folder, "c-report", "c-report");
    assert_eq!(told, "ok, unconfined: files, network, processes");
    let arguments = ["--sandbox", "c-report", "burkeblack"];
    folder.itch(&arguments).succeeds();
    configure(&folder, "[plugins]\nunconfined = \"refuse\"\n");
    let refused = folder.itch(&arguments);
    refused
        .exits(1)
        .says("the plugin `c-report`")
        .says("this system cannot keep these from it: files, network, processes (`unconfined` in config.toml)");
}

#[test]
fn a_kernel_that_confines_says_nothing() {
    let folder = with(&["c-report"]);
    folder.itch(&["plugins", "trust", "c-report"]).exits(0);
    assert_eq!(status(&folder, "c-report", "c-report"), "ok");
}

#[test]
fn a_cache_gets_what_it_needs_once_it_is_allowed() {
    // The last one declares nothing, so it asks for the network and for what its variable names.
    for (plugin, cache, variable, rights) in [
        ("c-cache", "c-cache", "C_CACHE", "ok"),
        ("fixture-cache", "rust-cache", "RUST_CACHE", "ok"),
        ("old-cache", "old-cache", "C_CACHE", "ok, network open"),
    ] {
        let folder = with(&[plugin]);
        let store = folder.path("store");
        let folder = folder.variable(variable, store.to_str().unwrap());
        let arguments = ["--sandbox", "-c", cache, "followers", "-l", "5", "burkeblack"];
        folder.itch(&["plugins", "trust", plugin]).exits(0);
        assert!(status(&folder, plugin, cache).ends_with(", not allowed"));
        let plain = folder.itch(&arguments);
        plain.exits(0).says(&format!("warning: cache {cache}: "));
        let allowed = folder.itch(&["plugins", "trust", "--allow", plugin]);
        allowed
            .exits(0)
            .says(&format!("allowed cache {cache}: writing ${variable}"));
        let kept = folder.itch(&arguments);
        assert_eq!(kept.succeeds().stdout, plain.stdout);
        assert_eq!(status(&folder, plugin, cache), rights);
        assert!(fs::read_dir(&store).unwrap().count() > 0);
        let offline = folder.itch(&[&["--offline"], &arguments[..]].concat());
        assert_eq!(offline.succeeds().stdout, plain.stdout);
    }
}

#[test]
fn a_report_reads_what_it_is_allowed_to_read() {
    let folder = with(&["reader"]);
    folder.write("table", "a line\nanother\n");
    let folder = folder.variable("READER", "table");
    folder.itch(&["plugins", "trust", "reader"]).exits(0);
    let refused = folder.itch(&["reader"]);
    refused
        .exits(1)
        .says("error: the plugin `reader` failed: the file cannot be read\n")
        .says("hint: itch plugins trust --allow reader\n");
    let allowed = folder.itch(&["plugins", "trust", "--allow", "reader"]);
    allowed.exits(0).says("allowed report reader: reading $READER\n");
    folder.itch(&["reader"]).prints("a line\n");
    // It tried to write, too.
    assert_eq!(folder.read("table"), "a line\nanother\n");
    // The account file stays closed, whatever the variable says.
    let account = folder.path("data/itch/accounts.json");
    folder.write("data/itch/accounts.json", OWN);
    fs::set_permissions(&account, fs::Permissions::from_mode(0o600)).unwrap();
    for path in [account, folder.path("data/itch")] {
        let ran = folder.command(&["reader"]).env("READER", &path).spawn().unwrap();
        folder
            .ran(wait(ran), &["reader"])
            .exits(1)
            .says("the file cannot be read");
    }
}

#[test]
fn what_was_open_before_is_closed() {
    let folder = victim("reader");
    folder.itch(&["plugins", "trust", "reader"]).exits(0);
    let folder = folder.variable("READER", "/proc/self/fd/9");
    let open = behind(&["sh", "-c", "exec \"$@\" 9< home/own", "sh"], &folder.command(&["reader"])).spawn();
    folder
        .ran(wait(open.unwrap()), &["reader"])
        .exits(1)
        .says("the file cannot be read");
}

#[test]
fn what_is_allowed_belongs_to_one_file() {
    let folder = with(&["c-cache"]);
    let store = folder.path("store");
    let folder = folder.variable("C_CACHE", store.to_str().unwrap());
    folder.itch(&["plugins", "trust", "--allow", "c-cache"]).exits(0);
    assert_eq!(status(&folder, "c-cache", "c-cache"), "ok");
    // Another file takes its place.
    let file = own(&folder).join(fixtures::file_name("c-cache"));
    let mut bytes = fs::read(&file).unwrap();
    bytes.push(0);
    fs::write(&file, bytes).unwrap();
    assert_eq!(status(&folder, "c-cache", "c-cache"), "changed, not allowed");
    folder.itch(&["plugins", "trust", "c-cache"]).exits(0);
    assert_eq!(status(&folder, "c-cache", "c-cache"), "ok, not allowed");
}

#[test]
fn what_is_asked_for_is_listed_when_a_plugin_is_added() {
    let folder = Folder::new();
    let file = fixtures::plugin("old-cache");
    let file = file.to_str().unwrap();
    let added = folder.itch(&["plugins", "add", file]);
    added
        .exits(0)
        .says("cache old-cache asks for variables C_CACHE; writing $C_CACHE; the network\n")
        .says("hint: itch plugins trust --allow old-cache\n")
        .says(&format!("from {file}, sha256:"));
    let added = folder.itch(&["plugins", "add", "--allow", file]);
    assert!(!added.exits(0).stderr.contains("--allow"), "{}", added.stderr);
    let units = units_of(&folder);
    assert!(units.iter().any(|unit| unit["status"] == "ok, network open"), "{units:?}");
}

#[test]
fn a_user_without_rights_lacks_nothing() {
    // Nobody but root can read most of `/proc/self` of a process that hides its memory. A file that is complete before it
    // has a name gets it by a path there, and a library is loaded by one.
    let folder = with(&["hello", "c-report"]);
    let elsewhere = fixtures::install(&["newer"], &folder.path("elsewhere"));
    let path = elsewhere[0].parent().unwrap().to_str().unwrap().to_owned();
    let folder = folder.variable("ITCH_PLUGIN_PATH", path);
    for plugin in ["hello", "c-report", "newer"] {
        folder.itch(&["plugins", "trust", plugin]).exits(0);
    }
    configure(&folder, "[plugins]\nin-process = [\"hello\"]\n");
    let is_root = rustix::process::geteuid().is_root();
    if is_root {
        give(&folder.path(""));
    }
    for (arguments, rows) in [
        (&["--sandbox", "followers", "-l", "3", "-o", "rows.tsv", "burkeblack"][..], 0),
        (&["--sandbox", "-c", "file", "followers", "-l", "3", "burkeblack"], 3),
        (&["hello"], 1),
        (&["newer"], 1),
        (&["--sandbox", "c-report", "burkeblack", "--times", "2"], 6),
    ] {
        let mut command = folder.command(arguments);
        if is_root {
            command = behind(AS_NOBODY, &command);
        }
        let ran = folder.ran(wait(command.spawn().unwrap()), arguments);
        assert_eq!(ran.exits(0).rows().len(), rows, "{}", ran.stderr);
    }
    assert_eq!(folder.read("rows.tsv").lines().count(), 3);
    let names = fs::read_dir(folder.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(names.into_iter().all(|name| !name.contains("part")));
}

/// Runs a shell command in a folder.
fn shell(folder: &Folder, line: &str) {
    let status = Command::new("sh")
        .args(["-c", line])
        .current_dir(folder.path(""))
        .status();
    assert!(status.unwrap().success(), "{line}");
}

#[test]
fn itch_itself_keeps_its_memory_to_itself() {
    // Another process of the same user can open neither its memory nor its environment.
    if !rustix::process::geteuid().is_root() {
        return;
    }
    let folder = known("hang").variable("TWITCH_TOKEN", "secret-of-mine");
    give(&folder.path(""));
    fs::set_permissions(folder.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    let mut run = behind(AS_NOBODY, &folder.command(&["hang"])).spawn().unwrap();
    // Once there are rows, it is itch that runs, and no longer `setpriv`.
    let mut rows = [0; ROWS.len()];
    run.stdout.as_mut().unwrap().read_exact(&mut rows).unwrap();
    for name in ["environ", "mem", "maps"] {
        let line =
            format!("! setpriv --reuid=65534 --regid=65534 --clear-groups cat /proc/{}/{name} 2>/dev/null", run.id());
        shell(&folder, &line);
    }
    run.kill().unwrap();
    wait(run);
}
