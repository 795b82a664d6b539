//! `itch api`: paths, parameters, bodies, answers, and what is sent again.

use std::io::{Read, Write};
use std::process::Stdio;

use itch_tests::{Folder, Sandbox, binary, wait};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use serde_json::Value;

use crate::write_server::{Act, TOKEN, WriteServer};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn the_answer_is_printed_as_it_came() {
    let folder = Folder::new();
    let ran = folder.itch(&["--sandbox", "api", "users", "login=burkeblack"]);
    ran.succeeds();
    assert_eq!(json(&ran.stdout)["data"][0]["id"], "76725499");
    assert_eq!(ran.stdout.matches('\n').count(), 1);
    for arguments in [
        &["api", "/helix/users?login=burkeblack", "--sandbox"][..],
        &["api", "--sandbox", "helix/users", "login=burkeblack"],
        &["--sandbox", "api", "-X", "get", "/users/", "login=burkeblack"],
    ] {
        folder.itch(arguments).prints(&ran.stdout);
    }
    folder
        .itch(&["api", "users", "login=burkeblack", "--sandbox", "-o", "user.json"])
        .prints("");
    assert_eq!(folder.read("user.json"), ran.stdout);
}

#[test]
fn parameters_are_sent_as_they_are_typed() {
    let server = WriteServer::answering(200);
    let folder = server.folder();
    folder
        .itch(&["api", "a/b%20c?x=1%262", "id=1", "id=2", "q=a b&c=d+é", "empty="])
        .exits(0);
    assert_eq!(server.lines(), ["GET /helix/a/b%20c?x=1%262&id=1&id=2&q=a%20b%26c%3Dd%2B%C3%A9&empty="]);
}

/// Nothing is sent for a path that leads elsewhere.
#[test]
fn a_path_stays_below_the_base() {
    let server = WriteServer::answering(200);
    let folder = server.folder();
    for path in [
        "https://example.org/helix/users",
        "http://127.0.0.1:1/",
        "HTTPS:users",
        "//example.org/users",
        "..",
        "../oauth2/token",
        "users/../../oauth2/token",
        "users/..",
        "%2e%2e/oauth2/token",
        ".%2E/x",
        "%252e%252e/x",
        "x/..%2F..%2Foauth2",
        "users/.",
        "users#part",
        "users?login=a#part",
        "a\\b",
        "a%5Cb",
        "a\nb",
        "a%0ab",
        "a%00b",
        "users//follows",
        "",
        "/",
        "login=burkeblack",
        "users/{}",
    ] {
        folder.itch(&["api", path]).exits(2);
        folder.itch(&["api", "-X", "DELETE", "--yes", path]).exits(2);
    }
    assert!(server.seen().is_empty(), "{:?}", server.lines());
}

#[test]
fn a_refusal_has_its_body_its_sentence_and_its_code() {
    for (status, code) in [(400, 2), (401, 4), (403, 4), (404, 5), (409, 6), (410, 5)] {
        let server = WriteServer::answering(status);
        for method in ["GET", "POST", "DELETE"] {
            let ran = server.folder().itch(&["api", "-X", method, "--yes", "things"]);
            ran.exits(code)
                .says(&format!("error: Twitch answered {status} to `{method} things`\n"))
                .says("because of the test");
            assert_eq!(json(&ran.stdout)["status"], status);
        }
    }
}

#[test]
fn a_wrong_command_line_sends_nothing() {
    let server = WriteServer::answering(200);
    let folder = server.folder();
    folder.write("no.json", "{\"a\":");
    folder.write("yes.json", "{}");
    for arguments in [
        &["-X", "TRACE", "users"][..],
        &["users", "login"],
        &["users", "=x"],
        &["users", "--field", "a=1"],
        &["users", "--input", "yes.json"],
        &["-X", "POST", "--yes", "users", "--input", "no.json"],
        &["-X", "POST", "--yes", "users", "--input", "missing.json"],
        &["-X", "POST", "--yes", "users", "--input", "yes.json", "--field", "a=1"],
        &["-X", "POST", "--yes", "users", "--field", "a=1", "--field", "a[b]=1"],
        &["-X", "POST", "--yes", "users", "--field", "a"],
        &["-X", "POST", "--yes", "users", "--paginate"],
        &["-X", "POST", "users"],
        &["users", "-i", "-f", "csv"],
        &["users", "--plot", "x.png"],
        &["users", "--direction", "asc"],
        &["users", "--source", "legacy"],
        &["users", "--verdict", "x.json"],
        &["users", "--journal", "x"],
        &["users", "--refresh", "--offline"],
        &["--offline", "-i", "users"],
        &[],
    ] {
        folder.itch(&[&["api"][..], arguments].concat()).exits(2);
    }
    folder.itch(&["--plot", "x.png", "api", "users"]).exits(2);
    assert!(server.seen().is_empty(), "{:?}", server.lines());
}

#[test]
fn fields_make_a_body() {
    let server = WriteServer::answering(204);
    let folder = server.folder();
    folder.write("text", "a\nb");
    folder.write("body.json", "{ \"as\": \"it is\" }\n");
    let fields = [
        "data[user_id]=7",
        "data[reason]=@text",
        "on=true",
        "none=null",
        "tags[]=a",
        "tags[]=2",
    ];
    let mut arguments = vec!["api", "-X", "POST", "--yes", "things", "id=1"];
    fields.iter().for_each(|field| arguments.extend(["--field", field]));
    arguments.extend(["--raw-field", "text=7"]);
    folder.itch(&arguments).prints("");
    folder
        .itch(&["api", "-X", "PATCH", "--yes", "things", "--input", "body.json"])
        .prints("");
    folder
        .itch_reading("[1]", &["api", "-X", "PUT", "--yes", "things", "--input", "-"])
        .prints("");
    folder.itch(&["api", "-X", "POST", "--yes", "things"]).prints("");
    let seen = server.seen();
    assert_eq!(
        seen[0].body,
        r#"{"data":{"user_id":7,"reason":"a\nb"},"on":true,"none":null,"tags":["a",2],"text":"7"}"#
    );
    assert_eq!(seen[0].target, "/helix/things?id=1");
    assert!(
        seen[0]
            .headers
            .iter()
            .any(|line| line.to_lowercase() == "content-type: application/json")
    );
    assert_eq!((seen[1].method.as_str(), seen[1].body.as_str()), ("PATCH", "{ \"as\": \"it is\" }\n"));
    assert_eq!((seen[2].method.as_str(), seen[2].body.as_str()), ("PUT", "[1]"));
    assert!(
        seen[3]
            .headers
            .iter()
            .any(|line| line.to_lowercase() == "content-length: 0")
    );
}

#[test]
fn the_head_has_no_secrets() {
    let server = WriteServer::start(|_, _| {
        let headers = concat!(
            "Ratelimit-Remaining: 7\r\nSet-Cookie: session=1\r\nX-Echo: Bearer planted0token0of0the0test00000\r\n",
            "X-Authorization: x\r\n"
        );
        Act::Answer(200, headers, format!("{{\"data\":[\"{TOKEN}\"]}}"))
    });
    let folder = server.folder();
    for arguments in [&["api", "-i", "-vv", "users"][..], &["api", "-vv", "users"]] {
        let ran = folder.itch(arguments);
        ran.exits(0);
        assert!(!ran.stdout.contains(TOKEN) && !ran.stderr.contains(TOKEN), "{}", ran.all());
    }
    let ran = folder.itch(&["api", "-i", "users"]);
    let (head, body) = ran.stdout.split_once("\n\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\n") && head.contains("\nratelimit-remaining: 7"), "{head}");
    assert!(!head.contains("cookie") && !head.contains("authorization"), "{head}");
    assert_eq!(body, "{\"data\":[\"[redacted]\"]}\n");
}

#[test]
fn a_dry_run_sends_nothing() {
    let server = WriteServer::answering(200);
    let folder = server.folder();
    folder.write("list", "1\n\n2\r\n");
    let dry = |arguments: &[&str]| {
        let ran = folder.itch(&[&["api", "--dry-run"][..], arguments].concat());
        ran.succeeds();
        assert!(!ran.stdout.contains(TOKEN));
        let base = &folder.variables()["TWITCH_HELIX_URL"];
        ran.stdout
            .replace(base.as_str(), "BASE/")
            .replace(base.replace("helix/", "gql").as_str(), "GQL")
    };
    assert_eq!(dry(&["users", "login=a b"]), "GET BASE/users?login=a%20b\n");
    assert_eq!(
        dry(&[
            "-X",
            "POST",
            "moderation/bans",
            "x=1",
            "-F",
            "data[user_id]={}",
            "--each",
            "list"
        ]),
        "POST BASE/moderation/bans?x=1\n{\"data\":{\"user_id\":\"1\"}}\n\
         POST BASE/moderation/bans?x=1\n{\"data\":{\"user_id\":\"2\"}}\n"
    );
    folder.write("query", "{ a }");
    assert_eq!(dry(&["--gql", "query"]), "POST GQL\n{\"query\":\"{ a }\",\"variables\":{}}\n");
    assert!(server.seen().is_empty() && !folder.path("list.journal").exists());
}

/// What twice is not the same as once is sent once.
#[test]
fn a_post_is_not_sent_again() {
    for method in ["POST", "PATCH"] {
        let server = WriteServer::start(|_, _| Act::Close);
        let ran = server.folder().itch(&["api", "-X", method, "--yes", "things"]);
        ran.exits(6).says("whether this was done is unknown");
        assert_eq!(server.lines(), [format!("{method} /helix/things")]);
        let server = WriteServer::answering(503);
        let ran = server.folder().itch(&["api", "-X", method, "--yes", "things"]);
        ran.exits(6).says("whether this was done is unknown");
        assert_eq!(json(&ran.stdout)["status"], 503);
        assert_eq!(server.seen().len(), 1);
    }
    let sandbox = Sandbox::start(&["--faults", "reset=1"]);
    let folder = Folder::new().at(&sandbox);
    folder.itch(&["api", "-X", "POST", "--yes", "moderation/bans"]).exits(6);
    assert_eq!(sandbox.requests().of("/helix/moderation/bans"), 1);
}

#[test]
fn what_may_be_repeated_is() {
    for method in ["GET", "PUT", "DELETE"] {
        let server = WriteServer::start(|number, _| match number {
            0 => Act::Close,
            1 => Act::status(503),
            _ => Act::status(200),
        });
        server.folder().itch(&["api", "-X", method, "--yes", "things"]).exits(0);
        assert_eq!(server.seen().len(), 3, "{method}");
    }
}

#[test]
fn a_refusal_that_did_nothing_is_repeated() {
    for status in [401, 429] {
        let server = WriteServer::start(move |number, _| match number {
            0 => Act::Answer(status, "Retry-After: 0\r\n", "{}".to_owned()),
            _ => Act::status(204),
        });
        server
            .folder()
            .itch(&["api", "-X", "POST", "--yes", "things"])
            .prints("");
        assert_eq!(server.seen().len(), 2, "{status}");
    }
    // The second refusal is about the request.
    let server = WriteServer::answering(401);
    server.folder().itch(&["api", "-X", "POST", "--yes", "things"]).exits(4);
    assert_eq!(server.seen().len(), 2);
}

#[test]
fn a_write_that_could_not_be_sent_is_tried_again() {
    let port = itch_tests::servers::free_port();
    let server = WriteServer::answering(204);
    let folder = server
        .folder()
        .variable("TWITCH_HELIX_URL", format!("http://127.0.0.1:{port}/helix/"));
    let ran = folder.itch(&["api", "-X", "POST", "--yes", "--retries", "1", "things"]);
    ran.exits(6).says("could not be reached (2 tries)");
    assert!(!ran.stderr.contains("unknown") && !ran.stderr.contains("-c file"), "{}", ran.stderr);
}

#[test]
fn a_write_is_judged_by_the_scopes() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    let block = ["api", "-X", "PUT", "--yes", "users/blocks", "target_user_id=100000003"];
    let list = [
        "api",
        "users/blocks",
        "broadcaster_id=76725499",
        "--columns",
        "user_login",
    ];
    folder.itch(&block).prints("");
    folder.itch(&block).prints("");
    folder.itch(&list).prints("followers_3\n");
    folder
        .itch(&["api", "-X", "DELETE", "--yes", "users/blocks?target_user_id=100000003"])
        .prints("");
    folder.itch(&list).prints("");
    let bans = ["moderation/bans", "broadcaster_id=76725499", "moderator_id=76725499"];
    let ban = [
        &["api", "-X", "POST", "--yes"][..],
        &bans,
        &["--raw-field", "data[user_id]=100000003"],
    ]
    .concat();
    assert!(folder.itch(&ban).exits(0).stdout.contains("\"user_id\":\"100000003\""));
    folder.itch(&ban).exits(2).says("is already banned");
    folder
        .itch(&[
            "api",
            "moderation/banned",
            "broadcaster_id=76725499",
            "--columns",
            "user_login,expires_at",
        ])
        .prints("followers_3\t\n");
    let poor = Folder::new()
        .at(&sandbox)
        .variable("TWITCH_TOKEN", Sandbox::TOKEN_WITHOUT_SCOPES);
    poor.itch(&block)
        .exits(4)
        .says("Missing scope: user:manage:blocked_users");
}

/// Types an answer to the question on a terminal, and returns what was on the screen, and the exit code.
fn asked(folder: &Folder, arguments: &[&str], typed: &str) -> (String, u32) {
    let pair = native_pty_system().openpty(PtySize::default()).unwrap();
    let mut command = CommandBuilder::new(binary());
    command.args(arguments);
    command.env_clear();
    folder
        .variables()
        .iter()
        .for_each(|(name, value)| command.env(name, value));
    command.cwd(folder.path(""));
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let mut reader = pair.master.try_clone_reader().unwrap();
    let mut writer = pair.master.take_writer().unwrap();
    let (mut screen, mut buffer) = (Vec::new(), [0; 1024]);
    let mut answered = false;
    while let Ok(count @ 1..) = reader.read(&mut buffer) {
        screen.extend_from_slice(&buffer[..count]);
        if !answered && screen.windows(5).any(|part| part == b"[y/N]") {
            writer.write_all(typed.as_bytes()).unwrap();
            answered = true;
        }
    }
    (String::from_utf8(screen).unwrap(), child.wait().unwrap().exit_code())
}

#[test]
fn a_write_on_a_terminal_is_asked_for() {
    let server = WriteServer::answering(204);
    let folder = server.folder();
    folder.write("list", "1\n2\n");
    let one = ["api", "-X", "DELETE", "things", "id=1"];
    for typed in ["\n", "n\n", "yess\n"] {
        let (screen, code) = asked(&folder, &one, typed);
        assert_eq!(code, 1, "{screen}");
        assert!(screen.contains("DELETE things: 1 request as tester (user 4242). Send it? [y/N]"), "{screen}");
        assert!(screen.contains("nothing was sent"), "{screen}");
    }
    assert!(server.seen().is_empty());
    assert_eq!(asked(&folder, &one, "y\n").1, 0);
    assert_eq!(server.seen().len(), 1);
    let each = ["api", "-X", "DELETE", "things", "id={}", "--each", "list"];
    let (screen, code) = asked(&folder, &each, "n\n");
    assert_eq!(code, 1, "{screen}");
    assert!(screen.contains("DELETE things: 2 requests as tester (user 4242). Send them? [y/N]"), "{screen}");
    assert!(!folder.path("list.journal").exists());
    assert_eq!(asked(&folder, &each, "yes\n").1, 0);
    assert_eq!(server.seen().len(), 3);
}

#[test]
fn rows_come_in_every_format() {
    let folder = Folder::new();
    let followers = [
        "--sandbox",
        "api",
        "channels/followers",
        "broadcaster_id=100000200",
        "--paginate",
    ];
    let run = |more: &[&str]| folder.itch(&[&followers[..], more].concat());
    let tsv = run(&[]);
    tsv.succeeds();
    assert_eq!(tsv.rows().len(), 200);
    assert_eq!(tsv.cells()[0].len(), 4);
    let csv = run(&["-f", "csv", "--columns", "user_login,user_id"]);
    assert_eq!(csv.succeeds().rows()[0], "user_login,user_id");
    assert_eq!(csv.rows().len(), 201);
    let lines = run(&["-f", "jsonl"]);
    assert_eq!(json(lines.succeeds().rows()[199])["user_id"], tsv.cells()[199][0]);
    run(&["-f", "table", "-l", "3"]).exits(0);
    let limited = run(&["-l", "5", "-v"]);
    limited.exits(0).says("api: 5 rows (limit reached)");
    run(&["-o", "rows.csv", "--verdict", "verdict.json"]).prints("");
    assert_eq!(folder.read("rows.csv").lines().count(), 201);
    assert_eq!(json(&folder.read("verdict.json"))["expected"]["followers"], 200);
    run(&["--columns", "user_idd"]).exits(2).says("did you mean `user_id`?");
    run(&["--columns", "user_id,user_id"]).exits(2);
}

#[test]
fn nested_values_have_names_with_dots() {
    let server = WriteServer::start(|number, _| {
        let pages = [
            r#"{"data":[{"id":"1","n":5,"box":{"a":{"b":"x"}},"tags":["p","q"],"f":4.5}],"pagination":{"cursor":"c"}}"#,
            r#"{"data":[{"id":"2","n":null,"box":null,"tags":[],"new":1}],"pagination":{}}"#,
        ];
        Act::Answer(200, "", pages[number % 2].to_owned())
    });
    let folder = server.folder();
    let run = |more: &[&str]| folder.itch(&[&["api", "things", "--paginate"][..], more].concat());
    run(&["--columns", "id,box.a.b,tags.0,tags"]).prints("1\tx\tp\t[\"p\",\"q\"]\n2\t\t\t[]\n");
    run(&["--header"]).prints("id\tn\tbox\ttags\tf\n1\t5\t{\"a\":{\"b\":\"x\"}}\t[\"p\",\"q\"]\t4.5\n2\t\t\t[]\t\n");
    let ran = run(&["-f", "jsonl", "--columns", "box,n"]);
    ran.prints("{\"box\":{\"a\":{\"b\":\"x\"}},\"n\":5}\n{\"box\":null,\"n\":null}\n");
    let ran = run(&["-f", "jsonl"]);
    assert!(ran.succeeds().rows()[1].contains("\"new\":1"));
    assert!(server.lines()[1].contains("first=100&after=c"), "{:?}", server.lines());
    // Without `--paginate`, those of one answer.
    let one = folder.itch(&["api", "things", "-f", "tsv", "--columns", "id"]);
    one.exits(0).says("`--paginate`");
    assert_eq!(one.stdout, "1\n");
}

#[test]
fn a_reader_that_has_enough_ends_the_walk() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    let walk = ["api", "channels/followers", "broadcaster_id=76725499", "--paginate"];
    let mut child = folder.command(&walk).stdout(Stdio::piped()).spawn().unwrap();
    let mut first = [0; 1];
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut first).unwrap();
    drop(stdout);
    folder.ran(wait(child), &walk).succeeds();
    assert!(sandbox.requests().of("/helix/channels/followers") < 100);
}

#[test]
fn a_walk_with_faults_is_exact() {
    let calm = Folder::new().itch(&[
        "--sandbox",
        "api",
        "channels/followers",
        "broadcaster_id=76725499",
        "--paginate",
        "-l",
        "3000",
    ]);
    let sandbox = Sandbox::start(&["--faults", "500=0.05,reset=0.05,duplicate=0.3,no-rows=0.1"]);
    let walk = [
        "api",
        "channels/followers",
        "broadcaster_id=76725499",
        "--paginate",
        "-l",
        "3000",
    ];
    let ran = Folder::new().at(&sandbox).itch(&walk);
    itch_tests::same(&ran.exits(0).stdout, &calm.stdout);
}

#[test]
fn reads_use_the_cache() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    let user = ["api", "-c", "file", "users", "login=burkeblack"];
    let first = folder.itch(&user);
    first.succeeds();
    folder.itch(&user).prints(&first.stdout);
    folder.itch(&[&user[..], &["--offline"]].concat()).prints(&first.stdout);
    assert_eq!(sandbox.requests().of("/helix/users"), 1);
    folder
        .itch(&["--offline", "-c", "file", "api", "users", "login=other"])
        .exits(6);
    folder.itch(&[&user[..], &["-i"]].concat()).exits(0);
    assert_eq!(sandbox.requests().of("/helix/users"), 2);
}

#[test]
fn one_query_goes_to_gql() {
    let sandbox = Sandbox::start(&[]);
    let folder = Folder::new().at(&sandbox);
    folder.write("video.graphql", "query($id: ID!) { video(id: $id) { id lengthSeconds } }");
    let ran = folder.itch(&["api", "--gql", "video.graphql", "id=2700000005"]);
    assert_eq!(json(&ran.succeeds().stdout)["data"]["video"]["lengthSeconds"], 300);
    let text = folder.read("video.graphql");
    let stdin = folder.itch_reading(&text, &["api", "id=2700000005", "--gql", "-"]);
    assert_eq!(json(&stdin.succeeds().stdout)["data"], json(&ran.stdout)["data"]);
    let head = folder.itch(&["api", "-i", "--gql", "video.graphql", "id=2700000005"]);
    let (head, body) = head.succeeds().stdout.split_once("\n\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\n"), "{head}");
    assert_eq!(json(body)["data"], json(&ran.stdout)["data"]);
    let before = sandbox.requests().of("/gql");
    for (name, text) in [
        ("mutation", "mutation { a }"),
        ("both", "query A { a } mutation B { b }"),
        ("two", "query A { a } query B { b }"),
        ("hidden", "# query { a }\rmutation { b }"),
        ("subscription", "subscription { a }"),
        ("none", ""),
        ("broken", "query {"),
    ] {
        folder.write(name, text);
        folder.itch(&["api", "--gql", name]).exits(2);
    }
    folder
        .itch(&["api", "--gql", "video.graphql"])
        .exits(2)
        .says("needs a value for `id`");
    folder
        .itch(&["api", "--gql", "video.graphql", "idd=1"])
        .exits(2)
        .says("did you mean `id`?");
    folder.itch(&["api", "--gql", "missing"]).exits(2);
    folder
        .itch(&["api", "--gql", "video.graphql", "-X", "POST", "id=1"])
        .exits(2);
    assert_eq!(sandbox.requests().of("/gql"), before);
    std::fs::create_dir_all(folder.path("config/itch")).unwrap();
    folder.write("config/itch/config.toml", "[services]\ngql = \"off\"\n");
    for more in [&["id=2700000005"][..], &["id=2700000005", "-i"]] {
        let ran = folder.itch(&[&["api", "--gql", "video.graphql"][..], more].concat());
        ran.exits(2).says("disabled in the configuration");
    }
    assert_eq!(sandbox.requests().of("/gql"), before);
}
