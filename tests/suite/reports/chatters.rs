//! `itch chatters CHANNEL`.

use itch_tests::{Folder, Sandbox};
use snapbox::prelude::*;
use snapbox::{assert_data_eq, str};

#[test]
fn rows_of_a_small_chat_with_every_column() {
    let units = crate::plugins::units();
    let report = units.iter().find(|unit| unit["name"] == "chatters").unwrap();
    let columns = report["spec"]["columns"].as_array().unwrap().iter();
    let columns: Vec<&str> = columns.map(|column| column["name"].as_str().unwrap()).collect();
    let ran = Folder::new().itch(&[
        "--sandbox",
        "chatters",
        "--columns",
        &columns.join(","),
        "--header",
        "followers_3",
    ]);
    assert_data_eq!(
        &ran.succeeds().stdout,
        str![[r#"
name	role	id	display_name
tart_ranger3361		778494493	Tart_ranger3361
burkeblack		76725499	BurkeBlack
blaze_shrimp501		363621608	Blaze_shrimp501
followers_3		100000003	Followers_3
viko_mami3		303353603	Viko_mami3

"#]]
        .raw()
    );
}

#[test]
fn everybody_once() {
    let ran = Folder::new().itch(&["--sandbox", "chatters", "-v", "burkeblack"]);
    let mut names = ran.exits(0).rows();
    assert_eq!(names.len(), 2_345);
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 2_345);
    ran.says("chatters: 2,345 of 2,345 rows, ").says(", complete, ");
}

#[test]
fn one_whole_page_and_nobody() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    assert_eq!(folder.itch(&["chatters", "followers_10m"]).succeeds().rows().len(), 1_000);
    folder.itch(&["chatters", "followers_0"]).prints("");
    assert_eq!(
        folder
            .itch(&["chatters", "-l", "5", "burkeblack"])
            .succeeds()
            .rows()
            .len(),
        5
    );
}

#[test]
fn a_chat_that_one_does_not_moderate() {
    let ran = Folder::new().itch(&["--sandbox", "chatters", "not_moderated"]);
    assert_data_eq!(
        ran.all(),
        str![[r#"
exit code: 4
--- stdout
--- stderr
error: `burkeblack` is not a moderator of `not_moderated`
  caused by: this token may not see who is in that chat
  caused by: Twitch answered 403 to a helix request
  caused by: The user in the moderator_id query parameter is not one of the broadcaster's moderators.
hint: `itch login --for chatters`, and sign in as `not_moderated` or as one of its moderators

"#]]
        .raw()
    );
    Folder::new()
        .itch(&["--sandbox", "chatters", "no_such_channel"])
        .exits(5);
}

/// With the broadcaster's token: moderators first, then the others, as the itch of 2016 printed them.
#[test]
fn the_broadcaster_sees_roles() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    let ran = folder.itch(&["chatters", "--columns", "role,name,id", "burkeblack"]);
    let cells = ran.succeeds().cells();
    let mut roles: Vec<&str> = cells.iter().map(|row| row[0]).collect();
    let of = |role: &str| roles.iter().filter(|known| **known == role).count();
    assert_eq!([of("broadcaster"), of("moderator"), of("vip"), of("viewer")], [1, 9, 19, 2_316]);
    roles.dedup();
    assert_eq!(roles, ["broadcaster", "moderator", "vip", "viewer"]);
    assert_eq!(cells[0], ["broadcaster", "burkeblack", "76725499"]);
    let requests = sandbox.requests();
    for (path, count) in [
        ("/helix/users", 2),
        ("/helix/chat/chatters", 3),
        ("/helix/moderation/moderators", 1),
        ("/helix/channels/vips", 1),
    ] {
        assert_eq!(requests.of(path), count, "{path}");
    }
    // By default only names, in the same order.
    let names: Vec<&str> = cells.iter().map(|row| row[1]).collect();
    assert_eq!(folder.itch(&["chatters", "burkeblack"]).succeeds().rows(), names);
    assert_eq!(folder.itch(&["chatters", "-l", "12", "burkeblack"]).succeeds().rows(), names[..12]);
}

/// A moderator of another user's channel sees all chatters without roles, and itch does not request the roles.
#[test]
fn a_moderator_sees_names_only() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    let ran = folder.itch(&["chatters", "--columns", "role,name,id,display_name", "followers_10m"]);
    let cells = ran.succeeds().cells();
    assert_eq!(cells.len(), 1_000);
    assert!(
        cells
            .iter()
            .all(|row| row[0].is_empty() && !row[1].is_empty() && row[2].parse::<u64>().is_ok())
    );
    let requests = sandbox.requests();
    assert_eq!(requests.of("/helix/moderation/moderators") + requests.of("/helix/channels/vips"), 0);
    assert_eq!(requests.of("/helix/chat/chatters"), 1);
}

#[test]
fn tokens_that_may_not_see_a_chat() {
    let sandbox = Sandbox::start(&[]);
    let with = |token: &str| Folder::new().at(&sandbox).variable("TWITCH_TOKEN", token);
    for (token, why) in [
        (Sandbox::TOKEN_WITHOUT_SCOPES, "the token of `burkeblack` lacks the scope `moderator:read:chatters`"),
        (Sandbox::TOKEN_VIEWER, "`just_a_viewer` is not a moderator of `burkeblack`\n"),
    ] {
        let ran = with(token).itch(&["chatters", "burkeblack"]);
        assert_eq!(ran.exits(4).stdout, "");
        ran.says(&format!("error: {why}")).says("itch login --for chatters");
    }
    let app = with("").variable("TWITCH_CLIENT_SECRET", Sandbox::CLIENT_SECRET);
    app.itch(&["chatters", "burkeblack"])
        .exits(4)
        .says("and this is an app token\n");
}
