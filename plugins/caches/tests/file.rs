//! Tests of `-c file`, found in the registry and called through the plugin ABI, as itch does it.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, FileTimes};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use itch_plugin::abi::LogHost;
use itch_plugin::{CacheSettings, CacheStats, CacheStore, ErrorKind, Put, Registry, Result, Scan, ScanSupport};
use support::{key, keys, open_backend, open_logging, scanned, value, variables};
use tempfile::TempDir;

fn open_with(settings: &CacheSettings) -> Result<Box<dyn CacheStore>> {
    open_backend("file", settings)
}

fn open(directory: &Path) -> Box<dyn CacheStore> {
    open_with(&variables(&[("TWITCH_CACHE_TEMP", directory)])).unwrap()
}

fn new_path(directory: &Path, key: &str) -> PathBuf {
    directory.join(&key[..2]).join(&key[2..4]).join(&key[4..])
}

fn old_path(directory: &Path, key: &str) -> PathBuf {
    let mut path = directory.to_owned();
    (0..32).for_each(|pair| path.push(&key[2 * pair..2 * pair + 2]));
    path.join("v")
}

/// Writes a file like the itch of 2016.
fn plant_old(directory: &Path, key: &str, value: &[u8]) {
    let path = old_path(directory, key);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, value).unwrap();
}

fn set_age(path: &Path, age: Duration) {
    let file = fs::File::options().write(true).open(path).unwrap();
    let times = FileTimes::new().set_modified(SystemTime::now() - age);
    file.set_times(times).unwrap();
}

/// The files below a directory, including links, by their relative path.
fn files(directory: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut folders = vec![directory.to_owned()];
    while let Some(folder) = folders.pop() {
        for item in fs::read_dir(folder).unwrap() {
            let item = item.unwrap();
            match item.file_type().unwrap().is_dir() {
                true => folders.push(item.path()),
                false => {
                    found.insert(item.path().strip_prefix(directory).unwrap().to_owned());
                }
            }
        }
    }
    found
}

#[test]
fn it_describes_itself() {
    let registry = Registry::linked_in();
    let (spec, unit) = registry.cache("file").unwrap();
    assert_eq!(unit.plugin, "itch-caches");
    let names: Vec<&str> = spec.variables.iter().map(|variable| variable.name.as_str()).collect();
    assert_eq!(names, ["TWITCH_CACHE_TEMP", "XDG_CACHE_HOME", "HOME"]);
    assert!(spec.help.contains("512 MiB"));
}

#[test]
fn what_is_put_can_be_got_replaced_and_removed() {
    let temporary = TempDir::new().unwrap();
    let directory = temporary.path().join("made at the first put");
    let mut store = open(&directory);
    let key = key("abcdef");
    assert_eq!(store.location(), directory.to_str().unwrap());

    assert_eq!(value(&mut *store, &key), None);
    store.remove(&key).unwrap();
    assert_eq!(scanned(&mut *store), []);
    assert!(!directory.exists());

    let before = SystemTime::now() - Duration::from_secs(2);
    store.put(&key, b"one \0 value", None).unwrap();
    let stored = store.get(&key).unwrap().unwrap();
    assert_eq!(stored.bytes, b"one \0 value");
    assert!(stored.modified.unwrap() > before);
    assert_eq!(files(&directory), [PathBuf::from(format!("ab/cd/{}", &key[4..]))].into());

    store.put(&key, b"another", Some(Duration::from_secs(1))).unwrap();
    assert_eq!(value(&mut *store, &key).unwrap(), b"another");
    store.put(&key, b"", None).unwrap();
    assert_eq!(value(&mut *store, &key).unwrap(), b"");

    store.remove(&key).unwrap();
    assert_eq!(value(&mut *store, &key), None);
    store.remove(&key).unwrap();
    // No empty folders are left.
    assert_eq!(fs::read_dir(&directory).unwrap().count(), 0);
}

#[test]
fn stats_and_scan_see_every_value() {
    let temporary = TempDir::new().unwrap();
    let mut store = open(temporary.path());
    let stored: BTreeMap<String, u64> = (0..50_u64)
        .map(|n| (key(&format!("{:02x}{n:02x}", n % 7)), n))
        .collect();
    for (key, size) in &stored {
        store
            .put(key, &vec![b'x'; usize::try_from(*size).unwrap()], None)
            .unwrap();
    }
    // Files of others in the directory are ignored.
    fs::write(temporary.path().join("README"), "hello").unwrap();
    fs::write(temporary.path().join("00").join("note"), "hello").unwrap();

    let entries = scanned(&mut *store);
    let seen: BTreeMap<String, u64> = entries.iter().map(|entry| (entry.key.clone(), entry.bytes)).collect();
    assert_eq!(seen, stored);
    assert!(entries.iter().all(|entry| entry.modified_ms.is_some()));
    let stats = store.stats().unwrap();
    let expected = CacheStats {
        entries: Some(50),
        bytes: Some((0..50).sum()),
    };
    assert_eq!(stats, expected);

    let mut visited = 0;
    let support = store.scan(&mut |_| {
        visited += 1;
        Scan::Stop
    });
    assert_eq!(support.unwrap(), ScanSupport::Listed);
    assert_eq!(visited, 1);
}

#[test]
fn what_the_old_program_stored_is_read_listed_and_removed() {
    let temporary = TempDir::new().unwrap();
    let mut store = open(temporary.path());
    let (old, both) = (key("abcd01"), key("abcd02"));
    plant_old(temporary.path(), &old, b"old");
    plant_old(temporary.path(), &both, b"stale");
    assert_eq!(value(&mut *store, &old).unwrap(), b"old");

    store.put(&both, b"fresh", None).unwrap();
    assert_eq!(value(&mut *store, &both).unwrap(), b"fresh");
    assert_eq!(fs::read(old_path(temporary.path(), &both)).unwrap(), b"stale");
    // A key has one value, in either layout.
    assert_eq!(scanned(&mut *store).len(), 2);
    assert_eq!(store.stats().unwrap().bytes, Some(8));

    // The value that was read is removed, but not the one that it hid, which could not be fetched again.
    store.remove(&both).unwrap();
    assert_eq!(value(&mut *store, &both).unwrap(), b"stale");
    store.remove(&both).unwrap();
    assert_eq!(value(&mut *store, &both), None);
    assert_eq!(keys(&mut *store), [old.clone()].into());
    store.remove(&old).unwrap();
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
}

#[test]
fn the_directory_follows_the_variables() {
    let temporary = TempDir::new().unwrap();
    let (chosen, caches, home) =
        (temporary.path().join("chosen"), temporary.path().join("caches"), temporary.path().join("home"));
    let location = |settings: &[(&str, &Path)]| open_with(&variables(settings)).unwrap().location();
    let all: [(&str, &Path); 3] = [
        ("TWITCH_CACHE_TEMP", &chosen),
        ("XDG_CACHE_HOME", &caches),
        ("HOME", &home),
    ];
    assert_eq!(location(&all), chosen.to_str().unwrap());
    assert_eq!(location(&all[1..]), caches.join("itch/responses").to_str().unwrap());
    let of_home = home.join(".cache/itch/responses");
    assert_eq!(location(&all[2..]), of_home.to_str().unwrap());
    let relative: [(&str, &Path); 2] = [("XDG_CACHE_HOME", Path::new("caches")), ("HOME", &home)];
    assert_eq!(location(&relative), of_home.to_str().unwrap());
    assert!(Path::new(&location(&[("TWITCH_CACHE_TEMP", Path::new("here"))])).is_absolute());

    let error = open_with(&variables(&[])).err().unwrap();
    assert_eq!(
        error.message,
        "there is no directory for the cache: none of TWITCH_CACHE_TEMP, XDG_CACHE_HOME and HOME names one"
    );
    assert!(error.hint.is_some());
}

/// A directory that not even root can write to: a file has its name or that of its parent.
#[test]
fn a_directory_that_cannot_be_used_is_told_in_a_sentence() {
    let temporary = TempDir::new().unwrap();
    let file = temporary.path().join("file");
    fs::write(&file, "in the way").unwrap();

    let mut store = open(&file);
    let expected = format!("the cache directory {} is not a directory", file.display());
    for error in [
        store.get(&key("ab")).unwrap_err(),
        store.put(&key("ab"), b"x", None).unwrap_err(),
        store.remove(&key("ab")).unwrap_err(),
        store.stats().unwrap_err(),
        store.scan(&mut |_| Scan::Continue).unwrap_err(),
    ] {
        assert_eq!(error.kind, ErrorKind::Failed);
        assert_eq!(error.message, expected);
    }

    let below = file.join("below");
    let error = open(&below).put(&key("ab"), b"x", None).unwrap_err();
    let expected = format!("the cache directory {} cannot be read", below.display());
    assert_eq!(error.message, expected);
    assert!(!error.causes.is_empty());

    let directory = temporary.path().join("directory");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("ab"), "in the way of a folder").unwrap();
    let mut store = open(&directory);
    assert_eq!(value(&mut *store, &key("ab")), None);
    let error = store.put(&key("ab"), b"x", None).unwrap_err();
    assert_eq!(error.message, format!("the cache directory {} cannot be written", directory.display()));
    assert!(error.causes[0].contains("is not a directory"), "{error:#}");
}

#[test]
fn hostile_keys_reach_no_file() {
    let temporary = TempDir::new().unwrap();
    let directory = temporary.path().join("cache");
    let mut store = open(&directory);
    store.put(&key("ab"), b"x", None).unwrap();
    let before = files(temporary.path());
    let long = "a".repeat(65);
    let upper = "A".repeat(64);
    let climbing = format!("../../{}", "a".repeat(58));
    let absolute = format!("/{}", "a".repeat(63));
    let dots = "..".repeat(32);
    let zero = format!("ab\0{}", "a".repeat(61));
    let wide = "é".repeat(32);
    for hostile in ["", "ab", &long, &upper, &climbing, &absolute, &dots, &zero, &wide] {
        for error in [
            store.get(hostile).unwrap_err(),
            store.put(hostile, b"x", None).unwrap_err(),
            store.remove(hostile).unwrap_err(),
        ] {
            assert!(
                error
                    .message
                    .ends_with("is not a cache key: it must have 64 lower-case hexadecimal digits")
            );
        }
    }
    assert_eq!(files(temporary.path()), before);
}

#[test]
fn a_killed_writers_file_goes_away_after_an_hour() {
    let temporary = TempDir::new().unwrap();
    let mut store = open(temporary.path());
    store.put(&key("abcd"), b"x", None).unwrap();
    let folder = temporary.path().join("ab/cd");
    let (old, young) = (folder.join(".put-old"), folder.join(".put-young"));
    fs::write(&old, "half a val").unwrap();
    fs::write(&young, "half a val").unwrap();
    set_age(&old, Duration::from_secs(3_700));
    // Only temporary files of itch are removed: an old file of another name stays.
    let other = folder.join("other");
    fs::write(&other, "").unwrap();
    set_age(&other, Duration::from_secs(3_700));

    assert_eq!(keys(&mut *store), [key("abcd")].into());
    assert!(!old.exists());
    assert!(young.exists());
    assert!(other.exists());
}

/// Puts `n` values of a thousand bytes, the first of which is the oldest, without pruning.
fn fill(directory: &Path, n: usize) -> Vec<String> {
    let mut store = open(directory);
    let stored: Vec<String> = (0..n).map(|n| key(&format!("{n:04x}"))).collect();
    for (place, key) in stored.iter().enumerate() {
        store.put(key, &[b'x'; 1_000], None).unwrap();
        let age = Duration::from_secs(60 * (n - place) as u64);
        set_age(&new_path(directory, key), age);
    }
    stored
}

fn limited(directory: &Path, max_bytes: u64) -> Box<dyn CacheStore> {
    let settings = CacheSettings {
        max_bytes: Some(max_bytes),
        ..variables(&[("TWITCH_CACHE_TEMP", directory)])
    };
    open_with(&settings).unwrap()
}

#[test]
fn above_its_limit_the_oldest_go_first() {
    let temporary = TempDir::new().unwrap();
    let stored = fill(temporary.path(), 10);
    let archive = key("abcd");
    plant_old(temporary.path(), &archive, &[b'x'; 100_000]);
    set_age(&old_path(temporary.path(), &archive), Duration::from_secs(1_000_000));

    // The first put checks the size: 11,000 bytes are above the limit, 8,000 are four fifths of it.
    let mut store = limited(temporary.path(), 10_000);
    store.put(&key("ff"), &[b'x'; 1_000], None).unwrap();
    let mut left: BTreeSet<String> = stored[3..].iter().cloned().collect();
    left.extend([key("ff"), archive]);
    // Values of the itch of 2016 cannot be fetched again, so they are neither counted nor removed.
    assert_eq!(keys(&mut *store), left);
}

#[test]
fn above_its_limit_what_is_from_the_future_goes_before_all_else() {
    let temporary = TempDir::new().unwrap();
    let stored = fill(temporary.path(), 10);
    let ahead = SystemTime::now() + Duration::from_secs(1_000_000);
    let file = fs::File::options()
        .write(true)
        .open(new_path(temporary.path(), &stored[9]))
        .unwrap();
    file.set_modified(ahead).unwrap();
    let mut store = limited(temporary.path(), 10_000);
    store.put(&key("ff"), &[b'x'; 1_000], None).unwrap();
    let mut left: BTreeSet<String> = stored[2..9].iter().cloned().collect();
    left.insert(key("ff"));
    assert_eq!(keys(&mut *store), left);
}

#[test]
fn the_limit_is_looked_at_again_after_twenty_puts() {
    let temporary = TempDir::new().unwrap();
    let mut store = limited(temporary.path(), 10_000);
    for n in 0..21 {
        store.put(&key(&format!("{n:04x}")), &[b'x'; 1_000], None).unwrap();
        if n == 19 {
            assert_eq!(store.stats().unwrap().bytes, Some(20_000));
        }
    }
    assert_eq!(store.stats().unwrap().bytes, Some(8_000));
    assert!(value(&mut *store, &key("0014")).is_some());
}

#[test]
fn below_its_limit_nothing_goes() {
    let temporary = TempDir::new().unwrap();
    fill(temporary.path(), 10);
    let mut store = limited(temporary.path(), 11_000);
    store.put(&key("ff"), &[b'x'; 1_000], None).unwrap();
    assert_eq!(store.stats().unwrap().entries, Some(11));
}

#[cfg(unix)]
mod unix {
    //! Owners, modes and links.

    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn only_the_owner_can_read_it() {
        let temporary = TempDir::new().unwrap();
        let caches = temporary.path().join("caches");
        let mut store = open_with(&variables(&[("XDG_CACHE_HOME", &caches)])).unwrap();
        let key = key("abcd");
        store.put(&key, b"x", None).unwrap();
        let directory = caches.join("itch/responses");
        for folder in ["", "ab", "ab/cd"] {
            assert_eq!(mode(&directory.join(folder)), 0o700, "{folder}");
        }
        assert_eq!(mode(&new_path(&directory, &key)), 0o600);
    }

    #[test]
    fn a_default_directory_that_everybody_can_write_is_refused() {
        let temporary = TempDir::new().unwrap();
        let directory = temporary.path().join("itch/responses");
        fs::create_dir_all(&directory).unwrap();
        set_mode(&directory, 0o777);
        let mut store = open_with(&variables(&[("XDG_CACHE_HOME", temporary.path())])).unwrap();
        for error in [
            store.get(&key("ab")).unwrap_err(),
            store.put(&key("ab"), b"x", None).unwrap_err(),
        ] {
            assert!(error.message.ends_with("itch/responses is writable by everyone"));
            assert!(error.hint.unwrap().contains("TWITCH_CACHE_TEMP"));
        }
        // The user chose this directory and knows who else writes to it.
        open(&directory).put(&key("ab"), b"x", None).unwrap();
    }

    #[test]
    fn a_directory_that_others_can_write_to_gives_one_warning() {
        use std::os::unix::fs::MetadataExt;
        let temporary = TempDir::new().unwrap();
        let directory = temporary.path().join("cache");
        fs::create_dir(&directory).unwrap();
        let own_group = fs::metadata(&directory).unwrap().gid() == fs::metadata("/proc/self").unwrap().gid();
        for (mode, expected) in [
            (0o700, 0),
            (0o755, 0),
            (0o770, usize::from(!own_group)),
            (0o777, 1),
            (0o1777, 1),
        ] {
            set_mode(&directory, mode);
            let lines = Arc::<Mutex<Vec<String>>>::default();
            let kept = Arc::clone(&lines);
            let host = LogHost::new(move |_, line: &str| kept.lock().unwrap().push(line.to_owned()));
            let settings = variables(&[("TWITCH_CACHE_TEMP", &directory)]);
            let mut store = open_logging("file", &settings, host).unwrap();
            store.put(&key("ab"), b"x", None).unwrap();
            store.get(&key("ab")).unwrap();
            let lines = lines.lock().unwrap();
            assert_eq!(lines.len(), expected, "{mode:o}: {lines:?}");
            for line in &*lines {
                assert_eq!(line, "other users can write to this cache directory, and so change what is read from it");
            }
        }
    }

    #[test]
    fn another_users_directory_is_refused() {
        let temporary = TempDir::new().unwrap();
        let directory = temporary.path().join("itch/responses");
        fs::create_dir_all(&directory).unwrap();
        // Only root can change the owner of a directory; other users test with a directory of root.
        let given_away = chown(&directory, Some(4_711), None).is_ok();
        let becomes = |mode, of_root: &str| match given_away {
            true => set_mode(&directory, mode),
            false => {
                let _ = fs::remove_file(&directory).or_else(|_| fs::remove_dir(&directory));
                symlink(of_root, &directory).unwrap();
            }
        };
        becomes(0o755, "/usr");
        let mut of_user = open_with(&variables(&[("XDG_CACHE_HOME", temporary.path())])).unwrap();
        let error = of_user.get(&key("ab")).unwrap_err();
        assert!(error.message.ends_with("belongs to another user"), "{error}");

        let mut chosen = open(&directory);
        assert_eq!(value(&mut *chosen, &key("ab")), None);
        becomes(0o777, "/tmp");
        let error = chosen.get(&key("ab")).unwrap_err();
        assert!(error.message.ends_with("and is writable by everyone"), "{error}");
    }

    #[test]
    fn a_planted_link_leads_nowhere() {
        let temporary = TempDir::new().unwrap();
        let (directory, outside) = (temporary.path().join("cache"), temporary.path().join("outside"));
        fs::create_dir(&directory).unwrap();
        // The directory outside looks like a cache, so that only the check of the link prevents reading.
        let planted = [key("abcd01"), key("abcd02")];
        let mut other = open(&outside);
        for key in &planted {
            other.put(key, b"secret", None).unwrap();
        }
        plant_old(&outside, &key("abcd03"), b"secret");
        let before = files(&outside);

        symlink(outside.join("ab"), directory.join("ab")).unwrap();
        fs::create_dir(directory.join("cd")).unwrap();
        symlink(outside.join("ab/cd"), directory.join("cd/cd")).unwrap();
        let mut store = open(&directory);
        for stranger in [&planted[0], &planted[1], &key("abcd03"), &key("cdcd01")] {
            assert_eq!(value(&mut *store, stranger), None);
            store.remove(stranger).unwrap();
            let error = store.put(stranger, b"x", None).unwrap_err();
            assert!(error.message.ends_with("cannot be written"), "{error}");
        }
        assert_eq!(scanned(&mut *store), []);
        assert_eq!(files(&outside), before);
    }

    #[test]
    fn a_link_in_place_of_a_value_is_replaced_and_not_followed() {
        let temporary = TempDir::new().unwrap();
        let (directory, outside) = (temporary.path().join("cache"), temporary.path().join("outside"));
        fs::write(&outside, "secret").unwrap();
        let key = key("abcd");
        let path = new_path(&directory, &key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(&outside, &path).unwrap();
        let mut store = open(&directory);
        assert_eq!(value(&mut *store, &key), None);
        assert_eq!(scanned(&mut *store), []);
        store.put(&key, b"mine", None).unwrap();
        assert_eq!(value(&mut *store, &key).unwrap(), b"mine");
        assert_eq!(fs::read(&outside).unwrap(), b"secret");
    }
}

/// The variable with the directory for the processes of [`many_writers_and_no_torn_value`].
const HAMMERED: &str = "ITCH_TEST_HAMMERED";
/// Long enough for many thousands of operations, short enough for a test.
const HAMMERING: Duration = Duration::from_millis(1_500);
const HAMMERED_KEYS: usize = 4;

/// A value that shows whether it is complete: one repeated byte, and a length that depends on it.
fn hammer_value(seed: usize) -> Vec<u8> {
    let byte = u8::try_from(seed % 251).unwrap();
    vec![byte; 10_000 + usize::from(byte)]
}

/// Puts, gets, removes and lists the same few keys, and checks that each value is complete.
fn hammer(directory: &Path, seed: usize) -> usize {
    let mut store = limited(directory, 30_000);
    let end = Instant::now() + HAMMERING;
    let mut read = 0;
    for turn in seed.. {
        if Instant::now() > end {
            break;
        }
        let key = key(&format!("ab{:02x}", turn % HAMMERED_KEYS));
        match turn % 16 {
            0 => store.remove(&key).unwrap(),
            1 => {
                store.stats().unwrap();
            }
            2..8 => {
                let put = store.put(&key, &hammer_value(turn * 31 + seed), None);
                assert_eq!(put.unwrap(), Put::Stored);
            }
            _ => {
                if let Some(bytes) = value(&mut *store, &key) {
                    assert_eq!(bytes, hammer_value(usize::from(bytes[0])), "a torn value");
                    read += 1;
                }
            }
        }
    }
    read
}

/// Not a test by itself: [`many_writers_and_no_torn_value`] runs it in separate processes.
#[test]
fn hammer_in_a_process_of_its_own() {
    if let Some(directory) = std::env::var_os(HAMMERED) {
        assert!(hammer(Path::new(&directory), 1_000) > 0);
    }
}

#[test]
fn many_writers_and_no_torn_value() {
    let temporary = TempDir::new().unwrap();
    let directory = temporary.path();
    let processes: Vec<_> = (0..2)
        .map(|_| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "hammer_in_a_process_of_its_own"])
                .env(HAMMERED, directory)
                .spawn()
                .unwrap()
        })
        .collect();
    let read: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|seed| scope.spawn(move || hammer(directory, seed)))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    for mut process in processes {
        assert!(process.wait().unwrap().success());
    }
    assert!(read > 0);
    // Every writer has removed its temporary files.
    let left = files(directory);
    assert!(left.len() <= HAMMERED_KEYS, "{left:?}");
}
