//! `itch chat-replay VIDEO`.

use itch_tests::{Folder, Sandbox, same};
use snapbox::prelude::*;
use snapbox::{assert_data_eq, str};

#[test]
fn rows_of_the_beginning() {
    let ran = Folder::new().itch(&["--sandbox", "chat-replay", "-l", "3", "--header", "2700000060"]);
    assert_data_eq!(&ran.succeeds().stdout, str![[r#"
offset	time	user_id	login	display_name	color	badges	id	message	emotes
0	1791655200.807	1383646933	taji_nime3	Taji_Nime3	#063D24		1232d745-5670-45c4-808b-439aaf7a7d94	يا قبطان	
0	1791655201.052	1446505184	sleepyfly1564	sleepyfly1564	#5F9EA0		ef8fb58c-1ebc-4465-899d-317657789124	!uptime :)	1:8-9
0	1791655201.348	1103510698	dawnshrimppoetxd	dawnshrimppoetxd	#2E8B57	subscriber/2012	f5b8ec14-0185-46fa-a797-53a876117ef9	ResidentSleeper	245:0-14

"#]].raw());
}

#[test]
fn the_old_name_prints_the_old_columns() {
    let folder = Folder::new();
    let old = folder.itch(&["--sandbox", "chatlog", "2700000005"]);
    let new = folder.itch(&["--sandbox", "chat-replay", "--columns", "login,message", "2700000005"]);
    assert_eq!(old.succeeds().rows().len(), 500);
    // A row is always one line, whatever the text contains.
    for (old, new) in old.rows().iter().zip(new.succeeds().cells()) {
        let (login, message) = old.split_once(" : ").unwrap();
        assert_eq!(login, new[0]);
        if !new[1].contains('\\') {
            assert_eq!(message, new[1]);
        }
    }
}

#[test]
fn every_message_once_and_in_order() {
    let folder = Folder::new();
    for (video, count) in [
        ("2700000059", 59),
        ("2700000005", 500),
        ("2700000000", 0),
        ("2700000180", 1_000),
        ("2700000009", 200),
        ("2700000001", 7_200),
    ] {
        let ran = folder.itch(&["--sandbox", "chat-replay", "--columns", "offset,time,id", video]);
        let cells = ran.succeeds().cells();
        assert_eq!(cells.len(), count, "{video}");
        let offsets: Vec<i64> = cells.iter().map(|row| row[0].parse().unwrap()).collect();
        assert!(offsets.is_sorted(), "{video}");
        let mut ids: Vec<&str> = cells.iter().map(|row| row[2]).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count, "{video}");
    }
}

#[test]
fn a_part_is_that_part_of_the_whole() {
    let folder = Folder::new();
    let whole = folder.itch(&["--sandbox", "chat-replay", "2700000180"]);
    let offset = |row: &str| row.split('\t').next().unwrap().parse::<u64>().unwrap();
    let wanted: Vec<&str> = whole
        .succeeds()
        .rows()
        .into_iter()
        .filter(|row| (1200..1500).contains(&offset(row)))
        .collect();
    assert!(wanted.len() > 180);
    for (from, to) in [("1200", "1500"), ("20m", "25m")] {
        let part = folder.itch(&["--sandbox", "chat-replay", "--from", from, "--to", to, "2700000180"]);
        assert_eq!(part.succeeds().rows(), wanted);
    }
    let first = folder.itch(&["--sandbox", "chat-replay", "-l", "10", "2700000180"]);
    assert_eq!(first.succeeds().rows(), whole.rows()[..10]);
}

#[test]
fn it_needs_no_account_and_knows_a_video_in_every_form() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new()
        .at(&sandbox)
        .variable("TWITCH_TOKEN", "")
        .variable("TWITCH_CLIENT_ID", "");
    let rows = folder.itch(&["chat-replay", "2700000059"]);
    for video in [
        "v2700000059",
        "https://www.twitch.tv/videos/2700000059?t=1m",
        "twitch.tv/videos/2700000059",
    ] {
        folder.itch(&["chat-replay", video]).prints(&rows.succeeds().stdout);
    }
}

#[test]
fn faults_change_no_row() {
    let expected = Folder::new().itch(&["--sandbox", "chat-replay", "2700000180"]);
    let sandbox = Sandbox::start(&["--faults", "500=0.05,reset=0.05,html=0.05"]);
    let ran = Folder::new().at(&sandbox).itch(&["chat-replay", "2700000180"]);
    same(&ran.succeeds().stdout, &expected.succeeds().stdout);
}

#[test]
fn videos_that_do_not_exist_or_cannot_be_meant() {
    assert_data_eq!(
        Folder::new().itch(&["--sandbox", "chat-replay", "2700000404"]).all(),
        str![[r#"
exit code: 5
--- stdout
--- stderr
error: there is no video `2700000404`, or it is not public
hint: recordings of broadcasts expire after 7 to 60 days

"#]]
        .raw()
    );
    assert_data_eq!(
        Folder::new().itch(&["--sandbox", "chat-replay", "burkeblack"]).all(),
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: `burkeblack` is not a video
hint: a video is an id, `v` and an id, or a URL like https://www.twitch.tv/videos/2345678901

"#]]
        .raw()
    );
    let ran = Folder::new().itch(&["--sandbox", "chat-replay", "--connections", "99", "2700000059"]);
    assert_data_eq!(
        ran.all(),
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: `--connections` must be between 1 and 16, not 99

"#]]
        .raw()
    );
}

#[test]
fn the_private_service_can_be_left_alone() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path("config/itch")).unwrap();
    folder.write("config/itch/config.toml", "[services]\ngql = \"off\"\n");
    let ran = folder.itch(&["--sandbox", "chat-replay", "2700000059"]);
    assert_data_eq!(
        ran.all(),
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: the undocumented GQL service is disabled in the configuration
hint: remove `gql = "off"` from `[services]` in itch's config.toml

"#]]
        .raw()
    );
    folder.itch(&["--sandbox", "created", "burkeblack"]).succeeds();
}

/// Name, ` : `, text. The text is unchanged, except that line breaks are replaced.
#[test]
fn the_old_form_escapes_nothing() {
    let folder = Folder::new();
    let mut seen = [false; 5];
    for video in ["2700000001", "80935574"] {
        let old = folder.itch(&["--sandbox", "chatlog", video]);
        let json = folder.itch(&[
            "--sandbox",
            "chat-replay",
            "-f",
            "jsonl",
            "--columns",
            "login,message",
            video,
        ]);
        let mut expected = String::new();
        for line in json.succeeds().rows() {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            let (login, message) = (row["login"].as_str().unwrap_or(""), row["message"].as_str().unwrap());
            for (seen, is) in seen.iter_mut().zip([
                login.is_empty(),
                message.contains('\t'),
                message.contains('\\'),
                message.contains('\n') || message.contains('\r'),
                message.contains('😂'),
            ]) {
                *seen |= is;
            }
            expected += &format!("{login} : {}\n", message.replace(['\r', '\n'], " "));
        }
        same(&old.succeeds().stdout, &expected);
    }
    assert_eq!(seen, [true; 5]);
}

/// The old and the new service return the same chat, but the old one has the names of accounts that no longer exist.
#[test]
fn both_sources_agree() {
    let folder = Folder::new();
    let today = folder.itch(&["--sandbox", "chatlog", "80935574"]);
    let then = folder.itch(&["--sandbox", "--source", "legacy", "chatlog", "80935574"]);
    let (today, then) = (today.succeeds().rows(), then.succeeds().rows());
    assert_eq!((today.len(), then.len()), (4_000, 4_000));
    for (today, then) in today.iter().zip(then) {
        match today.strip_prefix(" : ") {
            Some(message) => assert_eq!(message, then.split_once(" : ").unwrap().1),
            None => assert_eq!(*today, then),
        }
    }
}
