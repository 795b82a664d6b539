//! `itch cache`, `--stale-if-error`, and the cache messages of `-v`.

use std::time::{Duration, SystemTime};

use itch_tests::servers::Server;
use itch_tests::{Folder, Sandbox, same};
use snapbox::prelude::*;
use snapbox::{assert_data_eq, str};

/// A folder whose file cache contains the answers of two reports.
fn filled(sandbox: &Sandbox) -> Folder {
    let folder = Folder::new().at(sandbox);
    folder
        .itch(&["-c", "file", "followers", "-l", "300", "burkeblack"])
        .succeeds();
    folder.itch(&["-c", "file", "created", "followers_3"]).succeeds();
    folder
}

/// Makes every value this much older. The time is in the file's content, so the files are rewritten.
fn files(folder: &Folder) -> Vec<std::path::PathBuf> {
    fn below(path: std::path::PathBuf, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(path).into_iter().flatten() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => below(path, found),
                false => found.push(path),
            }
        }
    }
    let mut found = Vec::new();
    below(folder.path("cache/itch/responses"), &mut found);
    found.sort();
    found
}

#[test]
fn stats_counts_by_service_and_report() {
    let sandbox = Sandbox::start(&[]);
    let folder = filled(&sandbox);
    let cells = folder.itch(&["cache", "stats"]);
    let cells = cells.succeeds().cells();
    let sizes: u64 = files(&folder).iter().map(|file| file.metadata().unwrap().len()).sum();
    let counts: Vec<_> = cells.iter().map(|row| (row[1], row[2], row[3])).collect();
    assert_eq!(counts, [("all", "", "8"), ("helix", "created", "1"), ("helix", "followers", "7")]);
    assert_eq!(cells[0][4], sizes.to_string());
    let json = folder.itch(&["cache", "stats", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json.succeeds().stdout).unwrap();
    assert_eq!(json[0]["entries"], 8);
    assert_eq!(json[0]["by"][1]["report"], "followers");
    assert!(json[0]["oldest_seconds"].as_u64().unwrap() < 60);
}

#[test]
fn list_shows_what_was_asked_without_secrets() {
    let sandbox = Sandbox::start(&[]);
    let folder = filled(&sandbox);
    let listed = folder.itch(&["cache", "list"]);
    let cells = listed.succeeds().cells();
    assert_eq!(cells.len(), 8);
    for row in &cells {
        assert_eq!((row[2], row[3]), ("200", "helix"));
        assert!(row[5].starts_with("GET https://api.twitch.tv/helix/"), "{row:?}");
    }
    assert!(listed.stdout.contains("helix/users?login=followers_3\n"));
    let token = &sandbox.variables()["TWITCH_TOKEN"];
    assert!(!listed.stdout.contains(token.as_str()));
    for file in files(&folder) {
        let bytes = std::fs::read(file).unwrap();
        assert!(!bytes.windows(token.len()).any(|window| window == token.as_bytes()));
    }
    let json = folder.itch(&["cache", "list", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&json.succeeds().stdout).unwrap();
    assert_eq!(json[0]["entries"][0]["broken"], false);
}

#[test]
fn verify_finds_what_is_broken_and_removes_it() {
    let sandbox = Sandbox::start(&[]);
    let folder = filled(&sandbox);
    let harmed = files(&folder);
    for file in &harmed[..3] {
        std::fs::write(file, "x").unwrap();
    }
    folder.itch(&["cache", "stats"]).says("").exits(0);
    assert_eq!(folder.itch(&["cache", "stats"]).cells()[1][1], "broken");
    assert!(folder.itch(&["cache", "list"]).stdout.contains("broken, under "));
    folder.itch(&["cache", "verify"]).prints("8\t3\n");
    folder.itch(&["cache", "verify"]).prints("5\t0\n");
    assert_eq!(files(&folder).len(), 5);
}

#[test]
fn prune_removes_the_old_and_the_too_much() {
    let sandbox = Sandbox::start(&[]);
    let folder = filled(&sandbox);
    let all: u64 = files(&folder).iter().map(|file| file.metadata().unwrap().len()).sum();
    folder.itch(&["cache", "prune"]).exits(2);
    folder
        .itch(&["cache", "prune", "--older-than", "30d"])
        .prints(&format!("0\t0\t8\t{all}\n"));
    folder
        .itch(&["cache", "prune", "--max-size", "512MB"])
        .prints(&format!("0\t0\t8\t{all}\n"));
    let pruned = folder.itch(&["cache", "prune", "--max-size", "20KB"]);
    let left: u64 = files(&folder).iter().map(|file| file.metadata().unwrap().len()).sum();
    assert!((1..=20_000).contains(&left), "{left}");
    assert_eq!(pruned.succeeds().cells()[0][3], left.to_string());
    std::thread::sleep(Duration::from_millis(20));
    let pruned = folder.itch(&["cache", "prune", "--older-than", "10ms"]);
    assert_eq!(pruned.succeeds().cells()[0][2..], ["0", "0"]);
    assert!(files(&folder).is_empty());
}

#[test]
fn clear_leaves_nothing_of_itchs_and_everything_of_others() {
    let sandbox = Sandbox::start(&[]);
    let folder = filled(&sandbox);
    let place = folder.path("cache/itch/responses");
    std::fs::write(place.join("notes.txt"), "mine").unwrap();
    // Values of the itch of 2016 cannot be fetched again, so clearing them needs an extra option.
    let key = "5acbf29b89a29420092fa49572b781dc41528bb86d98dbb271e5d4cf9f618625";
    let pairs = key.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    let old = pairs.fold(place.clone(), |path, pair| path.join(pair)).join("v");
    std::fs::create_dir_all(old.parent().unwrap()).unwrap();
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut zlib, b"{\"name\":\"burkeblack\"}").unwrap();
    std::fs::write(&old, zlib.finish().unwrap()).unwrap();
    let cleared = folder.itch(&["cache", "clear"]);
    cleared
        .exits(0)
        .says("not removed: 1 of the itch of 2016, which cannot be fetched again");
    assert_eq!(cleared.cells()[0][0], "8");
    assert!(old.exists());
    assert_eq!(folder.itch(&["cache", "prune", "--max-size", "0"]).succeeds().cells()[0][..2], ["0", "0"]);
    assert_eq!(folder.itch(&["cache", "clear", "--all"]).succeeds().cells()[0][0], "1");
    assert_eq!(files(&folder).len(), 1);
    assert_eq!(std::fs::read_to_string(place.join("notes.txt")).unwrap(), "mine");
}

/// On a shared server, entries of other programs are not read, counted or removed.
#[test]
fn a_shared_redis_keeps_what_is_not_itchs() {
    let sandbox = Sandbox::start(&[]);
    let server = Server::redis(&[]);
    let select = server.ask(&["SET", "theirs", "1"]);
    assert_eq!(select, "+OK\r\n");
    let folder = Folder::new()
        .at(&sandbox)
        .variable("REDIS_URL", format!("redis://{}/0", server.address()));
    folder
        .itch(&["-c", "redis", "followers", "-l", "300", "burkeblack"])
        .succeeds();
    server.ask(&["SET", "itch:1:not-a-key", "1"]);
    server.ask(&["SET", "itch:2:other", "1"]);
    assert_eq!(folder.itch(&["cache", "stats", "-c", "redis"]).succeeds().cells()[0][3], "7");
    // Every entry expires.
    let key = folder.itch(&["cache", "list", "--json", "-c", "redis"]).stdout;
    let key: serde_json::Value = serde_json::from_str(&key).unwrap();
    let name = format!("itch:1:{}", key[0]["entries"][0]["key"].as_str().unwrap());
    let left: i64 = server
        .ask(&["TTL", &name])
        .trim_start_matches(':')
        .trim()
        .parse()
        .unwrap();
    assert!((29 * 86_400..=30 * 86_400).contains(&left), "{left}");
    assert_eq!(folder.itch(&["cache", "clear", "-c", "redis"]).succeeds().cells()[0][0], "7");
    assert_eq!(server.ask(&["DBSIZE"]), ":3\r\n");
}

/// The caches of `config.toml` are used unless the command line names some.
#[test]
fn the_configuration_may_name_the_caches() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    let configure = |text: &str| {
        std::fs::create_dir_all(folder.path("config/itch")).unwrap();
        folder.write("config/itch/config.toml", text);
    };
    let report = ["created", "burkeblack"];
    let asked = |options: &[&str]| {
        let before = sandbox.requests().of("/helix/users");
        folder.itch(&[options, &report].concat()).succeeds();
        sandbox.requests().of("/helix/users") - before
    };
    assert_eq!((asked(&[]), asked(&[])), (1, 1));
    configure("[cache]\nuse = [\"file\"]\n");
    assert_eq!((asked(&[]), asked(&[])), (1, 0));
    assert_eq!((asked(&["-c", "none"]), asked(&["-c", "file"])), (1, 0));
    folder
        .itch(&[&["-v"], &report[..]].concat())
        .says("cache file: 1 hits, ");
    let quiet = folder.itch(&[&["-v", "-c", "none"], &report[..]].concat());
    assert!(!quiet.stderr.contains("cache"), "{}", quiet.stderr);
    folder
        .itch(&[&["-c", "none", "--offline"], &report[..]].concat())
        .exits(6)
        .says("hint: `--offline` needs a cache: name it with `-c`");
    folder
        .itch(&[&["-c", "none,file"], &report[..]].concat())
        .exits(2)
        .says("`none` means no cache");
    // The `itch cache` commands use the same caches.
    let down = itch_tests::servers::free_port().to_string();
    configure("[cache]\nuse = [\"memcache\"]\n");
    let path = format!("127.0.0.1:{down}\n");
    let folder = folder.variable("MEMCACHE_SERVERS", format!("127.0.0.1:{down}"));
    folder.itch(&["cache", "path"]).prints(&path);
    folder.write("config/itch/config.toml", "[cache]\nuse = [\"nonsense\"]\n");
    assert_data_eq!(
        folder.itch(&report).all(),
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: `[cache]` in config.toml cannot be used
  caused by: there is no cache `nonsense`; known: file, memcache, redis
hint: itch plugins list

"#]]
        .raw()
    );
}

#[test]
fn what_cannot_be_done_is_said() {
    let folder = Folder::new();
    assert_data_eq!(
        folder.itch(&["cache", "list", "-c", "nonsense"]).all(),
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: there is no cache `nonsense`; known: file, memcache, redis
hint: itch plugins list

"#]]
        .raw()
    );
    let down = itch_tests::servers::free_port();
    let folder = folder
        .variable("REDIS_PORT", down.to_string())
        .variable("REDIS_HOST", "127.0.0.1");
    folder
        .itch(&["cache", "stats", "-c", "redis"])
        .exits(6)
        .says("error: the cache `redis` cannot be used\n");
    // An empty cache is not an error.
    folder.itch(&["cache", "list"]).prints("");
    folder.itch(&["cache", "verify"]).prints("0\t0\n");
    folder
        .itch(&["cache", "path"])
        .prints(&format!("{}\n", folder.path("cache/itch/responses").display()));
}

#[test]
fn an_old_response_is_used_when_twitch_fails() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    let report = ["-c", "file", "--retries", "0", "followers", "-l", "300", "burkeblack"];
    let rows = folder.itch(&report).succeeds().stdout.clone();
    drop(sandbox);
    std::thread::sleep(Duration::from_millis(50));
    let old = [&["--max-age", "0"], &report[..]].concat();
    folder.itch(&old).exits(6);
    let ran = folder.itch(&[&["--stale-if-error", "1h", "-v"], &old[..]].concat());
    same(&ran.exits(0).stdout, &rows);
    ran.says("warning: a service failed: used ")
        .says(" stored responses, the oldest ")
        .says(" s old\n");
    ran.says(" stale, ");
    // The warning is printed once, even with `-q`.
    let ran = folder.itch(&[&["--stale-if-error", "1h", "-q"], &old[..]].concat());
    ran.exits(0);
    assert_eq!(ran.stderr.matches("warning: ").count(), 1, "{}", ran.stderr);
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    // An entry older than the limit is not used.
    folder.itch(&[&["--stale-if-error", "1ms"], &old[..]].concat()).exits(6);
    folder
        .itch(&[&["--stale-if-error", "1h", "--offline"], &report[..]].concat())
        .exits(2);
}

#[test]
fn verbose_counts_what_the_cache_did() {
    let sandbox = Sandbox::start(&["--latency", "30ms"]);
    let folder = Folder::new().at(&sandbox);
    let report = ["-v", "-c", "file", "followers", "-l", "300", "burkeblack"];
    let first = folder.itch(&report);
    first
        .exits(0)
        .says("cache file: 0 hits, 0 stale, ")
        .says(" 0 corrupt, 0 too large, 0 errors, 0.0 s of requests saved");
    std::fs::write(&files(&folder)[0], "x").unwrap();
    let start = SystemTime::now();
    let second = folder.itch(&report);
    second.exits(0).says(" 1 corrupt, ");
    // Seven answers, each of which took 30 ms.
    let saved = second
        .stderr
        .split(" errors, ")
        .nth(1)
        .unwrap()
        .split(" s of")
        .next()
        .unwrap();
    assert!((0.1..2.0).contains(&saved.parse::<f64>().unwrap()), "{saved} {start:?}");
}
