//! Caches that fail in every known way: the rows are right, the exit code is 0, there is one warning, and little time
//! is lost; with `--cache-strict`, the exit code is 6.

use std::collections::HashSet;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use itch_tests::servers::{FakeServer, Server, free_port, redis_cluster};
use itch_tests::{Folder, RunResult, Sandbox, Signal, behind, eventually, root, same, signal, wait};

const REPORT: [&str; 4] = ["followers", "-l", "1000", "burkeblack"];

/// A folder with these variables.
fn folder(variables: &[(&str, String)]) -> Folder {
    variables
        .iter()
        .fold(Folder::new(), |folder, (name, value)| folder.variable(name, value))
}

fn without_cache() -> RunResult {
    let ran = Folder::new().itch(&[&["--sandbox"], &REPORT[..]].concat());
    ran.succeeds();
    ran
}

/// Fails unless a run has all rows and exactly one warning, with this text.
#[track_caller]
fn warned(ran: &RunResult, rows: &str, text: &str) {
    same(&ran.exits(0).stdout, rows);
    ran.says(text);
    assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.starts_with("warning: cache "), "{}", ran.stderr);
}

/// A cache that fails from the start: one warning, all rows, at most one second lost; with `--cache-strict`, an error.
#[track_caller]
fn survived(variables: &[(&str, String)], cache: &str, text: &str) {
    let folder = folder(variables);
    let plain = without_cache();
    let arguments = [&["--sandbox", "-c", cache], &REPORT[..]].concat();
    let ran = folder.itch(&arguments);
    warned(&ran, &plain.stdout, text);
    let lost = ran.elapsed.saturating_sub(plain.elapsed);
    assert!(
        lost < Duration::from_millis(1_500),
        "{lost:?} lost; the tests share the machine, or it would be 1 s"
    );
    let strict = folder.itch(&[&arguments[..], &["--cache-strict"]].concat());
    strict.exits(6).says("error: ").says("hint: ");
    assert!(!strict.stderr.contains("warning: "), "{}", strict.stderr);
}

fn redis_at(port: u16) -> Vec<(&'static str, String)> {
    vec![("REDIS_HOST", "127.0.0.1".into()), ("REDIS_PORT", port.to_string())]
}

fn memcache_at(ports: &[u16]) -> Vec<(&'static str, String)> {
    let servers: Vec<String> = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
    vec![("MEMCACHE_SERVERS", servers.join(","))]
}

fn cluster_at(port: u16) -> Vec<(&'static str, String)> {
    vec![("REDIS_URL", format!("redis+cluster://127.0.0.1:{port}"))]
}

#[test]
fn a_server_that_is_down() {
    survived(&redis_at(free_port()), "redis", "cannot be reached");
    survived(&cluster_at(free_port()), "redis", "");
    survived(&memcache_at(&[free_port()]), "memcache", "cannot be reached");
}

#[test]
fn a_server_that_accepts_and_never_answers() {
    let silent = FakeServer::start(b"");
    survived(&redis_at(silent.port()), "redis", "did not answer in time");
    survived(&memcache_at(&[silent.port()]), "memcache", "did not answer in time");
    survived(&cluster_at(silent.port()), "redis", "");
    let another = FakeServer::start(b"");
    survived(&memcache_at(&[silent.port(), another.port()]), "memcache", "did not answer in time");
}

#[test]
fn a_server_that_answers_garbage() {
    for garbage in [
        &b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"[..],
        b"\0\x01\x02\xff\xfe\r\n\r\n\r\n",
        b"+OK\r\n$5\r\nhello\r\n*3\r\n:1\r\n",
        b"VA 5\r\nhelloXX",
        b"-ERR \x1b[31mno\r\nEN\r\n",
        b"SSH-2.0-OpenSSH_9.2p1\r\n",
    ] {
        let impostor = FakeServer::start(garbage);
        for (variables, cache) in [
            (redis_at(impostor.port()), "redis"),
            (memcache_at(&[impostor.port()]), "memcache"),
            (cluster_at(impostor.port()), "redis"),
        ] {
            let plain = without_cache();
            let folder = folder(&variables);
            let ran = folder.itch(&[&["--sandbox", "-c", cache], &REPORT[..]].concat());
            same(&ran.exits(0).stdout, &plain.stdout);
            // The answer may be taken for an invalid value. That is not a failure, so there is no warning.
            assert!(ran.stderr.lines().count() <= 1, "{}", ran.stderr);
            assert!(!ran.stderr.contains('\x1b'), "{}", ran.stderr);
            let strict = ["--sandbox", "--cache-strict", "-c", cache];
            let strict = folder.itch(&[&strict[..], &REPORT[..]].concat());
            match ran.stderr.is_empty() {
                true => same(&strict.exits(0).stdout, &plain.stdout),
                false => drop(strict.exits(6)),
            }
        }
    }
}

/// Starts a long run and does something to the server in the middle.
fn in_the_middle(
    variables: &[(&str, String)],
    cache: &str,
    options: &[&str],
    harm: impl Fn(),
) -> (RunResult, RunResult) {
    let sandbox = Sandbox::start(&["--latency", "20ms"]);
    let report = ["followers", "-l", "4000", "burkeblack"];
    let plain = Folder::new().at(&sandbox).itch(&report);
    let before = sandbox.requests().total;
    let folder = folder(variables).at(&sandbox);
    let arguments = [options, &["-c", cache], &report].concat();
    let child = folder.command(&arguments).spawn().unwrap();
    eventually("the middle", || sandbox.requests().total >= before + 20);
    harm();
    (folder.ran(wait(child), &arguments), plain)
}

#[test]
fn a_server_that_dies_in_the_middle() {
    for cache in ["redis", "memcache"] {
        for (options, code) in [(&[][..], 0), (&["--cache-strict"], 6)] {
            let server = match cache {
                "redis" => Server::redis(&[]),
                _ => Server::memcached(&[]),
            };
            let variables = match cache {
                "redis" => redis_at(server.port()),
                _ => memcache_at(&[server.port()]),
            };
            let (ran, plain) = in_the_middle(&variables, cache, options, || server.kill());
            match code {
                0 => warned(&ran, &plain.stdout, "going on without it"),
                code => drop(ran.exits(code).says("` failed")),
            }
        }
    }
}

#[test]
fn a_server_that_falls_silent_in_the_middle() {
    let server = Server::redis(&[]);
    let stop = || signal(server.id(), Signal::STOP);
    let (ran, plain) = in_the_middle(&redis_at(server.port()), "redis", &[], stop);
    signal(server.id(), Signal::CONT);
    warned(&ran, &plain.stdout, "did not answer in time");
    let server = Server::memcached(&[]);
    let stop = || signal(server.id(), Signal::STOP);
    let (ran, plain) = in_the_middle(&memcache_at(&[server.port()]), "memcache", &[], stop);
    signal(server.id(), Signal::CONT);
    warned(&ran, &plain.stdout, "did not answer in time");
}

/// If one of several servers fails, only that one is dropped.
#[test]
fn one_server_of_several_that_dies() {
    let (dies, lives) = (Server::memcached(&[]), Server::memcached(&[]));
    let variables = memcache_at(&[dies.port(), lives.port()]);
    let (ran, plain) = in_the_middle(&variables, "memcache", &[], || dies.kill());
    warned(&ran, &plain.stdout, "using the other servers");
    let dead = free_port();
    let sandbox = Sandbox::start(&[]);
    let variables = memcache_at(&[dead, lives.port()]);
    let folder = folder(&variables).at(&sandbox);
    let arguments = [&["-c", "memcache"], &REPORT[..]].concat();
    let first = folder.itch(&arguments);
    warned(&first, &first.stdout, "using the other servers");
    let before = sandbox.requests();
    warned(&folder.itch(&arguments), &first.stdout, "cannot be reached");
    assert_eq!(sandbox.requests(), before);
    folder.itch(&[&arguments[..], &["--cache-strict"]].concat()).exits(6);
}

#[test]
fn a_node_of_a_cluster_that_dies() {
    let nodes = redis_cluster();
    let kill = || nodes[1].kill();
    let (ran, plain) = in_the_middle(&cluster_at(nodes[0].port()), "redis", &[], kill);
    warned(&ran, &plain.stdout, "going on without it");
}

/// Each layer may fail without the other.
#[test]
fn a_layer_that_fails() {
    let sandbox = Sandbox::start(&[]);
    let good = Server::redis(&[]);
    let rows = without_cache().stdout;
    let layers = ["-c", "file,redis"];
    let arguments = [&layers[..], &REPORT[..]].concat();
    // The far layer fails; the near one answers.
    let far = folder(&redis_at(free_port())).at(&sandbox);
    warned(&far.itch(&arguments), &rows, "warning: cache redis: ");
    let before = sandbox.requests();
    warned(&far.itch(&[&arguments[..], &["--max-age", "0"]].concat()), &rows, "warning: cache redis: ");
    far.itch(&[&["-c", "file"], &REPORT[..]].concat()).prints(&rows);
    assert!(sandbox.requests().total > before.total);
    // The near layer fails; the far one answers.
    let near = folder(&redis_at(good.port())).at(&sandbox);
    near.write("file", "");
    let near = near.variable("TWITCH_CACHE_TEMP", "file");
    warned(&near.itch(&arguments), &rows, "warning: cache file: ");
    let before = sandbox.requests();
    warned(&near.itch(&arguments), &rows, "warning: cache file: ");
    assert_eq!(sandbox.requests(), before);
}

#[test]
fn a_full_memcached_forgets() {
    let server = Server::memcached(&["-m", "1", "-I", "512k"]);
    let sandbox = Sandbox::start(&[]);
    let folder = folder(&memcache_at(&[server.port()])).at(&sandbox);
    let report = ["followers", "-l", "60000", "burkeblack"];
    let plain = Folder::new().at(&sandbox).itch(&report);
    let arguments = [&["-c", "memcache"], &report[..]].concat();
    for _ in 0..3 {
        // More than fits: the server drops the oldest entries or refuses new ones, which is a warning.
        let ran = folder.itch(&arguments);
        same(&ran.exits(0).stdout, &plain.stdout);
        assert!(ran.stderr.lines().count() <= 1, "{}", ran.stderr);
    }
}

#[test]
fn a_full_redis_that_refuses() {
    let server = Server::redis(&["--maxmemory", "1mb", "--maxmemory-policy", "noeviction"]);
    survived(&redis_at(server.port()), "redis", "OOM");
}

#[test]
fn a_wrong_password() {
    let server = Server::redis(&["--requirepass", "right-password"]);
    let with = |password: &str| [&redis_at(server.port())[..], &[("REDIS_PASSWORD", password.into())]].concat();
    survived(&redis_at(server.port()), "redis", "requires a password");
    survived(&with("wrong-password"), "redis", "refuses the password");
    let ran = folder(&with("wrong-password")).itch(&[&["--sandbox", "-vv", "-c", "redis"], &REPORT[..]].concat());
    assert!(!ran.stderr.contains("wrong-password"), "{}", ran.stderr);
    // A server without a password repeats the given one in its error.
    let open = Server::redis(&[]);
    let url = format!("redis://user:wrong-password@{}/1", open.address());
    let ran = folder(&[("REDIS_URL", url)]).itch(&[&["--sandbox", "-vv", "-c", "redis"], &REPORT[..]].concat());
    assert!(!ran.stderr.contains("wrong-password"), "{}", ran.stderr);
}

#[test]
fn a_replica_that_may_only_be_read() {
    let master = Server::redis(&[]);
    let replica = Server::redis(&["--replicaof", "127.0.0.1", &master.port().to_string()]);
    eventually("the replica", || replica.ask(&["INFO", "replication"]).contains("master_link_status:up"));
    survived(&redis_at(replica.port()), "redis", "read only replica");
}

#[test]
fn settings_that_cannot_be_meant() {
    survived(&[("REDIS_PORT", "many".into())], "redis", "REDIS_PORT");
    survived(&[("REDIS_URL", "http://somewhere".into())], "redis", "REDIS_URL");
    survived(&[("MEMCACHE_SERVERS", "a b".into())], "memcache", "MEMCACHE_SERVERS");
}

/// A small mounted file system; `None` if mounting is not possible.
struct Disk(PathBuf);

impl Disk {
    fn mount(place: PathBuf, size: &str) -> Option<Disk> {
        std::fs::create_dir_all(&place).unwrap();
        let options = format!("size={size},mode=0755");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(&place)
            .output();
        mounted
            .is_ok_and(|mounted| mounted.status.success())
            .then_some(Disk(place))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).output();
    }
}

#[test]
fn a_full_disk() {
    let folder = Folder::new();
    let rows = without_cache().stdout;
    let arguments = [&["--sandbox", "-c", "file"], &REPORT[..]].concat();
    let place = folder.path("disk");
    if let Some(_disk) = Disk::mount(place.clone(), "64k") {
        let folder = folder.variable("TWITCH_CACHE_TEMP", place.join("responses"));
        warned(&folder.itch(&arguments), &rows, "cannot be written");
        // The stored values are complete, and failed ones left no files.
        let verified = folder.itch(&["cache", "verify"]);
        assert_eq!(verified.succeeds().cells()[0][1], "0");
        assert_ne!(verified.cells()[0][0], "0");
        folder.itch(&[&arguments[..], &["--cache-strict"]].concat()).exits(6);
    }
    // The same without mounting: files are limited to one kilobyte.
    let folder = Folder::new();
    let command = folder.command(&arguments);
    let small = "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\"";
    let mut limited = behind(&["sh", "-c", small], &command);
    warned(&folder.ran(wait(limited.spawn().unwrap()), &arguments), &rows, "cannot be written");
    assert_eq!(folder.itch(&["cache", "verify"]).succeeds().cells()[0][1], "0");
}

/// Runs itch as an unprivileged user if the tests run as root.
fn as_nobody(folder: &Folder, arguments: &[&str]) -> RunResult {
    use std::os::unix::process::CommandExt;
    let mut command = folder.command(arguments);
    if rustix::process::geteuid().is_root() {
        command.uid(65_534).gid(65_534);
    }
    folder.ran(wait(command.spawn().unwrap()), arguments)
}

#[test]
fn a_directory_that_cannot_be_written() {
    use std::os::unix::fs::PermissionsExt;
    let allow = |path: PathBuf, mode: u32| {
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    };
    let folder = Folder::new();
    // An unprivileged user needs access to the program and the folder.
    allow(folder.path("."), 0o755);
    let place = folder.path("responses");
    let folder = folder.variable("TWITCH_CACHE_TEMP", &place);
    let arguments = [&["--sandbox", "-c", "file"], &REPORT[..]].concat();
    let rows = folder.itch(&arguments).succeeds().stdout.clone();
    let readable = Command::new("chmod")
        .args(["-R", "a+rX,a-w"])
        .arg(&place)
        .status()
        .unwrap();
    assert!(readable.success());
    // Existing entries are read.
    let ran = as_nobody(&folder, &arguments);
    same(&ran.succeeds().stdout, &rows);
    let ran = as_nobody(&folder, &[&arguments[..], &["--refresh"]].concat());
    warned(&ran, &rows, "cannot be written");
    as_nobody(&folder, &[&arguments[..], &["--refresh", "--cache-strict"]].concat()).exits(6);
}

#[test]
fn a_directory_of_another_user() {
    let folder = Folder::new();
    let place = folder.path("cache/itch/responses");
    std::fs::create_dir_all(place.parent().unwrap()).unwrap();
    // Root can change the owner of a directory; other users test with a directory of root.
    match rustix::process::geteuid().is_root() {
        true => {
            std::fs::create_dir(&place).unwrap();
            std::os::unix::fs::chown(&place, Some(65_534), None).unwrap();
        }
        false => std::os::unix::fs::symlink("/usr", &place).unwrap(),
    }
    let there = || std::fs::read_dir(&place).unwrap().count();
    let before = there();
    let rows = without_cache().stdout;
    let arguments = [&["--sandbox", "-c", "file"], &REPORT[..]].concat();
    warned(&folder.itch(&arguments), &rows, "belongs to another user");
    folder.itch(&[&arguments[..], &["--cache-strict"]].concat()).exits(6);
    assert_eq!(there(), before);
}

/// Every file below a folder.
fn files(below: PathBuf) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(below).into_iter().flatten();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| match path.is_dir() {
            true => files(path),
            false => vec![path],
        })
        .collect()
}

/// Pseudo-random numbers, the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

/// A command with low priority, since some tests that run at the same time measure time.
fn patiently(command: &Command) -> Command {
    behind(&["nice", "-n", "5"], command)
}

/// The number of broken entries that a run with `-v` reports.
fn corrupt(ran: &RunResult) -> usize {
    let before = ran.stderr.split(" corrupt, ").next().unwrap();
    before.rsplit(' ').next().unwrap().parse().unwrap()
}

/// Ten thousand broken values: each is detected, and its answer fetched again.
#[test]
fn entries_cut_or_flipped_at_random() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    let itch = |arguments: &[&str]| folder.ran(wait(patiently(&folder.command(arguments)).spawn().unwrap()), arguments);
    // This token cannot see the followers of other channels, so only totals of 0 are stored.
    let known = itch(&["followers", "-l", "2700", "--columns", "name", "burkeblack"]);
    let numbers = itch(&[&["num-followers"], &known.rows()[..]].concat());
    let channels = numbers.cells().into_iter().filter(|row| row[1] == "0");
    let channels: Vec<&str> = channels.map(|row| row[0]).take(480).collect();
    // Single answers, and a list whose later pages depend on the first.
    let many = [&["-v", "-c", "file", "num-followers"], &channels[..]].concat();
    let walk = [&["-v", "-c", "file"], &REPORT[..]].concat();
    let rows = [&many, &walk].map(|arguments| itch(arguments).exits(0).stdout.clone());
    let mut dice = Dice(6);
    let mut found = 0;
    while found < 10_000 {
        for file in files(folder.path("cache/itch/responses")) {
            let mut bytes = std::fs::read(&file).unwrap();
            let place = dice.roll(bytes.len());
            match dice.roll(3) {
                0 => bytes.truncate(place),
                1 => bytes[place] ^= 1 << dice.roll(8),
                _ => bytes[place..].fill(0),
            }
            std::fs::write(&file, bytes).unwrap();
        }
        for (arguments, rows) in [&many, &walk].into_iter().zip(&rows) {
            let ran = itch(arguments);
            same(&ran.exits(0).stdout, rows);
            found += corrupt(&ran);
        }
    }
    // Broken entries that no run has read are found too. After that there are none left.
    itch(&["cache", "verify"]).exits(0);
    assert_eq!(itch(&["cache", "verify"]).succeeds().cells()[0][1], "0");
}

#[test]
fn eight_processes_write_the_same_keys() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    let report = ["-v", "-c", "file", "followers", "-l", "300", "burkeblack"];
    let rows = folder.itch(&report).exits(0).stdout.clone();
    let end = Instant::now() + Duration::from_secs(30);
    std::thread::scope(|scope| {
        for place in 0..8 {
            let (folder, rows) = (&folder, &rows);
            scope.spawn(move || {
                let mut runs = 0;
                while Instant::now() < end {
                    // Half of the processes write all the time, half read what the others write.
                    let options: &[&str] = if place % 2 == 0 { &["--refresh"] } else { &[] };
                    let arguments = [&report[..], options].concat();
                    let child = patiently(&folder.command(&arguments)).spawn();
                    let ran = folder.ran(wait(child.unwrap()), &arguments);
                    same(&ran.exits(0).stdout, rows);
                    ran.says(" 0 corrupt, ").says(" 0 errors, ");
                    runs += 1;
                }
                assert!(runs > 1);
            });
        }
    });
    assert_eq!(folder.itch(&["cache", "verify"]).succeeds().cells()[0], ["7", "0"]);
}

/// The file at each path: a value that is written again is a different file.
fn inodes(below: PathBuf) -> HashSet<(PathBuf, u64)> {
    let inode = |path: PathBuf| {
        let metadata = path.metadata().ok()?;
        Some((path, std::os::unix::fs::MetadataExt::ino(&metadata)))
    };
    files(below).into_iter().filter_map(inode).collect()
}

/// Kills two hundred runs; each time the next run is complete.
#[test]
fn killed_in_the_middle_of_writes() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    let arguments = ["-v", "-c", "file", "followers", "-l", "1000", "burkeblack"];
    let refresh = [&arguments[..], &["--refresh"]].concat();
    let place = folder.path("cache/itch/responses");
    let rows = folder.itch(&arguments).exits(0).stdout.clone();
    let entries = files(place.clone()).len();
    let mut dice = Dice(9);
    let mut killed = 0;
    while killed < 200 {
        let before = inodes(place.clone());
        let written = dice.roll(entries);
        // The output is discarded, since a full pipe would block the run.
        let mut command = folder.command(&refresh);
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        eventually("some writes", || {
            inodes(place.clone()).difference(&before).count() >= written || child.try_wait().unwrap().is_some()
        });
        std::thread::sleep(Duration::from_micros(dice.roll(3_000) as u64));
        // The run may have ended before, and then no signal is sent.
        child.kill().unwrap();
        killed += usize::from(wait(child).status.code().is_none());
        let ran = folder.itch(&arguments);
        same(&ran.exits(0).stdout, &rows);
        ran.says(" 0 corrupt, ");
    }
    assert_eq!(folder.itch(&["cache", "verify"]).succeeds().cells()[0][1], "0");
}

/// `tests/run` installs the programs that these tests need.
#[test]
fn the_test_command_installs_the_servers() {
    let text = std::fs::read_to_string(root().join("tests/run")).unwrap();
    assert!(text.contains("redis-server") && text.contains("memcached"));
}
