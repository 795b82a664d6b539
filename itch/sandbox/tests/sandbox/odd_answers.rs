//! Faults of single values, rows and pages, and refusals without cause.

use std::collections::HashSet;

use itch_sandbox::{CLIENT_ID, TOKEN};
use serde_json::{Value, json};

use crate::client::{Answer, BURKEBLACK, Client, MOBILE, Page, persisted, raw};

fn followers(first: u32) -> String {
    format!("channels/followers?broadcaster_id={BURKEBLACK}&first={first}")
}

fn page(faults: &str) -> Value {
    Client::with_faults(faults).get(&followers(100)).json()
}

/// At most so many pages, with the cursor of each.
fn walk(client: &Client, path: &str, pages: usize) -> Vec<(Vec<Value>, Option<String>)> {
    let (mut after, mut walked) = (String::new(), Vec::new());
    while walked.len() < pages {
        let answer = client.get(&format!("{path}{after}"));
        let cursor = answer.cursor();
        walked.push((answer.rows(), cursor.clone()));
        let Some(cursor) = cursor else { break };
        after = format!("&after={cursor}");
    }
    walked
}

fn ids(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["user_id"].as_str().unwrap()).collect()
}

#[test]
fn an_odd_field_is_never_the_key_and_the_same_when_asked_again() {
    let clean = page("");
    for kind in ["odd-field", "odd-value"] {
        let client = Client::with_faults(&format!("{kind}=0.5"));
        let odd = client.get(&followers(100)).json();
        assert_eq!(odd, client.get(&followers(100)).json());
        // The same rows are struck in pages of another size.
        let small = client.rows("channels/followers?broadcaster_id=100000200&first=100");
        assert_eq!(small, client.rows("channels/followers?broadcaster_id=100000200&first=30"));
        let rows = clean["data"]
            .as_array()
            .unwrap()
            .iter()
            .zip(odd["data"].as_array().unwrap());
        let struck: Vec<_> = rows.filter(|(clean, odd)| clean != odd).collect();
        assert!((20..80).contains(&struck.len()), "{kind}: {}", struck.len());
        assert!(struck.iter().all(|(clean, odd)| clean["user_id"] == odd["user_id"]));
        assert_eq!(odd["total"], clean["total"]);
    }
}

#[test]
fn an_odd_key_cannot_be_read() {
    for row in page("odd-key=1")["data"].as_array().unwrap() {
        assert!(!row["user_id"].is_string() && !row["user_id"].is_number(), "{row}");
        // The whole row may be null or empty.
        assert!(row["user_login"].is_string() || row.get("user_name").is_none(), "{row}");
    }
    let answer = Client::with_faults("odd-key=1").gql(&raw(json!({"id": "2700000005"})));
    for edge in answer["data"]["video"]["comments"]["edges"].as_array().unwrap() {
        let node = &edge["node"];
        assert!(!node["id"].is_string() || !node["contentOffsetSeconds"].is_number(), "{edge}");
    }
}

#[test]
fn accounts_are_blank_and_times_are_zero() {
    for row in page("blank=1")["data"].as_array().unwrap() {
        assert_eq!((&row["user_id"], &row["user_login"]), (&json!(""), &json!("")));
        assert!(row["followed_at"].as_str().unwrap().starts_with("20"));
    }
    let times: HashSet<String> = page("zero-time=1")["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["followed_at"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(times, ["0001-01-01T00:00:00Z", "", "soon"].map(str::to_owned).into());
    let videos = Client::with_faults("zero-time=1").get(&format!("videos?user_id={BURKEBLACK}"));
    assert!(videos.rows().iter().all(|video| video["duration"] == "0s"));
    let answer = Client::with_faults("blank=1").gql(&raw(json!({"id": "2700000005"})));
    let authors = answer["data"]["video"]["comments"]["edges"].as_array().unwrap().iter();
    let mut authors = authors
        .map(|edge| &edge["node"]["commenter"])
        .filter(|author| !author.is_null());
    assert!(authors.all(|author| author["login"] == "" && author["id"] == ""));
}

#[test]
fn malformed_texts_are_not_utf8_or_have_half_a_pair() {
    let client = Client::with_faults("bad-text=1");
    let bearer = format!("Bearer {TOKEN}");
    let request = ureq::http::Request::get(format!("{}/helix/{}", client.sandbox.base_url(), followers(100)))
        .header("Authorization", bearer)
        .header("Client-Id", CLIENT_ID);
    let bytes = client
        .agent
        .run(request.body(()).unwrap())
        .unwrap()
        .into_body()
        .read_to_vec()
        .unwrap();
    assert!(std::str::from_utf8(&bytes).is_err());
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains(r"\ud83d") && text.contains('\u{fffd}'));
}

#[test]
fn lists_are_null_or_missing_for_a_while() {
    let client = Client::with_faults("null-list=0.5");
    let mut seen = [0; 3];
    for _ in 0..60 {
        let body = client.get(&followers(5)).json();
        let kind = match body.get("data") {
            Some(Value::Array(rows)) if rows.len() == 5 => 0,
            Some(Value::Null) => 1,
            None => 2,
            other => panic!("{other:?}"),
        };
        seen[kind] += 1;
    }
    assert!(seen.iter().all(|count| *count > 5), "{seen:?}");
    let tmi = Client::with_faults("null-list=1").open("/tmi/group/user/burkeblack/chatters");
    assert!(!tmi.text.contains('['), "{}", tmi.text);
}

#[test]
fn an_early_end_leads_nowhere() {
    let answer = Client::with_faults("early-end=1").get(&followers(5));
    assert_eq!(answer.rows().len(), 5);
    assert!(answer.cursor().is_none_or(|cursor| cursor.is_empty()));
    let comments = Client::with_faults("early-end=1").gql(&raw(json!({"id": "2700000005"})));
    assert!(!Page::of(comments).has_next);
    let empty = Client::with_faults("empty-page=0.5");
    let cursors: HashSet<bool> = (0..40)
        .map(|_| empty.get(&followers(5)))
        .filter(|answer| answer.rows().is_empty())
        .map(|answer| answer.cursor().is_some_and(|cursor| !cursor.is_empty()))
        .collect();
    assert_eq!(cursors.len(), 2);
}

#[test]
fn totals_drift_or_are_odd() {
    let client = Client::with_faults("total-drift=1");
    let totals: HashSet<u64> = (0..60)
        .map(|_| client.get(&followers(1)).json()["total"].as_u64().unwrap())
        .collect();
    assert!(totals.len() > 3 && totals.iter().all(|total| (249_997..=250_003).contains(total)), "{totals:?}");
    let odd = Client::with_faults("odd-total=1");
    assert!((0..60).all(|_| odd.get(&followers(1)).json()["total"].as_u64().is_none()));
    let clean = Client::new().get(&followers(5)).json();
    let envelope = Client::with_faults("odd-envelope=1");
    let changed = |answer: Answer| {
        let answer = answer.json();
        answer != clean
            && (answer["data"] == clean["data"] || !answer["data"].is_array() || answer["data"][0] != clean["data"][0])
    };
    assert!((0..60).all(|_| changed(envelope.get(&followers(5)))));
}

#[test]
fn an_endless_list_repeats_under_new_cursors() {
    let whole = walk(&Client::new(), &followers(100), 1);
    let pages = walk(&Client::with_faults("endless=1"), &followers(100), 40);
    assert_eq!(pages.len(), 40);
    let cursors: HashSet<_> = pages.iter().map(|(_, cursor)| cursor.clone().unwrap()).collect();
    assert_eq!(cursors.len(), 40);
    let known: HashSet<&str> = ids(&whole[0].0).into_iter().collect();
    assert!(
        pages
            .iter()
            .all(|(rows, _)| ids(rows).iter().all(|id| known.contains(id)))
    );

    let client = Client::with_faults("endless=1");
    let mut page = Page::of(client.gql(&raw(json!({"id": "2700000005"}))));
    let mut cursors = HashSet::new();
    for _ in 0..20 {
        assert!(page.has_next && cursors.insert(page.cursor.clone().unwrap()));
        page = Page::of(client.gql(&raw(json!({"id": "2700000005", "after": page.cursor}))));
        assert_eq!(page.nodes.len(), 100);
    }
}

#[test]
fn pages_are_short_long_out_of_order_or_repeat_old_rows() {
    let path = "channels/followers?broadcaster_id=100000200&first=10";
    let whole = Client::new().rows(path);
    let short = Client::with_faults("short-page=1").pages(path);
    assert!(short.len() > 30 && short.iter().all(|page| page.len() < 10));
    assert_eq!(short.concat(), whole);
    let long = Client::with_faults("long-page=1").pages(path);
    assert_eq!((long[0].len(), long.concat()), (40, whole.clone()));
    let shuffled = Client::with_faults("disorder=1").rows(path);
    assert_ne!(shuffled, whole);
    assert_eq!(shuffled.iter().collect::<HashSet<_>>(), whole.iter().collect());
    let late = Client::with_faults("late-repeat=1").pages(path);
    assert!(late.iter().all(|page| page.len() <= 10));
    let twelfth: HashSet<&Value> = late[..12].iter().flatten().collect();
    assert_eq!(twelfth.len(), 120);
    assert!(
        late[12..]
            .iter()
            .all(|page| twelfth.contains(&page[0]) || page.len() < 2)
    );
    assert_eq!(late.iter().flatten().collect::<HashSet<_>>().len(), 200);

    let comments = |faults: &str| Page::of(Client::with_faults(faults).gql(&raw(json!({"id": "2700000005"})))).nodes;
    assert_eq!(comments("long-page=1").len(), 130);
    assert!(comments("short-page=1").len() < 100);
}

#[test]
fn an_account_that_is_refused_takes_its_batch_along() {
    let client = Client::with_faults("refused-id=0.02");
    let rows = Client::new().get(&followers(100)).rows();
    let batch: String = ids(&rows).iter().map(|id| format!("&id={id}")).collect();
    let answer = client.get(&format!("users?{}", &batch[1..]));
    assert_eq!(answer.status, 400, "{}", answer.text);
    assert!(answer.text.contains("Bad Identifiers"));
    let alone = ids(&rows)
        .iter()
        .filter(|id| client.get(&format!("users?id={id}")).status == 400)
        .count();
    assert!((1..10).contains(&alone), "{alone}");
}

#[test]
fn errors_stand_beside_good_data() {
    let client = Client::with_faults("gql-path=1");
    let question = raw(json!({"id": "2700000005"}));
    for _ in 0..40 {
        let answer = client.gql(&question);
        for error in answer["errors"].as_array().unwrap() {
            let path = error["path"].as_array().unwrap().iter();
            let steps = path.map(|step| step.as_str().map_or_else(|| step.to_string(), str::to_owned));
            let pointer: String = steps.map(|step| format!("/{step}")).collect();
            assert_eq!(answer["data"].pointer(&pointer), Some(&Value::Null), "{pointer}");
        }
        assert_eq!(answer["data"]["video"]["id"], "2700000005");
    }
    let unknown = Client::with_faults("gql-unknown-text=1").gql(&question);
    assert!(unknown["errors"][0]["message"].is_string());
    assert!(unknown["data"]["video"].is_null());
    let client = Client::with_faults("gql-status=1");
    let statuses: HashSet<u16> = (0..20)
        .map(|_| {
            client
                .gql_as(MOBILE, &persisted(json!({"videoID": "2700000005"})))
                .status
        })
        .collect();
    assert_eq!(statuses, [400, 403].into());
}

#[test]
fn refusals_without_cause() {
    let outage = Client::with_faults("outage=1");
    let statuses: HashSet<u16> = (0..200).map(|_| outage.get("users").status).collect();
    assert_eq!(statuses.len(), 15, "{statuses:?}");
    let limited = Client::with_faults("false-429=1");
    let left: HashSet<bool> = (0..20)
        .map(|_| limited.get("users"))
        .inspect(|answer| assert_eq!(answer.status, 429))
        .map(|answer| answer.header("ratelimit-remaining").is_some_and(|left| left > 0))
        .collect();
    assert_eq!(left.len(), 2);
    let reset = Client::with_faults("reset-ms=1").get("users").header("ratelimit-reset");
    assert!(reset.unwrap() > 1_000_000_000_000);
    let echo = Client::with_faults("echo=1");
    let told = |answer: Answer| {
        assert!(answer.status >= 500);
        answer.text
    };
    assert!((0..20).any(|_| told(echo.get("users")).contains(TOKEN)));
    let moved = Client::with_faults("echo-location=1");
    let config = ureq::Agent::config_builder()
        .max_redirects(0)
        .http_status_as_error(false);
    let moved = Client {
        agent: config.build().new_agent(),
        ..moved
    };
    let answer = moved.get("users");
    assert_eq!(answer.status, 302);
    assert!(answer.headers["location"].to_str().unwrap().contains(TOKEN));
}

#[test]
fn bodies_are_encoded_and_labelled_in_other_ways() {
    let clean = Client::new().get(&followers(5)).text;
    let marked = Client::with_faults("bom=1").get(&followers(5)).text;
    assert_eq!(marked.trim_start_matches('\u{feff}'), clean);
    assert_ne!(marked, clean);
    let client = Client::with_faults("media-type=1");
    let types: HashSet<Option<String>> = (0..40)
        .map(|_| client.get(&followers(5)))
        .inspect(|answer| assert_eq!(answer.text, clean))
        .map(|answer| Some(answer.headers.get("content-type")?.to_str().unwrap().to_owned()))
        .collect();
    assert!(types.len() == 5 && !types.contains(&Some("application/json".to_owned())));
    let bearer = format!("Bearer {TOKEN}");
    let headers = [
        ("Authorization", bearer.as_str()),
        ("Client-Id", CLIENT_ID),
        ("Accept-Encoding", "gzip"),
    ];
    let client = Client::with_faults("gzip-members=1");
    let answer = client.send("GET", &format!("/helix/{}", followers(5)), &headers, "");
    // ureq is built without gzip here, so the body is not text.
    assert!(answer.is_err() || answer.unwrap().headers["content-encoding"] == "gzip");
    assert_eq!(client.get(&followers(5)).text, clean);
}

#[test]
fn the_sign_in_service_has_bad_weather() {
    let bearer = format!("Bearer {TOKEN}");
    let ask = |client: &Client| {
        client
            .send("GET", "/oauth2/validate", &[("Authorization", &bearer)], "")
            .unwrap()
    };
    let client = Client::with_faults("oauth-outage=1");
    let statuses: HashSet<u16> = (0..100).map(|_| ask(&client).status).collect();
    assert_eq!(statuses, [404, 408, 429, 500, 502, 503, 504, 520, 200].into());
    let client = Client::with_faults("oauth-odd=1");
    let answers: Vec<Value> = (0..30).map(|_| ask(&client).json()).collect();
    assert!(answers.iter().any(|answer| answer["expires_in"].is_string()));
    assert!(answers.iter().any(|answer| answer["expires_in"].is_f64()));
    assert!(answers.iter().any(|answer| answer["user_id"].is_number()));
    let client = Client::with_faults("echo=1");
    assert!((0..20).any(|_| ask(&client).text.contains(TOKEN)));
}
