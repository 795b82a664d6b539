//! Output files that several runs write at once, that are there already, or whose place is taken.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Child, Stdio};

use itch_tests::{Folder, Sandbox, eventually, wait};

/// Starts a run that writes `rows.tsv`, and waits until it has begun.
fn started(folder: &Folder, arguments: &[&str]) -> Child {
    let child = folder.command(arguments).spawn().unwrap();
    let part = folder.path("rows.tsv.part");
    eventually("the first page", || part.metadata().is_ok_and(|found| found.len() > 0));
    child
}

const SLOW: &[&str] = &["followers", "-l", "1000", "-o", "rows.tsv", "burkeblack"];

#[test]
fn a_second_run_does_not_write_what_the_first_one_writes() {
    let sandbox = Sandbox::start(&["--latency", "50ms"]);
    let folder = Folder::new().at(&sandbox);
    let first = started(&folder, SLOW);
    // The second one has a server of its own, which counts its requests.
    let unused = Sandbox::start(&[]);
    let mut second = folder.command(SLOW);
    let other = Folder::new().at(&unused);
    second.envs(other.variables().iter().filter(|(name, _)| name.starts_with("TWITCH_")));
    let ran = folder.ran(wait(second.spawn().unwrap()), SLOW);
    ran.exits(2)
        .says("error: another run of itch is writing `rows.tsv`\n")
        .says("caused by: `rows.tsv.part` is locked\n")
        .says("hint: wait until it has ended");
    assert_eq!(unused.requests().total, 0);
    folder.ran(wait(first), SLOW).succeeds();
    assert_eq!(folder.read("rows.tsv").lines().count(), 1000);
    assert!(!folder.path("rows.tsv.part").exists());
}

#[test]
fn of_many_runs_at_once_each_file_is_one_runs() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    let limits = ["100", "200", "300", "400", "500", "600"];
    let run = |limit: &&'static str| {
        let arguments = ["followers", "-l", limit, "-o", "rows.tsv", "burkeblack"];
        (*limit, folder.command(&arguments).spawn().unwrap())
    };
    let children: Vec<_> = limits.iter().map(run).collect();
    let mut done = Vec::new();
    for (limit, child) in children {
        let ran = folder.ran(wait(child), &[limit]);
        match ran.code {
            0 => done.push(limit.parse::<usize>().unwrap()),
            _ => drop(ran.exits(2).says("another run of itch is writing `rows.tsv`")),
        }
    }
    let rows = folder.read("rows.tsv");
    assert!(done.contains(&rows.lines().count()), "{done:?}: {}", rows.lines().count());
    assert!(rows.ends_with('\n') && rows.lines().all(|row| row.split('\t').count() == 6));
    assert!(!folder.path("rows.tsv.part").exists());
}

#[test]
fn what_a_dead_run_left_is_replaced() {
    let sandbox = Sandbox::start(&["--latency", "50ms"]);
    let folder = Folder::new().at(&sandbox);
    let mut child = started(&folder, SLOW);
    child.kill().unwrap();
    wait(child);
    assert!(folder.path("rows.tsv.part").exists());
    let arguments = ["followers", "-l", "3", "-o", "rows.tsv", "burkeblack"];
    folder.itch(&arguments).succeeds();
    assert_eq!(folder.read("rows.tsv").lines().count(), 3);
    assert!(!folder.path("rows.tsv.part").exists());
}

#[test]
fn a_draft_that_is_no_file_of_ours_is_left_alone() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    let part = folder.path("rows.tsv.part");
    let arguments = ["followers", "-l", "3", "-o", "rows.tsv", "burkeblack"];
    let refused = |what: &str| {
        folder
            .itch(&arguments)
            .exits(1)
            .says("error: `rows.tsv` cannot be written\n")
            .says(&format!("caused by: itch writes to `rows.tsv.part` first, which {what}\n"))
            .says("hint: remove or rename `rows.tsv.part`");
        assert!(!folder.path("rows.tsv").exists());
    };
    folder.write("precious", "precious");
    symlink("precious", &part).unwrap();
    refused("is a symbolic link");
    fs::remove_file(&part).unwrap();
    symlink("nowhere", &part).unwrap();
    refused("is a symbolic link");
    assert!(!folder.path("nowhere").exists());
    fs::remove_file(&part).unwrap();
    fs::hard_link(folder.path("precious"), &part).unwrap();
    refused("has another name, too (a hard link)");
    fs::remove_file(&part).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, &part, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    refused("is a named pipe");
    fs::remove_file(&part).unwrap();
    fs::create_dir(&part).unwrap();
    refused("is a directory");
    fs::remove_dir(&part).unwrap();
    if rustix::process::geteuid().is_root() {
        fs::write(&part, "theirs").unwrap();
        std::os::unix::fs::chown(&part, Some(65534), None).unwrap();
        refused("belongs to another user");
        assert_eq!(folder.read("rows.tsv.part"), "theirs");
    }
    assert_eq!(folder.read("precious"), "precious");
    assert_eq!(sandbox.requests().total, 0);
}

#[test]
fn a_file_that_is_there_is_kept_on_request() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    folder.write("rows.tsv", "old");
    folder.write("plot.png", "old");
    folder.write("verdict.json", "old");
    folder.write("rows.tsv.part", "left");
    let report = ["followers", "-l", "3", "burkeblack", "--no-clobber"];
    for (option, name) in [
        ("-o", "rows.tsv"),
        ("--plot", "plot.png"),
        ("--verdict", "verdict.json"),
    ] {
        let ran = folder.itch(&[&report[..], &[option, name]].concat());
        ran.exits(2)
            .says(&format!("error: `{name}` is there already\n"))
            .says("caused by: `--no-clobber` does not overwrite a file\n")
            .says("hint: write to another file, or use `--overwrite`\n");
        assert_eq!(folder.read(name), "old");
    }
    assert_eq!(folder.read("rows.tsv.part"), "left");
    assert_eq!(sandbox.requests().total, 0);
    folder.write("followers.tsv", "a\tb\t1469491200\t1469505600\nc\td\t1469491300\t1469505700\n");
    let plot = ["plot", "-s", "--no-clobber", "followers.tsv"];
    folder
        .itch(&[&plot[..], &["plot.png"]].concat())
        .exits(2)
        .says("`plot.png` is there already");
    assert_eq!(folder.read("plot.png"), "old");
    folder.itch(&[&plot[..], &["new.png"]].concat()).succeeds();
    // The last one counts, also before and after the name; devices are no files to keep.
    folder
        .itch(&[
            "--no-clobber",
            "followers",
            "-l",
            "3",
            "burkeblack",
            "--overwrite",
            "-o",
            "rows.tsv",
        ])
        .succeeds();
    assert_eq!(folder.read("rows.tsv").lines().count(), 3);
    folder.itch(&[&report[..], &["-o", "/dev/null"]].concat()).succeeds();
    folder.itch(&[&report[..], &["-o", "new.tsv"]].concat()).succeeds();
}

#[test]
fn a_file_that_appears_during_the_run_is_kept_on_request() {
    let sandbox = Sandbox::start(&["--latency", "50ms"]);
    let folder = Folder::new().at(&sandbox);
    let arguments = [SLOW, &["--no-clobber", "--verdict", "verdict.json"]].concat();
    let child = started(&folder, &arguments);
    folder.write("rows.tsv", "theirs");
    folder.write("verdict.json", "theirs");
    let ran = folder.ran(wait(child), &arguments);
    ran.exits(1)
        .says("error: `rows.tsv` was made by another program during the run\n")
        .says("hint: what was written is in `rows.tsv.part`\n")
        .says("error: `verdict.json` was made by another program during the run\n");
    assert_eq!((folder.read("rows.tsv"), folder.read("verdict.json")), ("theirs".into(), "theirs".into()));
    assert_eq!(folder.read("rows.tsv.part").lines().count(), 1000);
}

#[test]
fn two_options_do_not_write_one_file() {
    let folder = Folder::new();
    symlink("rows.png", folder.path("link.png")).unwrap();
    for (one, other) in [("-o", "--verdict"), ("-o", "--plot"), ("--plot", "--verdict")] {
        for name in ["rows.png", "./rows.png", "link.png"] {
            let arguments = [
                "--sandbox",
                "followers",
                "-l",
                "3",
                "burkeblack",
                one,
                "rows.png",
                other,
                name,
            ];
            folder.itch(&arguments).exits(2).says("both write to");
        }
    }
    assert!(!folder.path("rows.png").exists() && !folder.path("rows.png.part").exists());
}

#[test]
fn what_stands_in_the_place_of_a_folder_is_named() {
    let folder = Folder::new();
    folder.write("taken", "");
    fs::create_dir(folder.path("folder")).unwrap();
    let sandbox = Sandbox::start(&[]);
    let folder = folder.at(&sandbox);
    for option in ["-o", "--verdict", "--plot"] {
        let run = |name: &str| folder.itch(&["followers", "-l", "3", "burkeblack", option, name]);
        run("taken/rows.png")
            .exits(1)
            .says("error: `taken/rows.png` cannot be written\n  caused by: `taken` is a file, not a directory\n");
        run("taken/deep/rows.png")
            .exits(1)
            .says("caused by: `taken` is a file, not a directory\n");
        run("missing/rows.png")
            .exits(1)
            .says("caused by: there is no directory `missing`\nhint: mkdir -p missing\n");
        fs::create_dir_all(folder.path("dir.png")).unwrap();
        run("dir.png")
            .exits(2)
            .says("error: `dir.png` does not name a file\n  caused by: it is a directory\n");
    }
    assert_eq!(sandbox.requests().total, 0);
}

#[test]
fn a_verdict_that_cannot_be_written_leaves_no_file() {
    use std::os::unix::process::CommandExt;
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    let closed = folder.path("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
    fs::set_permissions(folder.path(""), fs::Permissions::from_mode(0o777)).unwrap();
    let arguments = ["followers", "-l", "3", "burkeblack", "--verdict", "closed/verdict.json"];
    let mut command = folder.command(&arguments);
    if rustix::process::geteuid().is_root() {
        // Root may write anywhere, so this runs as an unprivileged user.
        command.uid(65534).gid(65534);
    }
    folder
        .ran(wait(command.spawn().unwrap()), &arguments)
        .exits(1)
        .says("error: `closed/verdict.json` cannot be written\n")
        .says("Permission denied");
    assert_eq!(sandbox.requests().total, 0);
    assert_eq!(fs::read_dir(&closed).unwrap().count(), 0);
    // A full disk is found out at the end: the rows are there, and the exit code says that something failed.
    let ran = folder.itch(&["followers", "-l", "3", "burkeblack", "--verdict", "/dev/full"]);
    ran.exits(1).says("the verdict cannot be written to `/dev/full`");
    assert_eq!(ran.rows().len(), 3);
    // Another failure keeps its exit code.
    folder
        .itch(&["followers", "no_such_channel", "--verdict", "/dev/full"])
        .exits(5)
        .says("there is no channel")
        .says("the verdict cannot be written");
}

#[test]
fn a_verdict_that_the_disk_has_no_room_for_leaves_no_file() {
    let folder = Folder::new();
    let script = "ulimit -f 0; trap '' XFSZ; exec \"$0\" \"$@\"";
    let arguments = ["--sandbox", "created", "burkeblack", "--verdict", "verdict.json"];
    let mut command = itch_tests::behind(&["sh", "-c", script], &folder.command(&arguments));
    let ran = folder.ran(wait(command.stdin(Stdio::null()).spawn().unwrap()), &arguments);
    ran.exits(1)
        .says("error: the verdict cannot be written to `verdict.json`\n  caused by: File too large");
    assert!(!folder.path("verdict.json").exists() && !folder.path("verdict.json.part").exists());
}
