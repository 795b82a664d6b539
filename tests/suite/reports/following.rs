//! `itch following CHANNEL`.

use itch_tests::{Folder, Sandbox};
use snapbox::prelude::*;
use snapbox::{assert_data_eq, str};

#[test]
fn rows_of_the_newest() {
    let ran = Folder::new().itch(&["--sandbox", "following", "-l", "3", "burkeblack"]);
    assert_data_eq!(
        &ran.succeeds().stdout,
        str![[r#"
burkeblack	sitole389	1351971249	1793451632	441480383	
burkeblack	famoreocean	1351971249	1793412243	441440994	
burkeblack	weirdelfcornyt	1351971249	1793358183	441386934	

"#]]
        .raw()
    );
}

#[test]
fn every_column_comes_on_request() {
    let columns = "channel,followers,id,display_name,name,created,followed,delta";
    let ran = Folder::new().itch(&[
        "--sandbox",
        "following",
        "-l",
        "2",
        "--columns",
        columns,
        "--header",
        "burkeblack",
    ]);
    assert_data_eq!(
        &ran.succeeds().stdout,
        str![[r#"
channel	followers	id	display_name	name	created	followed	delta
sitole389	89	1479770344	Sitole389	burkeblack	1351971249	1793451632	441480383
famoreocean	103	1461991615	famoreocean	burkeblack	1351971249	1793412243	441440994

"#]]
        .raw()
    );
}

#[test]
fn ascending_is_descending_read_backwards() {
    let folder = Folder::new();
    let down = folder.itch(&["--sandbox", "following", "burkeblack"]);
    let up = folder.itch(&["--sandbox", "following", "-d", "asc", "burkeblack"]);
    let mut turned = down.succeeds().rows();
    assert_eq!(turned.len(), 312);
    turned.reverse();
    assert_eq!(up.succeeds().rows(), turned);
    let oldest = folder.itch(&["--sandbox", "following", "-d", "asc", "-l", "5", "burkeblack"]);
    assert_eq!(oldest.succeeds().rows(), turned[..5]);
}

/// The number of followers takes one request per row, so it is requested only if the column is named.
#[test]
fn requests_are_as_few_as_can_be() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    folder.itch(&["following", "burkeblack"]).succeeds();
    let requests = sandbox.requests();
    assert_eq!(requests.of("/helix/channels/followed"), 4, "{requests:?}");
    assert_eq!(requests.of("/helix/channels/followers"), 0, "{requests:?}");
    let ran = folder.itch(&["following", "-l", "7", "--columns", "channel,followers", "burkeblack"]);
    assert!(ran.succeeds().cells().iter().all(|row| row[1].parse::<u64>().is_ok()));
    assert_eq!(sandbox.requests().of("/helix/channels/followers"), 7);
    assert_eq!(sandbox.requests().of("/helix/channels/followed"), 5);
}

#[test]
fn another_account_is_none_of_ones_business() {
    let ran = Folder::new().itch(&["--sandbox", "following", "followers_3"]);
    assert_data_eq!(
        ran.all(),
        str![[r#"
exit code: 4
--- stdout
--- stderr
error: `burkeblack` is not `followers_3`, who alone may see this
  caused by: this token may not see which channels that account follows
  caused by: Twitch answered 401 to a helix request
  caused by: The ID in user_id must match the user ID found in the request's OAuth token.
hint: `itch login --for following`, and sign in as `followers_3`

"#]]
        .raw()
    );
    Folder::new()
        .itch(&["--sandbox", "following", "no_such_channel"])
        .exits(5);
}

#[test]
fn no_page_too_many_is_asked_for() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    for (limit, pages) in [
        ("1", 1),
        ("100", 1),
        ("101", 2),
        ("300", 3),
        ("301", 4),
        ("312", 4),
        ("1000", 4),
    ] {
        let before = sandbox.requests();
        let ran = folder.itch(&["following", "-l", limit, "burkeblack"]);
        assert_eq!(ran.succeeds().rows().len(), limit.parse::<usize>().unwrap().min(312));
        let after = sandbox.requests();
        let of = |path: &str| after.of(path) - before.of(path);
        assert_eq!(of("/helix/channels/followed"), pages, "-l {limit}");
        assert_eq!(of("/helix/users"), 1, "-l {limit}");
        assert_eq!(of("/helix/channels/followers"), 0, "-l {limit}");
    }
}

#[test]
fn an_account_sees_its_own_list_and_needs_a_scope_for_it() {
    let sandbox = Sandbox::start(&[]);
    let with = |token: &str| Folder::new().at(&sandbox).variable("TWITCH_TOKEN", token);
    let ran = with(Sandbox::TOKEN_VIEWER).itch(&["following", "-v", "Just_A_Viewer"]);
    assert!(
        ran.exits(0)
            .cells()
            .iter()
            .all(|row| row[0] == "just_a_viewer" && row[5].is_empty())
    );
    assert!(ran.cells().iter().any(|row| row[1] == "burkeblack"));
    ran.says("following: 12 of 12 rows, 0 repeated, complete, ");
    for report in ["following", "num-following"] {
        let ran = with(Sandbox::TOKEN_WITHOUT_SCOPES).itch(&[report, "burkeblack"]);
        assert_eq!(ran.exits(4).stdout, "");
        ran.says("hint: ").says("`user:read:follows`");
    }
    let app = with("").variable("TWITCH_CLIENT_SECRET", Sandbox::CLIENT_SECRET);
    app.itch(&["following", "burkeblack"])
        .exits(4)
        .says("error: `following` needs the token of a user, and this is an app token\n");
}

#[test]
fn the_sixth_column_is_there_for_whoever_names_it() {
    let folder = Folder::new();
    let default = folder.itch(&["--sandbox", "following", "-l", "20", "burkeblack"]);
    let columns = "name,channel,created,followed,delta,followers";
    let named = folder.itch(&["--sandbox", "following", "-l", "20", "--columns", columns, "burkeblack"]);
    for (without, with) in default.succeeds().cells().iter().zip(named.succeeds().cells()) {
        assert_eq!((&without[..5], without[5]), (&with[..5], ""));
        assert!(with[5].parse::<u64>().is_ok());
        let number = |place: usize| with[place].parse::<i64>().unwrap();
        assert_eq!(number(3) - number(2), number(4));
    }
}
