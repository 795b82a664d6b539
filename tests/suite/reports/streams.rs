//! `itch streams CHANNEL`.

use itch_tests::{Folder, Sandbox, same};
use snapbox::prelude::*;
use snapbox::{assert_data_eq, str};

#[test]
fn rows_of_the_newest() {
    let ran = Folder::new().itch(&["--sandbox", "streams", "-l", "3", "burkeblack"]);
    assert_data_eq!(
        &ran.succeeds().stdout,
        str![[r#"
1793474242		2483495599	first time in VR 🤢🚢	181
1793389872	1793404460	2483040397	Ranked until I tilt (I always tilt)	413
1793217610	1793231366	2482169310	speedrun practice, any% \\o/	726

"#]]
        .raw()
    );
}

#[test]
fn every_column_comes_on_request() {
    let columns = "url,language,stream_id,duration,views,title,id,end,start";
    let ran = Folder::new().itch(&[
        "--sandbox",
        "streams",
        "-l",
        "2",
        "--columns",
        columns,
        "--header",
        "burkeblack",
    ]);
    assert_data_eq!(&ran.succeeds().stdout, str![[r#"
url	language	stream_id	duration	views	title	id	end	start
https://www.twitch.tv/videos/2483495599	en	40834224765	16718	181	first time in VR 🤢🚢	2483495599		1793474242
https://www.twitch.tv/videos/2483040397	en	40832127853	14588	413	Ranked until I tilt (I always tilt)	2483040397	1793404460	1793389872

"#]].raw());
}

#[test]
fn the_old_name_prints_the_old_columns() {
    let folder = Folder::new();
    let old = folder.itch(&["--sandbox", "loots_streams", "-l", "300", "burkeblack"]);
    let new = folder.itch(&[
        "--sandbox",
        "streams",
        "-l",
        "300",
        "--columns",
        "start,end",
        "burkeblack",
    ]);
    let expected: Vec<String> = new
        .succeeds()
        .cells()
        .iter()
        .map(|row| format!("{}\t{}", row[0], if row[1].is_empty() { "None" } else { row[1] }))
        .collect();
    assert_eq!(old.succeeds().rows(), expected);
    assert!(old.stdout.contains("\tNone\n"));
}

#[test]
fn every_broadcast_once_and_in_order() {
    let folder = Folder::new();
    let down = folder.itch(&["--sandbox", "streams", "-v", "burkeblack"]);
    let rows = down.exits(0).rows();
    assert!(rows.len() > 3_000);
    let starts: Vec<i64> = down.cells().iter().map(|row| row[0].parse().unwrap()).collect();
    assert!(starts.windows(2).all(|pair| pair[0] > pair[1]));
    // Only the newest may be running; the others end after they start.
    for (place, row) in down.cells().iter().enumerate() {
        match row[1].parse::<i64>() {
            Ok(end) => assert!(end > starts[place], "{row:?}"),
            Err(_) => assert_eq!((place, row[1]), (0, ""), "{row:?}"),
        }
    }
    let up = folder.itch(&["--sandbox", "streams", "-d", "asc", "burkeblack"]);
    let mut turned = up.succeeds().rows();
    turned.reverse();
    assert_eq!(rows, turned);
    down.says(", complete, ");
}

#[test]
fn a_channel_without_broadcasts_has_no_rows() {
    Folder::new().itch(&["--sandbox", "streams", "followers_0"]).prints("");
    Folder::new()
        .itch(&["--sandbox", "streams", "no_such_channel"])
        .exits(5);
}

#[test]
fn an_app_may_ask_too_and_a_limit_is_no_request_too_many() {
    let sandbox = Sandbox::start(&[]);
    let app = Folder::new()
        .at(&sandbox)
        .variable("TWITCH_TOKEN", "")
        .variable("TWITCH_CLIENT_SECRET", Sandbox::CLIENT_SECRET);
    let ran = app.itch(&["streams", "-l", "250", "burkeblack"]);
    let expected = Folder::new().itch(&["--sandbox", "streams", "-l", "250", "burkeblack"]);
    same(&ran.succeeds().stdout, &expected.succeeds().stdout);
    assert!(sandbox.requests().of("/helix/videos") <= 3, "{:?}", sandbox.requests());
}

#[test]
fn a_broadcast_may_last_for_days() {
    let columns = ["streams", "--columns", "start,end,duration,id"];
    let ran = Folder::new().itch(&[&["--sandbox"], &columns[..], &["burkeblack"]].concat());
    let number = |text: &str| text.parse::<i64>().unwrap();
    let cells = ran.succeeds().cells().into_iter();
    let ended: Vec<_> = cells.filter(|row| !row[1].is_empty()).collect();
    assert!(
        ended
            .iter()
            .all(|row| number(row[1]) - number(row[0]) == number(row[2]))
    );
    assert!(ended.iter().filter(|row| number(row[2]) > 86_400).count() > 3);
    // 30 hours, as one of the recordings with a known length.
    let ran = Folder::new().itch(&[&["--sandbox"], &columns[..], &["chat_replays"]].concat());
    let cells = ran.succeeds().cells();
    let find = |id: &str| cells.iter().find(|row| row[3] == id).unwrap();
    assert_eq!(find("2700000600")[2], "108000");
    // The running broadcast has a recording of this length so far, and no end.
    assert_eq!(find("2700000001")[1..3], ["", "10560"]);
    assert_eq!(cells.iter().filter(|row| row[1].is_empty()).count(), 1);
}

#[test]
fn no_page_too_many_is_asked_for() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    for (name, limit, pages) in [
        ("streams", "1", 1),
        ("streams", "100", 1),
        ("streams", "101", 2),
        ("loots_streams", "250", 3),
    ] {
        let before = sandbox.requests();
        let ran = folder.itch(&[name, "-l", limit, "burkeblack"]);
        assert_eq!(ran.succeeds().rows().len(), limit.parse::<usize>().unwrap());
        let after = sandbox.requests();
        let of = |path: &str| after.of(path) - before.of(path);
        assert_eq!((of("/helix/videos"), of("/helix/streams"), of("/helix/users")), (pages, 1, 1), "-l {limit}");
    }
}

#[test]
fn the_oldest_come_first_on_request() {
    let folder = Folder::new();
    for name in ["streams", "loots_streams"] {
        let all = folder.itch(&["--sandbox", name, "burkeblack"]);
        let oldest = folder.itch(&["--sandbox", name, "-d", "asc", "-l", "4", "burkeblack"]);
        let mut wanted = all.succeeds().rows();
        wanted.reverse();
        assert_eq!(oldest.succeeds().rows(), wanted[..4]);
    }
}
