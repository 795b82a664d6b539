//! `itch followers CHANNEL`.

use std::time::Duration;

use itch_tests::{Folder, Sandbox};
use snapbox::prelude::*;
use snapbox::{assert_data_eq, str};

/// Enough rows for some missing accounts, and few enough to be fast.
const MANY: &[&str] = &["--sandbox", "followers", "-l", "5000", "burkeblack"];

#[test]
fn rows_are_those_of_the_old_program() {
    let ran = Folder::new().itch(&["--sandbox", "followers", "-l", "4", "burkeblack"]);
    assert_data_eq!(
        &ran.succeeds().stdout,
        str![[r#"
huraro25	burkeblack	1622531679	1793490630	170958951	0
brightjudge102	burkeblack	1748186314	1793488635	45302321	0
jolly_needle2519	burkeblack	1558940271	1793488539	234548268	0
mosi_dafi3	burkeblack	1681886068	1793487069	111601001	0

"#]]
        .raw()
    );
}

#[test]
fn another_seed_is_another_list() {
    let sandbox = Sandbox::start(&["--seed", "7"]);
    let ran = Folder::new().at(&sandbox).itch(&["followers", "-l", "3", "burkeblack"]);
    assert_data_eq!(
        &ran.succeeds().stdout,
        str![[r#"
demajagas	burkeblack	1783977405	1793491103	9513698	0
nebokozam	burkeblack	1533952951	1793489264	259536313	0
rukipido	burkeblack	1708332773	1793488264	85155491	0

"#]]
        .raw()
    );
}

#[test]
fn every_column_comes_on_request_and_in_the_order_asked_for() {
    let columns = "display_name,id,followers,delta,followed,created,channel,name";
    let ran = Folder::new().itch(&[
        "--sandbox",
        "followers",
        "followers_3",
        "--columns",
        columns,
        "--header",
    ]);
    assert_data_eq!(
        &ran.succeeds().stdout,
        str![[r#"
display_name	id	followers	delta	followed	created	channel	name
Blaze_shrimp501	363621608	0	240909864	1793435567	1552525703	followers_3	blaze_shrimp501
Tart_ranger3361	778494493	0	8065068	1655165057	1647099989	followers_3	tart_ranger3361
Viko_mami3	303353603	0	53084409	1592502445	1539418036	followers_3	viko_mami3

"#]]
        .raw()
    );
}

#[test]
fn the_channel_is_printed_as_it_was_typed() {
    let folder = Folder::new();
    let plain = folder.itch(&["--sandbox", "followers", "-l", "3", "burkeblack"]);
    for typed in ["BurkeBlack", "id:76725499"] {
        let ran = folder.itch(&["--sandbox", "followers", "-l", "3", typed]);
        ran.prints(&plain.stdout.replace("burkeblack", typed));
    }
}

#[test]
fn ascending_is_descending_read_backwards() {
    let folder = Folder::new();
    for range in [
        ["--since", "2026-10-01", "burkeblack"],
        ["--until", "2100-01-01", "followers_200"],
    ] {
        let run = |direction: &str| {
            let options = ["--sandbox", "followers", "-d", direction];
            let ran = folder.itch(&[options.as_slice(), &range].concat());
            ran.succeeds();
            ran
        };
        let (down, up) = (run("desc"), run("asc"));
        let mut turned = down.rows();
        assert!(turned.len() >= 200);
        turned.reverse();
        assert_eq!(up.rows(), turned);
    }
}

/// The whole list once, oldest first.
#[test]
fn the_whole_list_comes_once_and_in_order() {
    let ran = Folder::new().itch(&["--sandbox", "-d", "asc", "-v", "followers", "burkeblack"]);
    ran.exits(0)
        .says("followers: 250,000 of 250,000 rows, 260 accounts gone (created empty), 0 repeated, complete, ");
    let cells = ran.cells();
    let followed: Vec<i64> = cells.iter().map(|row| row[3].parse().unwrap()).collect();
    assert!(followed.is_sorted());
    let mut names: Vec<&str> = cells.iter().map(|row| row[0]).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 250_000);
}

#[test]
fn a_limit_cuts_either_end() {
    let folder = Folder::new();
    let down = folder.itch(&["--sandbox", "followers", "followers_200"]);
    for limit in [1, 99, 100, 101, 199, 200, 201, 1000] {
        let text = limit.to_string();
        let run = |direction: &str| {
            let ran = folder.itch(&["--sandbox", "-l", &text, "followers", "-d", direction, "followers_200"]);
            ran.succeeds();
            ran
        };
        let wanted: Vec<&str> = down.rows().into_iter().take(limit).collect();
        assert_eq!(run("desc").rows(), wanted);
        let wanted: Vec<&str> = down.rows().into_iter().rev().take(limit).collect();
        assert_eq!(run("asc").rows(), wanted);
    }
}

#[test]
fn since_and_until_choose_among_all_rows() {
    let folder = Folder::new();
    let all = folder.itch(MANY);
    let followed = |place: usize| all.cells()[place][3].parse::<i64>().unwrap();
    // The exact time of a row: `--since` includes it, `--until` does not.
    let (since, until) = (followed(2_345), followed(101));
    let wanted: Vec<&str> = all
        .rows()
        .into_iter()
        .zip(all.cells())
        .filter(|(_, cells)| (since..until).contains(&cells[3].parse().unwrap()))
        .map(|(row, _)| row)
        .collect();
    assert!(wanted.len() > 2_200, "{}", wanted.len());
    let (since, until) = (since.to_string(), until.to_string());
    let range = [
        "--sandbox",
        "followers",
        "--since",
        &since,
        "--until",
        &until,
        "burkeblack",
    ];
    assert_eq!(folder.itch(&range).succeeds().rows(), wanted);
    let oldest: Vec<&str> = wanted.iter().rev().take(7).copied().collect();
    let ran = folder.itch(&[&range[..], &["-d", "asc", "-l", "7"]].concat());
    assert_eq!(ran.succeeds().rows(), oldest);
    let ran = folder.itch(&[&range[..], &["-l", "7"]].concat());
    assert_eq!(ran.succeeds().rows(), wanted[..7]);
}

#[test]
fn times_are_typed_in_many_ways() {
    let folder = Folder::new();
    let run = |since: &str| {
        let ran = folder.itch(&["--sandbox", "followers", "burkeblack", "--since", since]);
        ran.succeeds();
        ran.stdout
    };
    let rows = run("2026-10-30T00:00:00Z");
    assert!(rows.lines().count() > 20);
    for since in [
        "2026-10-30",
        "1793318400",
        "2026-10-30 00:00",
        "2026-10-30T02:00:00+02:00",
    ] {
        assert_eq!(run(since), rows, "{since}");
    }
    assert_eq!(run("2100-01-01"), "");
}

#[test]
fn a_follower_whose_account_is_gone_keeps_its_row() {
    let ran = Folder::new().itch(&[MANY, &["-v", "--columns", "created,followed,delta,name,id"]].concat());
    let cells = ran.exits(0).cells();
    assert_eq!(cells.len(), 5_000);
    let gone = cells.iter().filter(|row| row[0].is_empty()).count();
    assert!((1..20).contains(&gone), "{gone}");
    for row in cells {
        assert_eq!(row[0].is_empty(), row[2].is_empty(), "{row:?}");
        assert!(!row[1].is_empty() && !row[3].is_empty() && !row[4].is_empty(), "{row:?}");
        if let (Ok(created), Ok(followed)) = (row[0].parse::<i64>(), row[1].parse::<i64>()) {
            assert_eq!((followed - created).to_string(), row[2]);
        }
    }
    let plural = if gone == 1 { "account" } else { "accounts" };
    ran.says(&format!("{gone} {plural} gone (created empty), "));
}

#[test]
fn lists_of_nothing_one_page_and_whole_pages() {
    let folder = Folder::new();
    for (channel, rows) in [
        ("followers_0", 0),
        ("followers_3", 3),
        ("followers_100", 100),
        ("followers_200", 200),
    ] {
        let ran = folder.itch(&["--sandbox", "followers", "-v", channel]);
        assert_eq!(ran.exits(0).rows().len(), rows, "{channel}");
        ran.says(&format!("followers: {rows} of {rows} rows, "));
    }
}

#[test]
fn requests_are_as_few_as_can_be() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    // Arguments, number of page requests, number of user requests (one of which is for the channel).
    for (arguments, pages, users) in [
        (&["followers_0"][..], 1, 1),
        (&["followers_3"], 1, 2),
        (&["followers_100"], 1, 2),
        (&["followers_200"], 2, 3),
        (&["-l", "1", "burkeblack"], 1, 2),
        (&["-l", "100", "burkeblack"], 1, 2),
        (&["-l", "101", "burkeblack"], 2, 3),
        (&["-l", "200", "followers_200"], 2, 3),
        (&["-l", "250", "burkeblack"], 3, 4),
        // No column needs a look-up.
        (&["-l", "250", "--columns", "name,followed", "burkeblack"], 3, 1),
    ] {
        let before = sandbox.requests();
        folder.itch(&[&["followers"], arguments].concat()).succeeds();
        let after = sandbox.requests();
        let of = |path: &str| after.of(path) - before.of(path);
        assert_eq!(of("/helix/channels/followers"), pages, "{arguments:?}");
        assert_eq!(of("/helix/users"), users, "{arguments:?}");
        assert!(of("/oauth2/validate") <= 1);
    }
}

/// The wall time is that of the pages and one look-up, since the other look-ups run in parallel.
#[test]
fn look_ups_overlap_the_pages() {
    let sandbox = Sandbox::start(&["--latency", "100ms"]);
    let folder = Folder::new().at(&sandbox);
    let chain = folder.itch(&["followers", "-l", "1000", "--columns", "name", "burkeblack"]);
    let both = folder.itch(&["followers", "-l", "1000", "burkeblack"]);
    chain.succeeds();
    both.succeeds();
    assert!(both.elapsed > Duration::from_millis(1_100), "{:?}", both.elapsed);
    assert!(both.elapsed < chain.elapsed + Duration::from_millis(500), "{:?}, {:?}", chain.elapsed, both.elapsed);
}
