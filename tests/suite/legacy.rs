//! `--source legacy`: the eight reports of 2016, byte for byte, with the services of that time.
//!
//! The expected output is computed here from the raw answers by the rules of the old program, and never by itch.

use std::collections::HashSet;
use std::fmt::Write as _;

use itch_tests::{Folder, RunResult, Sandbox, same};
use serde_json::{Value, json};

use crate::recorder::{Recorder, get};

/// The video of 2016, with its start and its end in seconds.
pub(crate) const VIDEO: &str = "v80935574";
const START: i64 = 1_469_108_651;
const END: i64 = 1_469_133_795;

/// The JSON of a path of the sandbox.
fn ask(sandbox: &Sandbox, target: &str) -> Value {
    let address = sandbox.address();
    serde_json::from_str(&get(address, target, address).1).unwrap()
}

/// The seconds since 1970 of `2016-07-21T13:44:15Z`. Like the old program, it ignores the text after the seconds.
fn epoch(text: &Value) -> i64 {
    let text = text.as_str().unwrap();
    let number = |from: usize, to: usize| text[from..to].parse::<i64>().unwrap();
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    let years = if month > 2 { year } else { year - 1 };
    let days = 365 * years + years / 4 - years / 100 + years / 400 + (153 * ((month + 9) % 12) + 2) / 5 + day - 719_469;
    days * 86_400 + number(11, 13) * 3600 + number(14, 16) * 60 + number(17, 19)
}

fn word<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

/// A row of `followers` or `following` without its last column.
fn dated(name: &str, channel: &str, created: i64, followed: i64) -> String {
    format!("{name}\t{channel}\t{created}\t{followed}\t{}", followed - created)
}

/// The output of the old program for `followers`, and its requests.
fn old_followers(sandbox: &Sandbox, typed: &str, direction: &str, limit: Option<usize>) -> (String, Vec<String>) {
    let login = typed.to_lowercase();
    let size = limit.map_or("None".to_owned(), |limit| limit.min(100).to_string());
    let first = format!("/kraken/channels/{login}/follows?direction={direction}&limit={size}");
    let mut asked = vec![format!("/kraken/channels/{login}"), first.clone()];
    let (mut rows, mut count) = (String::new(), 0);
    loop {
        let page = ask(sandbox, asked.last().unwrap());
        let follows = page["follows"].as_array().unwrap();
        for follow in follows {
            let user = &follow["user"];
            let (created, followed) = (epoch(&user["created_at"]), epoch(&follow["created_at"]));
            writeln!(rows, "{}\t0", dated(word(user, "name"), typed, created, followed)).unwrap();
            count += 1;
            if Some(count) == limit {
                return (rows, asked);
            }
        }
        if follows.is_empty() {
            return (rows, asked);
        }
        asked.push(format!("{first}&cursor={}", word(&page, "_cursor")));
    }
}

/// The output of the old program for `following`, and its requests.
fn old_following(sandbox: &Sandbox, typed: &str, direction: &str, limit: Option<usize>) -> (String, Vec<String>) {
    let login = typed.to_lowercase();
    let user = ask(sandbox, &format!("/kraken/users/{login}"));
    let created = epoch(&user["created_at"]);
    let size = limit.map_or("None".to_owned(), |limit| limit.min(100).to_string());
    let mut asked = vec![
        format!("/kraken/users/{login}"),
        format!("/kraken/users/{login}/follows/channels?direction={direction}&limit={size}"),
    ];
    let (mut rows, mut count) = (String::new(), 0);
    loop {
        let page = ask(sandbox, asked.last().unwrap());
        let follows = page["follows"].as_array().unwrap();
        for follow in follows {
            let channel = &follow["channel"];
            let row = dated(word(&user, "name"), word(channel, "name"), created, epoch(&follow["created_at"]));
            writeln!(rows, "{row}\t{}", channel["followers"]).unwrap();
            count += 1;
            if Some(count) == limit {
                return (rows, asked);
            }
        }
        if follows.is_empty() {
            return (rows, asked);
        }
        let next = word(&page["_links"], "next").split_once("/kraken/").unwrap().1;
        asked.push(format!("/kraken/{next}"));
    }
}

/// The output that the old program should have had for `chatlog`: each message once, unchanged.
fn old_chat(sandbox: &Sandbox) -> String {
    let (mut rows, mut seen) = (String::new(), HashSet::new());
    for start in (START..=END).step_by(30) {
        let window = ask(sandbox, &format!("/rechat/rechat-messages?video_id={VIDEO}&start={start}"));
        for message in window["data"].as_array().unwrap() {
            if seen.insert(word(message, "id").to_owned()) {
                let said = &message["attributes"];
                let text = word(said, "message").replace(['\r', '\n'], " ");
                writeln!(rows, "{} : {text}", word(said, "from")).unwrap();
            }
        }
    }
    rows
}

/// The URL of `loots_streams`, with the query encoded like in Python.
fn loots_target(order: &str, limit: &str) -> String {
    let question = [
        "%7B%22sort_key%22%3A+%22_t%22%2C+%22sort_order%22%3A+%22",
        order,
        "%22%2C+%22limit%22%3A+",
        limit,
        "%2C+%22offset%22%3A+0%7D",
    ];
    format!("/loots/api/v1//search/channels/76725499/streams?json={}", question.concat())
}

fn old_streams(sandbox: &Sandbox, target: &str) -> String {
    let mut rows = String::new();
    for row in ask(sandbox, target)["data"].as_array().unwrap() {
        let time = |name: &str| match &row[name] {
            Value::Null => "None".to_owned(),
            Value::Number(seconds) => seconds.to_string(),
            text => epoch(text).to_string(),
        };
        writeln!(rows, "{}\t{}", time("t_start"), time("t_end")).unwrap();
    }
    rows
}

pub(crate) fn legacy(folder: &Folder, arguments: &[&str]) -> RunResult {
    folder.itch(&[&["--source", "legacy"], arguments].concat())
}

#[test]
fn single_values_are_those_of_the_old_program() {
    let sandbox = Sandbox::start(&[]);
    let recorder = Recorder::before(&sandbox);
    let folder = recorder.folder();
    let channel = ask(&sandbox, "/kraken/channels/burkeblack");
    let created = format!("burkeblack\t{}\n", epoch(&channel["created_at"]));
    legacy(&folder, &["created", "BurkeBlack"]).prints(&created);
    assert_eq!(recorder.targets(), ["/kraken/channels/burkeblack"]);
    let followers = format!("burkeblack\t{}\n", channel["followers"]);
    for name in ["num-followers", "num_followers"] {
        legacy(&folder, &[name, "BURKEBLACK"]).prints(&followers);
        assert_eq!(recorder.targets(), ["/kraken/channels/burkeblack"]);
    }
    // The name is sent and printed as typed, and there is no look-up.
    let target = "/kraken/users/BurkeBlack/follows/channels?direction=ASC&limit=1";
    let total = &ask(&sandbox, target)["_total"];
    for name in ["num-following", "num_following"] {
        legacy(&folder, &[name, "BurkeBlack"]).prints(&format!("BurkeBlack\t{total}\n"));
        assert_eq!(recorder.targets(), [target]);
    }
    // The total is ignored if the page is empty.
    legacy(&folder, &["num_following", "followers_0"]).prints("followers_0\t0\n");
}

#[test]
fn followers_are_those_of_the_old_program() {
    let sandbox = Sandbox::start(&[]);
    let recorder = Recorder::before(&sandbox);
    let folder = recorder.folder();
    for (typed, direction, limit) in [
        ("BurkeBlack", "desc", Some(3)),
        ("burkeblack", "asc", Some(250)),
        ("burkeblack", "desc", Some(200)),
        ("Followers_200", "desc", None),
        ("followers_100", "asc", None),
        ("followers_3", "desc", Some(3)),
        ("followers_3", "desc", Some(4)),
        ("followers_0", "desc", None),
    ] {
        let (rows, mut asked) = old_followers(&sandbox, typed, &direction.to_uppercase(), limit);
        let mut arguments = vec!["-d", direction, "followers", typed];
        let limit = limit.map(|limit: usize| limit.to_string());
        if let Some(limit) = &limit {
            arguments.extend(["-l", limit]);
        }
        legacy(&folder, &arguments).prints(&rows);
        asked.dedup();
        assert_eq!(recorder.targets(), asked, "{arguments:?}");
    }
    // Newest first by default, as in the old command.
    let (rows, _) = old_followers(&sandbox, "burkeblack", "DESC", Some(5));
    legacy(&folder, &["followers", "-l", "5", "burkeblack"]).prints(&rows);
}

#[test]
fn followed_channels_are_those_of_the_old_program() {
    let sandbox = Sandbox::start(&[]);
    let recorder = Recorder::before(&sandbox);
    let folder = recorder.folder();
    for (typed, direction, limit) in [
        ("BurkeBlack", "desc", None),
        ("burkeblack", "asc", Some(120)),
        ("burkeblack", "desc", Some(7)),
        ("burkeblack", "desc", Some(400)),
        ("just_a_viewer", "desc", Some(12)),
    ] {
        let (rows, asked) = old_following(&sandbox, typed, &direction.to_uppercase(), limit);
        let mut arguments = vec!["-d", direction, "following", typed];
        let limit = limit.map(|limit: usize| limit.to_string());
        if let Some(limit) = &limit {
            arguments.extend(["-l", limit]);
        }
        legacy(&folder, &arguments).prints(&rows);
        assert_eq!(recorder.targets(), asked, "{arguments:?}");
    }
}

#[test]
fn chatters_are_those_of_the_old_program() {
    let sandbox = Sandbox::start(&[]);
    let recorder = Recorder::before(&sandbox);
    let target = "/tmi/group/user/burkeblack/chatters";
    let room = ask(&sandbox, target);
    let names = |role: &str| room["chatters"][role].as_array().unwrap().clone();
    let (moderators, viewers) = (names("moderators"), names("viewers"));
    assert!(!names("broadcaster").is_empty() && !names("vips").is_empty() && !names("staff").is_empty());
    let expected: String = [moderators, viewers]
        .concat()
        .iter()
        .map(|name| format!("{}\n", name.as_str().unwrap()))
        .collect();
    let folder = recorder.folder();
    legacy(&folder, &["chatters", "BurkeBlack"]).prints(&expected);
    assert_eq!(recorder.targets(), ["/kraken/channels/burkeblack", target]);
}

#[test]
fn broadcasts_are_those_of_the_old_program() {
    let sandbox = Sandbox::start(&[]);
    let recorder = Recorder::before(&sandbox);
    let folder = recorder.folder();
    for (options, order, limit) in [
        (&["-l", "300"][..], "desc", "300"),
        (&["-l", "700"], "desc", "500"),
        (&["-l", "4", "-d", "asc"], "asc", "4"),
        (&[], "desc", "500"),
    ] {
        let target = loots_target(order, limit);
        let ran = legacy(&folder, &[options, &["loots_streams", "burkeblack"]].concat());
        ran.prints(&old_streams(&sandbox, &target));
        assert_eq!(recorder.targets(), ["/kraken/channels/burkeblack", &target], "{options:?}");
    }
    let all = old_streams(&sandbox, &loots_target("desc", "500"));
    assert!(all.contains("\tNone\n"));
}

#[test]
fn chat_is_what_the_old_program_should_have_printed() {
    let sandbox = Sandbox::start(&[]);
    let recorder = Recorder::before(&sandbox);
    let folder = recorder.folder();
    let expected = old_chat(&sandbox);
    assert_eq!(expected.lines().count(), 4_000);
    // Nothing is escaped. The old program printed an error for text that is not ASCII.
    for part in ["\t", "\\", "привіт", "😂"] {
        assert!(expected.contains(part), "{part:?}");
    }
    let ran = legacy(&folder, &["chatlog", VIDEO]);
    same(&ran.succeeds().stdout, &expected);

    let mut asked = recorder.targets();
    let window = |start: i64| format!("/rechat/rechat-messages?video_id={VIDEO}&start={start}");
    assert_eq!(asked[..2], [format!("/kraken/videos/{VIDEO}"), window(0)]);
    // Windows are fetched in parallel, so their order may vary.
    asked[2..].sort_unstable();
    let windows: Vec<String> = (START..=END).step_by(30).map(window).collect();
    assert_eq!(asked[2..], windows);

    let ran = legacy(&folder, &["-l", "7", "chatlog", VIDEO]);
    let wanted: Vec<&str> = expected.lines().take(7).collect();
    assert_eq!(ran.succeeds().rows(), wanted);
    assert!(recorder.taken().len() < 20);
    let all = legacy(&folder, &["chat-replay", "--columns", "offset,login,message", VIDEO]);
    let wanted = all.succeeds().cells().into_iter();
    let wanted = wanted.filter(|row| (1000..2000).contains(&row[0].parse::<i64>().unwrap()));
    let wanted: String = wanted.map(|row| row.join("\t") + "\n").collect();
    assert!(wanted.lines().count() > 50);
    let options = ["--from", "1000", "--to", "2000", "--columns", "offset,login,message"];
    let part = legacy(&folder, &[&["chat-replay", VIDEO], &options[..]].concat());
    part.prints(&wanted);
}

#[test]
fn chat_comes_from_the_cache() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    let first = legacy(&folder, &["-c", "file", "chatlog", VIDEO]);
    assert_eq!(first.succeeds().rows().len(), 4_000);
    let asked = sandbox.requests().total;
    let second = legacy(&folder, &["-c", "file", "chatlog", VIDEO]);
    second.prints(&first.stdout);
    assert_eq!(sandbox.requests().total, asked);
    drop(sandbox);
    legacy(&folder, &["-c", "file", "--offline", "chatlog", VIDEO]).prints(&first.stdout);
}

#[test]
fn requests_carry_what_the_old_program_sent() {
    let recorder = Recorder::of(|_| json!({"name": "a", "created_at": "2013-06-05T11:02:03Z", "followers": 3}));
    let (with, without) = (recorder.folder().variable("TWITCH_CLIENT_ID", "abc123"), recorder.folder());
    legacy(&with, &["created", "a"]).prints("a\t1370430123\n");
    let seen = recorder.taken();
    assert_eq!(seen[0].header("client-id"), Some("abc123"));
    assert_eq!(seen[0].header("accept"), Some("application/vnd.twitchtv.v3+json"));
    legacy(&without, &["created", "a"]).prints("a\t1370430123\n");
    let seen = recorder.taken();
    assert_eq!(seen[0].header("client-id"), None);
    // No token is sent, even if one is set.
    let with_token = recorder.folder().variable("TWITCH_TOKEN", "secret");
    legacy(&with_token, &["created", "a"]).prints("a\t1370430123\n");
    assert_eq!(recorder.taken()[0].header("authorization"), None);
}

#[test]
fn times_lose_their_offset_and_their_fraction() {
    let recorder = Recorder::of(|target| {
        let user = json!({"name": "b", "created_at": "2013-06-05T11:02:03.999-07:00"});
        let follow = json!({"created_at": "2016-07-26T16:21:50.999999+02:00", "user": user});
        match target {
            "/kraken/channels/a" => {
                json!({"name": "a", "created_at": "2012-11-03T19:34:09.9+05:00"})
            }
            _ if target.contains("cursor=") => json!({"follows": []}),
            _ => json!({"_total": 1, "_cursor": "7", "follows": [follow]}),
        }
    });
    let folder = recorder.folder();
    legacy(&folder, &["created", "a"]).prints("a\t1351971249\n");
    legacy(&folder, &["followers", "a"]).prints("b\ta\t1370430123\t1469550110\t99119987\t0\n");
}

#[test]
fn the_library_knows_the_old_services_too() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    // Columns that the old program did not have are available on request, if the service has the value.
    let ran = legacy(&folder, &["chatters", "--columns", "role,name", "burkeblack"]);
    let mut roles: Vec<&str> = ran.succeeds().cells().iter().map(|row| row[0]).collect();
    roles.dedup();
    assert_eq!(roles, ["moderator", "viewer"]);
    let ran = legacy(&folder, &["streams", "-l", "2", "burkeblack"]);
    assert_eq!(ran.succeeds().cells()[0][1..], ["", "", "", ""]);
}
