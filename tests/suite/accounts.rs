//! Accounts: `itch login`, `logout` and `whoami`, which identity a run uses, and what is said if it is refused.

use itch_tests::accounts::{folder, log_in};
use itch_tests::{Folder, Sandbox};
use serde_json::Value;

/// A sandbox whose codes are polled for at once.
fn sandbox(arguments: &[&str]) -> Sandbox {
    let mut all = vec!["--device-interval", "0s"];
    all.extend(arguments);
    Sandbox::start(&all)
}

fn account_file(folder: &Folder) -> Value {
    serde_json::from_str(&folder.read("data/itch/accounts.json")).unwrap()
}

#[test]
fn signing_in_gives_the_own_followers_and_signing_out_takes_them_away() {
    let sandbox = sandbox(&[]);
    let folder = folder(&sandbox);
    let ran = log_in(&folder, "login=burkeblack", &[]);
    ran.exits(0);
    let said = &ran.stderr;
    assert!(said.contains("\nconfirm ") && said.contains("signed in as burkeblack until 20"), "{said}");
    assert!(said.ends_with("all 8 reports work\n"), "{said}");
    assert_eq!(
        folder
            .itch(&["followers", "-l", "5", "burkeblack"])
            .succeeds()
            .rows()
            .len(),
        5
    );
    let who = folder.itch(&["whoami"]);
    assert!(
        who.succeeds()
            .stdout
            .starts_with("burkeblack (default)\n  token    is renewed by itself"),
        "{}",
        who.stdout
    );
    let json: Value = serde_json::from_str(&folder.itch(&["whoami", "--json"]).succeeds().stdout).unwrap();
    assert_eq!(json["accounts"][0]["reports"]["followers"]["works"], true);
    let doctor = folder.itch(&["doctor"]);
    assert_eq!(doctor.exits(0).stdout.matches("FAIL").count(), 0, "{}", doctor.stdout);
    folder.itch(&["logout"]).exits(0).says("signed out burkeblack\n");
    folder
        .itch(&["followers", "burkeblack"])
        .exits(4)
        .says("error: nobody is signed in\n");
}

#[test]
fn a_sign_in_asks_for_what_the_named_reports_declare() {
    let sandbox = sandbox(&[]);
    let folder = folder(&sandbox);
    let ran = log_in(&folder, "login=burkeblack", &["--for", "following"]);
    let works = "chat-replay, created, following, num-followers, num-following, streams work\n";
    assert!(ran.exits(0).stderr.ends_with(works), "{}", ran.stderr);
    assert_eq!(account_file(&folder)["accounts"][0]["scopes"], serde_json::json!(["user:read:follows"]));
    folder.itch(&["following", "-l", "1", "burkeblack"]).succeeds();
    let lacks = folder.itch(&["followers", "burkeblack"]);
    lacks
        .exits(4)
        .says("error: the token of `burkeblack` lacks the scope `moderator:read:followers`, which `followers` needs\n");
    lacks.says("hint: itch login --for followers --as burkeblack\n");
    // Signing in again keeps the scopes that the account had.
    log_in(&folder, "login=burkeblack", &["--for", "followers", "--as", "burkeblack"]).exits(0);
    let file = account_file(&folder);
    assert_eq!(file["accounts"].as_array().unwrap().len(), 1);
    assert_eq!(file["accounts"][0]["scopes"], serde_json::json!(["moderator:read:followers", "user:read:follows"]));
    folder.itch(&["followers", "-l", "1", "burkeblack"]).succeeds();
}

#[test]
fn a_refused_sign_in_leaves_nothing_behind() {
    let sandbox = sandbox(&[]);
    let folder = folder(&sandbox);
    let denied = log_in(&folder, "deny=1", &[]);
    denied.exits(4).says("error: the sign-in was not confirmed\n");
    let other = log_in(&folder, "login=just_a_viewer", &["--as", "burkeblack"]);
    other
        .exits(4)
        .says("error: `just_a_viewer` signed in on that page, not `burkeblack`\n");
    folder.itch(&["whoami"]).exits(0).says("nobody is signed in\n");
    // An application with a secret is found at once.
    let confidential = folder.variable("TWITCH_CLIENT_ID", Sandbox::CONFIDENTIAL_CLIENT_ID);
    let ran = log_in(&confidential, "login=burkeblack", &[]);
    ran.exits(4).says("is of the client type Confidential\n");
    assert_eq!(account_file(&confidential)["accounts"], serde_json::json!([]));
    let unknown = confidential.variable("TWITCH_CLIENT_ID", "0".repeat(30));
    unknown
        .itch(&["login"])
        .exits(4)
        .says("hint: check the Client ID at https://dev.twitch.tv/console/apps\n");
}

#[test]
fn several_accounts_are_chosen_by_login() {
    let sandbox = sandbox(&[]);
    let folder = folder(&sandbox);
    log_in(&folder, "login=burkeblack", &[]).exits(0);
    log_in(&folder, "login=just_a_viewer", &[]).exits(0);
    folder.itch(&["followers", "-l", "1", "burkeblack"]).succeeds();
    let viewer = folder.itch(&["followers", "--as", "just_a_viewer", "burkeblack"]);
    viewer
        .exits(4)
        .says("error: `just_a_viewer` is not a moderator of `burkeblack`\n");
    let unknown = folder.itch(&["--as", "burkeblak", "followers", "burkeblack"]);
    unknown
        .exits(4)
        .says("caused by: signed in: burkeblack, just_a_viewer\nhint: did you mean `burkeblack`?\n");
    folder
        .itch(&["logout"])
        .exits(2)
        .says("error: several accounts have signed in\n");
    folder
        .itch(&["--sandbox", "--as", "burkeblack", "created", "burkeblack"])
        .exits(2);
    std::fs::create_dir_all(folder.path("config/itch")).unwrap();
    folder.write("config/itch/config.toml", "[account]\nas = \"just_a_viewer\"\n");
    folder.itch(&["followers", "burkeblack"]).exits(4);
    folder
        .itch(&["followers", "-l", "1", "--as", "burkeblack", "burkeblack"])
        .succeeds();
    folder
        .itch(&["logout", "--all"])
        .exits(0)
        .says("signed out just_a_viewer\n");
    // Without any account the setting has no effect, and the option is an error, although both name the same login.
    let named = folder.itch(&["followers", "--as", "just_a_viewer", "burkeblack"]);
    named.exits(4).says("error: no account `just_a_viewer` has signed in\n");
}

#[test]
fn an_account_is_used_at_its_own_addresses_only() {
    let (here, there) = (sandbox(&[]), sandbox(&[]));
    let folder = folder(&here);
    log_in(&folder, "login=burkeblack", &[]).exits(0);
    let folder = folder.at(&there).variable("TWITCH_TOKEN", "");
    folder
        .itch(&["followers", "burkeblack"])
        .exits(4)
        .says("error: nobody is signed in\n");
    let named = folder.itch(&["--as", "burkeblack", "followers", "burkeblack"]);
    named.exits(4).says("and its tokens are sent nowhere else\n");
    assert_eq!(there.requests().total, 0);
}

#[test]
fn a_file_that_others_can_read_is_refused_with_the_command_that_mends_it() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = sandbox(&[]);
    let folder = folder(&sandbox);
    log_in(&folder, "login=burkeblack", &[]).exits(0);
    let path = folder.path("data/itch/accounts.json");
    let mode = |mode| std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    mode(0o644);
    let ran = folder.itch(&["followers", "-l", "1", "burkeblack"]);
    ran.exits(4).says(&format!("hint: chmod 600 '{}'\n", path.display()));
    // Chat needs no account.
    folder.itch(&["chat-replay", "-l", "1", "2700000005"]).succeeds();
    mode(0o600);
    folder.itch(&["followers", "-l", "1", "burkeblack"]).succeeds();
    std::fs::write(&path, "{\"accounts\":").unwrap();
    let damaged = folder.itch(&["followers", "burkeblack"]);
    damaged
        .exits(4)
        .says("its accounts have to sign in again\nhint: itch login\n");
    let aside = std::fs::read_dir(path.parent().unwrap()).unwrap();
    let aside: Vec<String> = aside
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("damaged"))
        .collect();
    assert!(damaged.stderr.contains(&aside[0]), "{}", damaged.stderr);
}

#[test]
fn the_order_of_identities() {
    let sandbox = sandbox(&[]);
    let folder = folder(&sandbox);
    log_in(&folder, "login=just_a_viewer", &[]).exits(0);
    let token = sandbox.variables()["TWITCH_TOKEN"].clone();
    let uses = |folder: &Folder, arguments: &[&str], line: &str| {
        let mut all = vec!["-v", "followers", "-l", "1", "burkeblack"];
        all.extend(arguments);
        let ran = folder.itch(&all);
        assert!(ran.stderr.contains(line), "{}", ran.stderr);
        ran.code
    };
    assert_eq!(uses(&folder, &[], "signed in as just_a_viewer"), 4);
    let folder = folder.variable("TWITCH_TOKEN", format!("'oauth:{token}'"));
    assert_eq!(uses(&folder, &[], "without the quotes or the word before it"), 0);
    assert_eq!(uses(&folder, &["--as", "just_a_viewer"], "signed in as just_a_viewer"), 4);
    let app = folder
        .variable("TWITCH_TOKEN", "")
        .variable("TWITCH_CLIENT_SECRET", Sandbox::CLIENT_SECRET);
    app.itch(&["logout"]).exits(0);
    assert_eq!(uses(&app, &[], "using the application of TWITCH_CLIENT_ID"), 4);
    let refused = app.itch(&["followers", "burkeblack"]);
    refused
        .exits(4)
        .says("error: `followers` needs the token of a user, and this is an app token\n");
    // The app token is kept for the next run.
    let before = sandbox.requests().of("/oauth2/token");
    app.itch(&["num-followers", "burkeblack"]).succeeds();
    assert_eq!(sandbox.requests().of("/oauth2/token"), before);
}

/// Every file below a folder but the account file, as one text.
fn files(folder: &std::path::Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text.push_str(&files(&path));
        } else if !path.ends_with("accounts.json") {
            text.push_str(&String::from_utf8_lossy(&std::fs::read(&path).unwrap()));
        }
    }
    text
}

#[test]
fn tokens_and_codes_are_nowhere_but_in_the_account_file() {
    let sandbox = sandbox(&["--token-life", "2s"]);
    let folder = folder(&sandbox);
    let scopes = "moderator:read:followers,user:manage:blocked_users";
    let mut shown = log_in(&folder, "login=burkeblack", &["-vv", "--scopes", scopes])
        .exits(0)
        .all();
    let first = account_file(&folder);
    std::thread::sleep(std::time::Duration::from_millis(2100));
    let pull = [
        "-vv",
        "-c",
        "file",
        "followers",
        "-l",
        "3",
        "--verdict",
        "verdict.json",
        "burkeblack",
    ];
    shown += &folder.itch(&pull).exits(0).all();
    folder.write("ids.txt", "1000001\n1000002\n");
    let blocks = [
        "-vv",
        "api",
        "-X",
        "PUT",
        "users/blocks",
        "target_user_id={}",
        "--each",
        "ids.txt",
        "--yes",
    ];
    shown += &folder.itch(&blocks).exits(0).all();
    assert!(folder.read("ids.txt.journal").lines().count() > 2);
    shown += &folder.itch(&["-vv", "whoami", "--json"]).exits(0).all();
    shown += &folder.itch(&["-vv", "doctor"]).exits(0).all();
    shown += &folder.itch(&["-vv", "following", "just_a_viewer"]).exits(4).all();
    let second = account_file(&folder);
    shown += &folder.itch(&["-vv", "logout"]).exits(0).all();
    shown += &files(&folder.path(""));
    for file in [first, second] {
        for name in ["access_token", "refresh_token"] {
            let secret = file["accounts"][0][name].as_str().unwrap();
            assert!(secret.len() >= 30 && !shown.contains(secret), "{name}");
        }
    }
    assert!(!shown.contains("device_code="), "the code of the device is logged");
}

#[test]
fn without_a_place_for_accounts_nobody_is_asked_to_sign_in() {
    let sandbox = sandbox(&[]);
    let folder = folder(&sandbox);
    folder.write("file", "no directory");
    let data = folder.path("file");
    let folder = folder.variable("XDG_DATA_HOME", data);
    let ran = folder.itch(&["login"]);
    ran.exits(1).says("error: there is no directory for the account file\n");
    assert_eq!(sandbox.requests().total, 0);
    let ran = folder.itch(&["login", "--for", "folowers"]);
    assert_eq!(ran.code, 1, "{}", ran.all());
}
