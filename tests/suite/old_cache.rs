//! Cache directories in the format of the old program, created here and read without a network.

use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use itch_tests::{Folder, RunResult};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

fn hash(key: &str) -> String {
    let digest = Sha256::digest(key.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The path of a key's value in the old program: 32 folders deep.
fn place(directory: &Path, key: &str) -> PathBuf {
    let hash = hash(key);
    let folders = (0..32).map(|place| &hash[2 * place..2 * place + 2]);
    folders
        .fold(directory.to_owned(), |path, part| path.join(part))
        .join("v")
}

fn zlib(text: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn store(directory: &Path, key: &str, value: &Value) {
    let path = place(directory, key);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, zlib(value.to_string().as_bytes())).unwrap();
}

/// A folder with an old cache and without a service.
struct Old {
    folder: Folder,
    directory: PathBuf,
}

impl Old {
    fn new(entries: &[(&str, Value)]) -> Old {
        let folder = Folder::new();
        let directory = folder.path("old");
        for (key, value) in entries {
            store(&directory, key, value);
        }
        let folder = folder.variable("TWITCH_CACHE_TEMP", &directory);
        Old { folder, directory }
    }

    fn replay(&self, arguments: &[&str]) -> RunResult {
        let options = ["--source", "legacy", "--offline", "-c", "file"];
        self.folder.itch(&[&options, arguments].concat())
    }

    /// All files with their contents.
    fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let (mut files, mut folders) = (Vec::new(), vec![self.directory.clone()]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => files.push((path.clone(), std::fs::read(path).unwrap())),
                }
            }
        }
        files.sort();
        files
    }
}

fn channel() -> Value {
    json!({"_id": 76_725_499, "name": "burkeblack", "display_name": "BurkeBlack", "followers": 66_121,
        "created_at": "2012-11-03T19:34:09Z", "updated_at": "2016-07-31T20:08:11Z"})
}

fn follow(name: &str, created: &str, followed: &str) -> Value {
    json!({"created_at": followed, "notifications": false,
        "user": {"type": "user", "name": name, "display_name": name, "_id": 1, "created_at": created}})
}

#[test]
fn keys_are_those_of_the_old_program() {
    for (key, expected) in [
        (
            "https://api.twitch.tv/kraken/channels/burkeblack|[]",
            "5acbf29b89a29420092fa49572b781dc41528bb86d98dbb271e5d4cf9f618625",
        ),
        (
            "https://api.twitch.tv/kraken/channels/burkeblack/follows?direction=DESC&limit=100|[u'cursor=1469996245023720000']",
            "6098cb5aede2b622e0b8b604356f44a0d9a0582ae208f61dd9e559cc555b7926",
        ),
        (
            "https://rechat.twitch.tv/rechat-messages|['start=0', u'video_id=v80935574']",
            "91d67aec210d84a6beb8ad93874a64eccb733fed092b9a2dbe6d2fe27b922cbf",
        ),
        (
            r#"https://loots.com/api/v1//search/channels/76725499/streams|['json={"sort_key": "_t", "sort_order": "desc", "limit": 20, "offset": 0}']"#,
            "ffe804b52dcc0c9426b103895d969a177e766fbee4d4da7332b3f94b1637e711",
        ),
    ] {
        assert_eq!(hash(key), expected, "{key}");
    }
}

#[test]
fn channels_and_their_followers() {
    let pages = [
        json!({"_total": 3, "_cursor": "1469996245023720000", "_links": {},
            "follows": [follow("z_9", "2013-06-05T11:02:03Z", "2016-07-31T20:17:25Z"),
                        follow("y", "2010-08-02T07:11:09Z", "2016-07-31T20:17:25Z")]}),
        json!({"_total": 3, "_cursor": "1469550110482113000", "_links": {},
            "follows": [follow("x", "2016-07-26T16:21:49Z", "2016-07-26T16:21:50Z")]}),
        json!({"_total": 3, "_links": {}, "follows": []}),
    ];
    let [first, second, last] = pages;
    let follows = "https://api.twitch.tv/kraken/channels/burkeblack/follows";
    let old = Old::new(&[
        ("https://api.twitch.tv/kraken/channels/burkeblack|[]", channel()),
        // The pages of a run with a limit and of one without.
        (&format!("{follows}?direction=DESC&limit=100|[]"), first.clone()),
        (&format!("{follows}?direction=DESC&limit=100|[u'cursor=1469996245023720000']"), second.clone()),
        (&format!("{follows}?direction=DESC&limit=100|[u'cursor=1469550110482113000']"), last.clone()),
        (&format!("{follows}?direction=DESC&limit=None|[]"), first),
        (&format!("{follows}?direction=DESC&limit=None|[u'cursor=1469996245023720000']"), second),
        (&format!("{follows}?direction=DESC&limit=None|[u'cursor=1469550110482113000']"), last),
        (
            &format!("{follows}?direction=ASC&limit=1|[]"),
            json!({"_total": 3, "_cursor": "5", "follows": [follow("a", "2010-01-01T00:00:00Z", "2010-01-01T00:00:01Z")]}),
        ),
    ]);
    let before = old.files();
    let rows = "z_9\tBurkeBlack\t1370430123\t1469996245\t99566122\t0\n\
                y\tBurkeBlack\t1280733069\t1469996245\t189263176\t0\n\
                x\tBurkeBlack\t1469550109\t1469550110\t1\t0\n";
    old.replay(&["followers", "BurkeBlack"]).prints(rows);
    old.replay(&["-l", "150", "followers", "BurkeBlack"]).prints(rows);
    let oldest = old.replay(&["-d", "asc", "-l", "1", "followers", "burkeblack"]);
    oldest.prints("a\tburkeblack\t1262304000\t1262304001\t1\t0\n");
    old.replay(&["created", "burkeblack"])
        .prints("burkeblack\t1351971249\n");
    old.replay(&["num_followers", "Burkeblack"])
        .prints("burkeblack\t66121\n");
    let ran = old.replay(&["-v", "num_followers", "burkeblack"]);
    ran.exits(0).says("complete, 0 requests, 1 from cache");
    assert!(old.files() == before, "an old cache is read, never written to");
}

#[test]
fn followed_channels_are_paged_by_links() {
    let base = "https://api.twitch.tv/kraken/users/burkeblack/follows/channels";
    let page = |follows: Value, next: &str| json!({"_total": 2, "follows": follows, "_links": {"self": "", "next": format!("{base}?{next}")}});
    let row = |name: &str, followed: &str, followers: u64| {
        json!({"created_at": followed, "notifications": true,
        "channel": {"name": name, "_id": 5, "followers": followers, "created_at": "2009-01-01T00:00:00Z"}})
    };
    let old = Old::new(&[
        (
            "https://api.twitch.tv/kraken/users/burkeblack|[]",
            json!({"type": "user", "name": "burkeblack", "_id": 1, "created_at": "2012-11-03T19:34:09Z"}),
        ),
        (
            &format!("{base}?direction=DESC&limit=None|[]"),
            page(json!([row("sevadus", "2016-07-21T13:44:15Z", 250_000)]), "direction=DESC&limit=25&offset=25"),
        ),
        (
            &format!("{base}?direction=DESC&limit=25&offset=25|[]"),
            page(json!([row("other", "2012-11-03T19:34:08Z", 0)]), "direction=DESC&limit=25&offset=50"),
        ),
        (
            &format!("{base}?direction=DESC&limit=25&offset=50|[]"),
            page(json!([]), "direction=DESC&limit=25&offset=75"),
        ),
        (
            "https://api.twitch.tv/kraken/users/BurkeBlack/follows/channels?direction=ASC&limit=1|[]",
            page(json!([row("other", "2012-11-03T19:34:08Z", 0)]), "direction=ASC&limit=1&offset=1"),
        ),
    ]);
    let rows = "burkeblack\tsevadus\t1351971249\t1469108655\t117137406\t250000\n\
                burkeblack\tother\t1351971249\t1351971248\t-1\t0\n";
    old.replay(&["following", "BurkeBlack"]).prints(rows);
    old.replay(&["num_following", "BurkeBlack"]).prints("BurkeBlack\t2\n");
    // Only under the name as it was typed.
    old.replay(&["num_following", "burkeblack"]).exits(6);
}

#[test]
fn chatters_and_broadcasts() {
    let search = "https://loots.com/api/v1//search/channels/76725499/streams";
    let rows = json!({"data": [
        {"_t": 1, "t_start": 1_469_108_655, "t_end": null},
        {"_t": 2, "t_start": "2016-07-20T13:44:15Z", "t_end": "2016-07-20T15:44:15.5+02:00"}]});
    let old = Old::new(&[
        ("https://api.twitch.tv/kraken/channels/burkeblack|[]", channel()),
        (
            "https://tmi.twitch.tv/group/user/burkeblack/chatters|[]",
            json!({"_links": {}, "chatter_count": 5, "chatters": {"moderators": ["m2", "m1"], "staff": ["s"],
                "admins": [], "global_mods": [], "viewers": ["v2", "v1"]}}),
        ),
        (
            &format!(r#"{search}|['json={{"sort_key": "_t", "sort_order": "desc", "limit": 20, "offset": 0}}']"#),
            rows.clone(),
        ),
        (
            &format!(r#"{search}|['json={{"sort_key": "_t", "sort_order": "asc", "limit": 500, "offset": 0}}']"#),
            rows,
        ),
    ]);
    old.replay(&["chatters", "burkeblack"]).prints("m2\nm1\nv2\nv1\n");
    let expected = "1469108655\tNone\n1469022255\t1469029455\n";
    old.replay(&["-l", "20", "loots_streams", "burkeblack"])
        .prints(expected);
    old.replay(&["-d", "asc", "loots_streams", "burkeblack"])
        .prints(expected);
}

#[test]
fn chat() {
    let said = |id: &str, from: &str, text: &str| {
        json!({"type": "rechat-message", "id": id, "attributes": {"from": from, "message": text, "timestamp": 0,
            "tags": {"subscriber": false}}})
    };
    let rechat =
        |start: &str| format!("https://rechat.twitch.tv/rechat-messages|['start={start}', u'video_id=v80935574']");
    let old = Old::new(&[
        ("https://api.twitch.tv/kraken/videos/v80935574|[]", json!({"_id": "v80935574", "length": 65})),
        (
            &rechat("0"),
            json!({"errors": [{"status": 400, "detail": "0 is not between 1469108651 and 1469108716"}]}),
        ),
        (
            &rechat("1469108651"),
            json!({"data": [said("a", "x", "hello\tall\\"), said("b", "y", "привіт 😀")]}),
        ),
        (
            &rechat("1469108681"),
            json!({"data": [said("b", "y", "привіт 😀"), said("c", "x", "two\r\nlines")]}),
        ),
        (&rechat("1469108711"), json!({"data": [said("c", "x", "two\r\nlines")]})),
    ]);
    let expected = "x : hello\tall\\\ny : привіт 😀\nx : two  lines\n";
    for video in ["v80935574", "80935574"] {
        old.replay(&["chatlog", video]).prints(expected);
    }
    old.replay(&["-l", "1", "chatlog", "v80935574"])
        .prints("x : hello\tall\\\n");
}

/// The old program also stored errors, and later read them as data.
#[test]
fn a_stored_error_is_that_error() {
    let error = json!({"error": "Not Found", "status": 404, "message": "Channel 'gone' does not exist"});
    let old = Old::new(&[
        ("https://api.twitch.tv/kraken/channels/gone|[]", error.clone()),
        ("https://api.twitch.tv/kraken/users/gone|[]", error.clone()),
        ("https://api.twitch.tv/kraken/users/gone/follows/channels?direction=ASC&limit=1|[]", error.clone()),
        ("https://api.twitch.tv/kraken/videos/v7|[]", error),
    ]);
    let before = old.files();
    for report in [
        "created",
        "num_followers",
        "followers",
        "chatters",
        "loots_streams",
        "following",
        "num_following",
    ] {
        let ran = old.replay(&[report, "gone"]);
        assert_eq!(ran.exits(5).stdout, "", "{report}");
        ran.says("there is no channel `gone`");
    }
    old.replay(&["chatlog", "v7"]).exits(5);
    assert!(old.files() == before);
}

#[test]
fn a_broken_value_is_none() {
    let key = "https://api.twitch.tv/kraken/channels/burkeblack|[]";
    let whole = zlib(channel().to_string().as_bytes());
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x55;
    for broken in [
        b"".to_vec(),
        b"nonsense".to_vec(),
        whole[..whole.len() - 1].to_vec(),
        flipped,
        zlib(b"<html>"),
        zlib(b"{\"name\":\"burke"),
    ] {
        let old = Old::new(&[(key, channel())]);
        let path = place(&old.directory, key);
        std::fs::write(path, &broken).unwrap();
        let ran = old.replay(&["created", "burkeblack"]);
        assert_eq!(ran.exits(6).stdout, "", "{broken:?}");
    }
}
