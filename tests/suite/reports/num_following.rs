//! `itch num-following CHANNEL`.

use itch_tests::{Folder, Sandbox};
use snapbox::prelude::*;
use snapbox::{assert_data_eq, str};

#[test]
fn one_row_under_both_names() {
    let folder = Folder::new();
    for report in ["num-following", "num_following"] {
        folder
            .itch(&["--sandbox", report, "burkeblack"])
            .prints("burkeblack\t312\n");
        folder
            .itch(&["--sandbox", report, "BurkeBlack"])
            .prints("BurkeBlack\t312\n");
    }
    folder
        .itch(&[
            "--sandbox",
            "num-following",
            "--columns",
            "following",
            "--header",
            "burkeblack",
        ])
        .prints("following\n312\n");
}

#[test]
fn each_account_counts_its_own() {
    let sandbox = Sandbox::start(&[]);
    let viewer = Folder::new()
        .at(&sandbox)
        .variable("TWITCH_TOKEN", Sandbox::TOKEN_VIEWER);
    viewer
        .itch(&["num-following", "just_a_viewer"])
        .prints("just_a_viewer\t12\n");
    let ran = viewer.itch(&["num-following", "burkeblack"]);
    assert_data_eq!(
        ran.all(),
        str![[r#"
exit code: 4
--- stdout
--- stderr
error: `just_a_viewer` is not `burkeblack`, who alone may see this
  caused by: this token may not see which channels that account follows
  caused by: Twitch answered 401 to a helix request
  caused by: The ID in user_id must match the user ID found in the request's OAuth token.
hint: `itch login --for num-following`, and sign in as `burkeblack`

"#]]
        .raw()
    );
    viewer.itch(&["num-following", "no_such_channel"]).exits(5);
}

#[test]
fn two_requests_are_enough() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    folder.itch(&["num-following", "burkeblack"]).succeeds();
    let requests = sandbox.requests();
    assert_eq!((requests.of("/helix/users"), requests.of("/helix/channels/followed")), (1, 1));
    folder.itch(&["num-following"]).exits(2);
    folder.itch(&["num-following", "no such"]).exits(2);
}
