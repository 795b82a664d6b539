//! The requests that a cache saves, and what it must never do, with every backend.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;
use flate2::{Compression, GzBuilder};
use itch_tests::{Folder, Sandbox, Signal, same, signal, wait};
use snapbox::prelude::*;
use snapbox::{assert_data_eq, str};

/// Every backend, as given to `-c`.
const BACKENDS: &[&str] = &["file"];

/// The default directory of the file cache.
fn directory(folder: &Folder) -> PathBuf {
    folder.path("cache/itch/responses")
}

/// Every file below a folder.
fn files(below: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(below).into_iter().flatten() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}

#[test]
fn the_second_run_asks_nothing_and_prints_the_same() {
    for backend in BACKENDS {
        let sandbox = Sandbox::start(&[]);
        let folder = Folder::new().at(&sandbox);
        for arguments in [
            &["followers", "-l", "1000", "burkeblack"][..],
            &["created", "burkeblack", "followers_3"],
            &["num-followers", "burkeblack", "followers_3"],
        ] {
            let arguments = [&["-c", backend, "-v"], arguments].concat();
            let first = folder.itch(&arguments);
            let before = sandbox.requests();
            let second = folder.itch(&arguments);
            assert_eq!(sandbox.requests(), before, "{arguments:?}");
            same(&second.exits(0).stdout, &first.exits(0).stdout);
            second.says("complete, 0 requests, ").says(" from cache, ");
        }
    }
}

#[test]
fn a_longer_pull_begins_with_the_pages_of_a_shorter_one() {
    for backend in BACKENDS {
        let sandbox = Sandbox::start(&[]);
        let folder = Folder::new().at(&sandbox);
        folder
            .itch(&["-c", backend, "followers", "-l", "1000", "burkeblack"])
            .succeeds();
        let before = sandbox.requests();
        let longer = folder.itch(&["-c", backend, "followers", "-l", "2000", "burkeblack"]);
        let after = sandbox.requests();
        for path in ["/helix/channels/followers", "/helix/users"] {
            assert_eq!(after.of(path) - before.of(path), 10, "{path}");
        }
        let fresh = folder.itch(&["followers", "-l", "2000", "burkeblack"]);
        longer.prints(&fresh.succeeds().stdout);
    }
}

#[test]
fn an_answer_in_the_cache_needs_no_network() {
    for backend in BACKENDS {
        let sandbox = Sandbox::start(&[]);
        let folder = Folder::new().at(&sandbox);
        let online = folder.itch(&["-c", backend, "followers", "-l", "500", "burkeblack"]);
        drop(sandbox);
        let offline = folder.itch(&["-c", backend, "--offline", "followers", "-l", "500", "burkeblack"]);
        offline.prints(&online.succeeds().stdout);
        // The cache also answers without `--offline`.
        let without = folder.itch(&["-c", backend, "followers", "-l", "500", "burkeblack"]);
        without.prints(&online.stdout);
        let missing = folder.itch(&["-c", backend, "--offline", "followers", "followers_3"]);
        assert_data_eq!(
            missing.all(),
            str![[r#"
exit code: 6
--- stdout
--- stderr
error: there is no stored answer to `helix users?login=followers_3`
hint: run once without `--offline`, with the same cache and the same identity

"#]]
            .raw()
        );
        let longer = folder.itch(&["-c", backend, "--offline", "followers", "-l", "600", "burkeblack"]);
        longer
            .exits(6)
            .says("there is no stored answer to `helix channels/followers?");
        same(&longer.stdout, &online.stdout);
        // `--offline` uses stored answers of any age.
        folder
            .itch(&["-c", backend, "--offline", "followers", "-l", "500", "burkeblack"])
            .succeeds();
    }
    let without_cache = Folder::new().itch(&["--sandbox", "--offline", "created", "burkeblack"]);
    assert_data_eq!(
        without_cache.all(),
        str![[r#"
exit code: 6
--- stdout
--- stderr
error: there is no stored answer to `helix users?login=burkeblack`
hint: `--offline` needs a cache: name it with `-c`

"#]]
        .raw()
    );
}

#[test]
fn freshness_is_the_persons_to_choose() {
    for backend in BACKENDS {
        let sandbox = Sandbox::start(&[]);
        let folder = Folder::new().at(&sandbox);
        let run = |options: &[&str]| {
            let before = sandbox.requests();
            let ran = folder.itch(&[&["-c", backend, "followers", "-l", "300", "burkeblack"], options].concat());
            let after = sandbox.requests();
            let asked = |path: &str| after.of(path) - before.of(path);
            (ran.succeeds().stdout.clone(), asked("/helix/channels/followers"), asked("/helix/users"))
        };
        let (rows, ..) = run(&[]);
        assert_eq!(run(&[]), (rows.clone(), 0, 0));
        assert_eq!(run(&["--refresh"]), (rows.clone(), 3, 4));
        assert_eq!(run(&["--max-age", "0"]), (rows.clone(), 3, 4));
        assert_eq!(run(&["--max-age", "1h"]), (rows.clone(), 0, 0));
        assert_eq!(run(&[]), (rows, 0, 0));
    }
}

#[test]
fn an_interrupted_pull_repeats_no_request_that_was_answered() {
    for backend in BACKENDS {
        let sandbox = Sandbox::start(&["--latency", "5ms"]);
        let folder = Folder::new().at(&sandbox);
        let arguments = ["-c", backend, "followers", "-l", "10000", "burkeblack"];
        let mut child = folder.command(&arguments).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut begun = String::new();
        for _ in 0..3_000 {
            stdout.read_line(&mut begun).unwrap();
        }
        signal(child.id(), Signal::INT);
        stdout.read_to_string(&mut begun).unwrap();
        folder.ran(wait(child), &arguments).exits(130);
        assert!((3_000..10_000).contains(&begun.lines().count()));

        let resumed = folder.itch(&arguments);
        assert!(resumed.succeeds().stdout.starts_with(&begun));
        assert_eq!(resumed.rows().len(), 10_000);
        // Only the requests that were in flight are repeated: a page and its look-ups.
        let requests = sandbox.requests();
        let pages = requests.of("/helix/channels/followers");
        let users = requests.of("/helix/users");
        assert!((100..=101).contains(&pages), "{requests:?}");
        assert!((101..=109).contains(&users), "{requests:?}");
    }
}

#[test]
fn simulated_answers_and_real_ones_never_mix() {
    for backend in BACKENDS {
        let folder = Folder::new();
        let arguments = ["-c", backend, "-v", "followers", "-l", "200", "burkeblack"];
        let simulated = folder.itch(&[&["--sandbox"], &arguments[..]].concat());
        // Another port, but the same simulated Twitch.
        let again = folder.itch(&[&["--sandbox"], &arguments[..]].concat());
        again.exits(0).says("complete, 0 requests, ");
        same(&again.stdout, &simulated.exits(0).stdout);
        // Requests to the real Twitch are not answered from the entries of the sandbox.
        let real = folder.variable("TWITCH_TOKEN", "abc");
        real.itch(&[&["--offline"], &arguments[..]].concat())
            .exits(6)
            .says("there is no stored answer");
        let sandbox = Sandbox::start(&["--seed", "7"]);
        let other = real.at(&sandbox);
        let ran = other.itch(&arguments);
        assert_ne!(ran.exits(0).stdout, simulated.stdout);
        assert_eq!(sandbox.requests().of("/helix/channels/followers"), 2);
    }
}

#[test]
fn two_processes_share_a_cache() {
    for backend in BACKENDS {
        let sandbox = Sandbox::start(&["--latency", "2ms"]);
        let folder = Folder::new().at(&sandbox);
        let arguments = ["-c", backend, "followers", "-l", "3000", "burkeblack"];
        let children: Vec<_> = (0..3).map(|_| folder.command(&arguments).spawn().unwrap()).collect();
        let runs: Vec<_> = children
            .into_iter()
            .map(|child| folder.ran(wait(child), &arguments))
            .collect();
        for ran in &runs {
            ran.prints(&runs[0].stdout);
            assert_eq!(ran.rows().len(), 3_000);
        }
        let before = sandbox.requests();
        folder.itch(&arguments).prints(&runs[0].stdout);
        assert_eq!(sandbox.requests(), before);
    }
}

/// No token is in the output, the log, the cache or an error.
#[test]
fn no_token_is_left_anywhere() {
    for backend in BACKENDS {
        let sandbox = Sandbox::start(&[]);
        let token = sandbox.variables()["TWITCH_TOKEN"].clone();
        let user = Folder::new().at(&sandbox);
        let app = Folder::new()
            .at(&sandbox)
            .variable("TWITCH_TOKEN", "")
            .variable("TWITCH_CLIENT_SECRET", Sandbox::CLIENT_SECRET);
        let expired = Folder::new()
            .at(&sandbox)
            .variable("TWITCH_TOKEN", Sandbox::TOKEN_EXPIRED);
        for (folder, code) in [(user, 0), (app, 0), (expired, 4)] {
            let mut seen = Vec::new();
            for arguments in [
                &[
                    "-vv",
                    "-c",
                    backend,
                    "created",
                    "burkeblack",
                    "--verdict",
                    "verdict.json",
                ][..],
                &["-vv", "-c", backend, "followers", "-l", "200", "burkeblack"],
                &["-vv", "-c", backend, "followers", "no_such_channel"],
            ] {
                let ran = folder.itch(arguments);
                seen.push(ran.all().into_bytes());
                if arguments.contains(&"created") {
                    ran.exits(code);
                }
            }
            for file in files(&folder.path("")) {
                let bytes = std::fs::read(file).unwrap();
                let mut body = Vec::new();
                if GzDecoder::new(&bytes[..]).read_to_end(&mut body).is_ok() {
                    seen.push(body);
                }
                seen.push(bytes);
            }
            for secret in [
                &token,
                Sandbox::TOKEN_EXPIRED,
                Sandbox::CLIENT_SECRET,
                "Bearer sandbox",
                "OAuth sandbox",
            ] {
                let found = seen
                    .iter()
                    .find(|text| text.windows(secret.len()).any(|part| part == secret.as_bytes()));
                assert!(found.is_none(), "{secret} in {}", String::from_utf8_lossy(found.unwrap()));
            }
        }
    }
}

#[test]
fn a_refusal_is_not_stored() {
    for backend in BACKENDS {
        let sandbox = Sandbox::start(&[]);
        let viewer = Folder::new()
            .at(&sandbox)
            .variable("TWITCH_TOKEN", Sandbox::TOKEN_VIEWER);
        for asked in 1..=2 {
            viewer.itch(&["-c", backend, "followers", "burkeblack"]).exits(4);
            // An empty list is asked for again before it is called a refusal.
            assert_eq!(sandbox.requests().of("/helix/channels/followers"), 2 * asked);
        }
        // The viewer must not get answers that only the broadcaster may see.
        let owner = viewer.at(&sandbox);
        owner
            .itch(&["-c", backend, "followers", "-l", "100", "burkeblack"])
            .succeeds();
    }
}

/// A folder with a filled file cache, the printed rows, and the arguments.
fn filled(sandbox: &Sandbox) -> (Folder, String, [&'static str; 6]) {
    let folder = Folder::new().at(sandbox);
    let arguments = ["-c", "file", "followers", "-l", "300", "burkeblack"];
    let rows = folder.itch(&arguments).succeeds().stdout.clone();
    // The channel, three pages, three look-ups.
    assert_eq!(files(&directory(&folder)).len(), 7);
    (folder, rows, arguments)
}

#[test]
fn broken_values_are_fetched_again_and_healed() {
    let sandbox = Sandbox::start(&[]);
    let broken: &[fn(&mut Vec<u8>)] = &[
        |bytes| bytes.clear(),
        |bytes| bytes.truncate(bytes.len() / 2),
        |bytes| bytes.truncate(bytes.len() - 1),
        |bytes| bytes.push(0),
        |bytes| bytes.fill(0),
        |bytes| bytes[0] ^= 0xff,
        |bytes| bytes[20] ^= 1,
        |bytes| bytes[40] ^= 1,
        |bytes| {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        },
        |bytes| {
            let last = bytes.len() - 5;
            bytes[last] ^= 1;
        },
        |bytes| *bytes = b"<html>Sorry</html>".to_vec(),
        bomb,
    ];
    let (folder, rows, arguments) = filled(&sandbox);
    for (number, harm) in broken.iter().enumerate() {
        for file in files(&directory(&folder)) {
            let mut bytes = std::fs::read(&file).unwrap();
            harm(&mut bytes);
            std::fs::write(&file, bytes).unwrap();
        }
        eprintln!("harm {number}");
        let before = sandbox.requests();
        folder.itch(&arguments).prints(&rows);
        let healed = sandbox.requests();
        assert!(healed.total - before.total >= 7, "harm {number}: {before:?}, {healed:?}");
        folder.itch(&arguments).prints(&rows);
        assert_eq!(sandbox.requests(), healed, "harm {number}");
    }
}

/// Replaces a value by a small valid one that inflates to more than 64 MiB.
fn bomb(bytes: &mut Vec<u8>) {
    let about = GzDecoder::new(&bytes[..]).header().unwrap().extra().unwrap().to_vec();
    let mut out = GzBuilder::new().extra(about).write(Vec::new(), Compression::best());
    let blanks = [b' '; 1 << 20];
    (0..65).for_each(|_| out.write_all(&blanks).unwrap());
    out.write_all(b"{}").unwrap();
    *bytes = out.finish().unwrap();
    assert!(bytes.len() < 1 << 20);
}

#[test]
fn a_value_under_another_key_is_broken() {
    let sandbox = Sandbox::start(&[]);
    let (folder, rows, arguments) = filled(&sandbox);
    let files = files(&directory(&folder));
    let first = std::fs::read(&files[0]).unwrap();
    for pair in files.windows(2) {
        std::fs::copy(&pair[1], &pair[0]).unwrap();
    }
    std::fs::write(files.last().unwrap(), first).unwrap();
    folder.itch(&arguments).prints(&rows);
    let ran = folder.itch(&[&arguments[..], &["-v"]].concat());
    assert_eq!(ran.stdout, rows);
    ran.says("complete, 0 requests, ");
}

#[test]
fn broken_values_are_told_with_verbose() {
    let sandbox = Sandbox::start(&[]);
    let (folder, _, arguments) = filled(&sandbox);
    for file in files(&directory(&folder)) {
        std::fs::write(file, "x").unwrap();
    }
    folder
        .itch(&[&arguments[..], &["-v"]].concat())
        .exits(0)
        .says("file: broken ");
}

/// The layout of 2016: 32 nested folders of two digits each, with a file in the last.
#[test]
fn values_in_the_old_layout_are_read() {
    let sandbox = Sandbox::start(&[]);
    let (folder, rows, arguments) = filled(&sandbox);
    let directory = directory(&folder);
    for file in files(&directory) {
        let key: String = file
            .strip_prefix(&directory)
            .unwrap()
            .iter()
            .map(|part| part.to_str().unwrap())
            .collect();
        assert_eq!(key.len(), 64);
        let pairs = key.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
        let old = pairs.fold(directory.clone(), |path, pair| path.join(pair)).join("v");
        let bytes = std::fs::read(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        std::fs::create_dir_all(old.parent().unwrap()).unwrap();
        std::fs::write(old, bytes).unwrap();
    }
    let before = sandbox.requests();
    folder.itch(&arguments).prints(&rows);
    assert_eq!(sandbox.requests(), before);
}

#[test]
fn a_cache_that_cannot_be_used_is_a_warning() {
    // Tests may run as root, whom permissions do not stop, so a file takes the name of the directory.
    let folder = Folder::new();
    folder.write("file", "");
    let folder = folder.variable("TWITCH_CACHE_TEMP", "file");
    let place = folder.path("file");
    let folder = folder.variable("TWITCH_CACHE_TEMP", &place);
    let ran = folder.itch(&["--sandbox", "-c", "file", "created", "burkeblack", "followers_3"]);
    assert_data_eq!(
        ran.all(),
        str![[r#"
exit code: 0
--- stdout
burkeblack	1351971249
followers_3	1424260810
--- stderr
warning: cache file: the cache directory [FOLDER]/file is not a directory; going on without it

"#]]
        .raw()
    );
    let strict = folder.itch(&["--sandbox", "-c", "file", "--cache-strict", "created", "burkeblack"]);
    assert_data_eq!(
        strict.all(),
        str![[r#"
exit code: 6
--- stdout
--- stderr
error: the cache `file` failed
  caused by: the cache directory [FOLDER]/file is not a directory
hint: repair the cache, or run without `--cache-strict` to go on without it

"#]]
        .raw()
    );
}

#[test]
fn a_cache_that_fails_on_the_way_is_a_warning() {
    let folder = Folder::new();
    // The directory can be read, but no folder can be created in it.
    std::fs::create_dir_all(directory(&folder)).unwrap();
    for byte in 0..=255 {
        std::fs::write(directory(&folder).join(format!("{byte:02x}")), "").unwrap();
    }
    let ran = folder.itch(&["--sandbox", "-c", "file", "followers", "-l", "300", "burkeblack"]);
    assert_eq!(ran.exits(0).rows().len(), 300);
    ran.says("warning: ");
    assert_eq!(ran.stderr.matches("warning: ").count(), 1, "{}", ran.all());
    folder
        .itch(&["--sandbox", "-c", "file", "--cache-strict", "created", "burkeblack"])
        .exits(6)
        .says("error: ");
}

#[test]
fn the_size_limit_holds() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    let arguments = [
        "-c",
        "file",
        "--cache-size",
        "100KB",
        "followers",
        "-l",
        "5000",
        "burkeblack",
    ];
    let first = folder.itch(&arguments);
    folder.itch(&arguments).prints(&first.succeeds().stdout);
    let sizes = files(&directory(&folder))
        .into_iter()
        .map(|file| file.metadata().unwrap().len());
    // The size is not checked at every put, so it may exceed the limit by a few pages.
    assert!((1..300_000).contains(&sizes.sum::<u64>()));
}

#[test]
fn the_directory_is_the_persons_own() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    folder
        .itch(&["--sandbox", "-c", "file", "created", "burkeblack"])
        .succeeds();
    let mode = directory(&folder).metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "{mode:o}");
}
