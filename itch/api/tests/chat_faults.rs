//! The chat of a recording from a service that ends lists too early, repeats itself, answers nothing, or sends odd rows:
//! no comment is lost or doubled, or what is missing is a fact.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use itch_api::serde_json::{Value, json};
use itch_api::{Api, Error, ErrorKind, Fact, Request, Response, Result, Ticket, Transport};

/// A request for comments, as a test sees it.
#[derive(Clone, Debug)]
struct Asked {
    /// Its number among those for comments, from 1.
    nth: usize,
    /// The second, for a page by offset.
    offset: Option<i64>,
    /// The index of the first comment, for a page by cursor.
    index: Option<usize>,
    operation: String,
    form: String,
    client: usize,
}

type Change = dyn Fn(&Asked, &mut Value) + Send + Sync;

/// The comments of a recording by their seconds, and what happens to the answers.
struct Service {
    seconds: Vec<i64>,
    length: Value,
    page: usize,
    change: Box<Change>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    started: HashMap<u64, Asked>,
    next: u64,
    asked: Vec<Asked>,
    facts: Vec<Fact>,
}

fn node(id: usize, second: i64) -> Value {
    json!({"id": format!("c{id}"), "contentOffsetSeconds": second, "createdAt": "2026-07-01T18:01:02.007Z",
        "commenter": {"id": "7", "login": "a", "displayName": "A"},
        "message": {"fragments": [{"text": "hi ", "emote": null}, {"text": "Kappa", "emote": {"emoteID": "25", "from": 3}}],
            "userBadges": [{"setID": "vip", "version": "1"}], "userColor": "#8A2BE2"}})
}

impl Service {
    fn new(seconds: Vec<i64>, change: impl Fn(&Asked, &mut Value) + Send + Sync + 'static) -> Service {
        Service {
            length: json!(seconds.last().map_or(60, |last| last + 1)),
            seconds,
            page: 50,
            change: Box::new(change),
            state: Mutex::default(),
        }
    }

    fn answer(&self, asked: &Asked) -> Value {
        let mut answer = match asked.operation.as_str() {
            "video" => json!({"data": {"video": {"lengthSeconds": self.length, "createdAt": "2026-07-01T18:00:00Z"}}}),
            _ => json!({"data": {"video": {"comments": self.comments(asked)}}}),
        };
        (self.change)(asked, &mut answer);
        answer
    }

    fn comments(&self, asked: &Asked) -> Value {
        let start = asked.index.unwrap_or_else(|| {
            let exact = self.seconds.partition_point(|second| *second < asked.offset.unwrap());
            if exact == self.seconds.len() {
                exact
            } else {
                exact.saturating_sub(3)
            }
        });
        let end = (start + self.page).min(self.seconds.len());
        let edges =
            (start..end).map(|index| json!({"cursor": end.to_string(), "node": node(index, self.seconds[index])}));
        let has_next = if asked.offset.is_some() {
            start < end
        } else {
            end < self.seconds.len()
        };
        json!({"edges": edges.collect::<Vec<_>>(), "pageInfo": {"hasNextPage": has_next}})
    }
}

impl Transport for Service {
    fn start(&self, request: Request) -> Result<Ticket> {
        let mut state = self.state.lock().unwrap();
        state.next += 1;
        let ticket = state.next;
        let body = request.body.unwrap();
        let cursor = body["variables"]["cursor"].as_str();
        let text = |member: &str| body[member].as_str().unwrap().to_owned();
        let asked = Asked {
            nth: state.asked.iter().filter(|asked| asked.operation != "video").count() + 1,
            offset: body["variables"]["contentOffsetSeconds"].as_i64(),
            index: cursor.map(|cursor| cursor.split('/').next().unwrap().parse().unwrap()),
            operation: text("operation"),
            form: text("form"),
            client: request.gql_client,
        };
        state.asked.push(asked.clone());
        state.started.insert(ticket, asked);
        Ok(Ticket(ticket))
    }

    fn wait(&self, ticket: Ticket) -> Result<Response> {
        let asked = self.state.lock().unwrap().started.remove(&ticket.0).unwrap();
        // There is only one client id.
        if asked.client > 0 {
            return Err(Error::new(ErrorKind::SignIn, "no other").at(itch_api::Service::Gql, None));
        }
        let answer = self.answer(&asked);
        let status = answer["status"].as_u64().unwrap_or(200);
        Ok(Response {
            status: u16::try_from(status).unwrap(),
            age: None,
            body: answer.to_string().into_bytes(),
        })
    }

    fn wait_any(&self, _: &[Ticket]) -> Result<usize> {
        Ok(0)
    }

    fn abandon(&self, ticket: Ticket) {
        self.state.lock().unwrap().started.remove(&ticket.0);
    }

    fn note(&self, fact: Fact) {
        fact.add_to(&mut self.state.lock().unwrap().facts);
    }

    fn cancelled(&self) -> bool {
        false
    }
}

/// What a run printed, noted and asked.
struct Ran {
    ids: Vec<String>,
    error: Option<Error>,
    facts: Vec<Fact>,
    discarded: usize,
    asked: Vec<Asked>,
}

fn run(service: Service, connections: usize) -> Ran {
    let service = Arc::new(service);
    let api = Api::new(Arc::clone(&service) as _);
    let (mut ids, mut error) = (Vec::new(), None);
    match api.chat_replay("1").connections(connections).start() {
        Ok(messages) => {
            for message in messages {
                match message {
                    Ok(message) => ids.push(message.id),
                    Err(found) => error = Some(found),
                }
            }
        }
        Err(found) => error = Some(found),
    }
    let mut state = service.state.lock().unwrap();
    let (discarded, facts) = std::mem::take(&mut state.facts)
        .into_iter()
        .partition::<Vec<_>, _>(|fact| matches!(fact, Fact::Discard { .. }));
    Ran {
        ids,
        error,
        facts,
        discarded: discarded.len(),
        asked: std::mem::take(&mut state.asked),
    }
}

impl Ran {
    /// Every comment came once and in order, and nothing is noted but repeats.
    fn is_whole(&self, count: usize) {
        assert_eq!(self.error, None);
        let expected: Vec<String> = (0..count).map(|n| format!("c{n}")).collect();
        assert!(
            self.ids == expected,
            "{} of {count}: {:?}, asked {:?}",
            self.ids.len(),
            self.facts,
            self.asked
                .iter()
                .map(|asked| (asked.offset, asked.index))
                .collect::<Vec<_>>()
        );
        let noted = self.facts.iter().find(|fact| !matches!(fact, Fact::Repeated { .. }));
        assert_eq!(noted, None);
    }

    fn gaps(&self) -> Vec<(Option<&str>, Option<&str>, &str)> {
        let gaps = self.facts.iter().filter_map(|fact| match fact {
            Fact::Gap { from, to, reason } => Some((from.as_deref(), to.as_deref(), reason.as_str())),
            _ => None,
        });
        gaps.collect()
    }
}

/// One comment each second.
fn even(count: i64) -> Vec<i64> {
    (0..count).collect()
}

fn page_info(answer: &mut Value) -> &mut Value {
    &mut answer["data"]["video"]["comments"]["pageInfo"]["hasNextPage"]
}

fn edges(answer: &mut Value) -> &mut Vec<Value> {
    answer["data"]["video"]["comments"]["edges"].as_array_mut().unwrap()
}

fn is_page(asked: &Asked) -> bool {
    asked.operation == "video-comments"
}

#[test]
fn an_end_that_comes_too_early_is_none() {
    for connections in [1, 4] {
        for wrong in [1, 2, 3, 4, 7, 12, 13, 14] {
            for kind in 0..4 {
                let service = Service::new(even(600), move |asked, answer| {
                    if is_page(asked) && asked.nth == wrong {
                        match kind {
                            0 => *page_info(answer) = json!(false),
                            1 => edges(answer).clear(),
                            2 => answer["data"]["video"]["comments"] = json!({"edges": []}),
                            _ => {
                                answer["data"]["video"]["comments"]
                                    .as_object_mut()
                                    .unwrap()
                                    .shift_remove("pageInfo");
                            }
                        }
                    }
                });
                run(service, connections).is_whole(600);
            }
        }
    }
}

#[test]
fn an_end_that_stays_is_a_gap() {
    for connections in [1, 4] {
        let service = Service::new(even(1_200), |asked, answer| {
            let place = asked.index.map(|index| index as i64).or(asked.offset);
            if is_page(asked) && place.is_some_and(|place| (180..240).contains(&place)) {
                edges(answer).clear();
                *page_info(answer) = json!(false);
            }
        });
        let ran = run(service, connections);
        assert_eq!(ran.gaps().len(), 1, "{:?}", ran.gaps());
        assert!(ran.discarded >= 1);
        let expected = if connections == 1 { 200 } else { 1_000 };
        assert!(ran.ids.len() >= expected && ran.ids.len() < 1_200, "{}", ran.ids.len());
    }
}

#[test]
fn an_undisturbed_list_is_asked_for_its_end_once() {
    let ran = run(Service::new(even(500), |_, _| {}), 1);
    ran.is_whole(500);
    // The video, ten pages, and whether there is anything after the last comment.
    assert_eq!(ran.asked.len(), 1 + 10 + 1);
    assert_eq!(ran.discarded, 0);
    // Windows after the last comment are believed, since nothing contradicts them; the first eight are asked about again.
    let mut silent = Service::new(Vec::new(), |_, _| {});
    silent.length = json!(6 * 3600);
    let ran = run(silent, 4);
    ran.is_whole(0);
    let mut offsets: Vec<i64> = ran.asked.iter().filter_map(|asked| asked.offset).collect();
    let asked = offsets.len();
    offsets.sort_unstable();
    offsets.dedup();
    assert_eq!(offsets.len() + 8 + 2, asked, "and the last one twice");
}

#[test]
fn a_service_that_repeats_itself_under_new_cursors_is_left() {
    for connections in [1, 4] {
        let service = Service::new(even(2_000), |asked, answer| {
            if let Some(index) = asked.index.filter(|index| (500..550).contains(index)) {
                let cursor = format!("{index}/{}", asked.nth);
                for edge in edges(answer) {
                    edge["cursor"] = json!(cursor);
                }
                *page_info(answer) = json!(true);
            }
        });
        let ran = run(service, connections);
        let gaps = ran.gaps();
        assert!(gaps.len() == 1 && gaps[0].2.contains("10 pages of comments in a row"), "{gaps:?}");
        assert!(ran.asked.len() < 80, "{}", ran.asked.len());
        assert!(ran.discarded >= 1);
    }
}

#[test]
fn three_repeated_pages_are_passed_and_late_repeats_are_recognised() {
    let service = Service::new(even(2_000), |asked, answer| {
        // The page is sent three more times, then the list continues.
        if let Some(index) = asked.index.filter(|index| *index == 500)
            && asked.nth % 4 != 0
        {
            let cursor = format!("{index}/{}", asked.nth);
            for edge in edges(answer) {
                edge["cursor"] = json!(cursor);
            }
        }
    });
    run(service, 1).is_whole(2_000);
    let service = Service::new(even(2_000), |asked, answer| {
        // Twelve pages later, three comments come again.
        if let Some(index) = asked.index.filter(|index| *index >= 600) {
            for n in 0..3 {
                let old = index - 600 + n;
                edges(answer).insert(n, json!({"cursor": "", "node": node(old, old as i64)}));
            }
        }
    });
    let ran = run(service, 1);
    ran.is_whole(2_000);
    assert!(ran.facts.contains(&Fact::Repeated { n: 28 * 3 }), "{:?}", ran.facts);
}

#[test]
fn a_dense_second_is_named_whatever_the_size_of_a_page() {
    for (page, connections) in [(25, 1), (25, 4), (60, 1), (10, 4)] {
        let mut seconds = even(300);
        seconds.splice(150..150, vec![150; 345]);
        let mut service = Service::new(seconds, |asked, answer| {
            if asked.index.is_some() {
                *answer =
                    json!({"errors": [{"message": "failed integrity check"}], "data": {"video": {"comments": null}}});
            }
        });
        service.page = page;
        // There is only one client id, so pages are requested by offset.
        let ran = run(service, connections);
        let gap = (
            Some("150"),
            Some("151"),
            "more comments in one second than a page holds, and Twitch refused to page on",
        );
        assert_eq!(ran.gaps(), [gap], "{page} {connections}");
        assert!(ran.ids.len() >= 299 && ran.ids.len() < 645);
    }
    // Without a dense second nothing is named.
    for page in [10, 25, 60] {
        let mut service = Service::new(even(300), |asked, answer| {
            if asked.index.is_some() {
                *answer = json!({"errors": [{"message": "failed integrity check"}]});
            }
        });
        service.page = page;
        run(service, 4).is_whole(300);
    }
}

#[test]
fn where_cursors_bring_nothing_offsets_go_on() {
    for connections in [1, 4] {
        for answered in [
            json!({"data": {"video": {"comments": null}}}),
            json!({"data": {"video": {"comments": {"edges": null}}}}),
            json!({"errors": [{"message": "service unavailable"}], "status": 403}),
        ] {
            let always = answered.clone();
            let service = Service::new(even(1_200), move |asked, answer| {
                if asked.index.is_some() {
                    *answer = always.clone();
                }
            });
            run(service, connections).is_whole(1_200);
            let service = Service::new(even(1_200), move |asked, answer| {
                if asked.index.is_some() && asked.nth % 5 == 0 {
                    *answer = answered.clone();
                }
            });
            run(service, connections).is_whole(1_200);
        }
    }
}

#[test]
fn rows_out_of_order_are_put_in_order() {
    let service = Service::new(even(1_200), |asked, answer| {
        if is_page(asked) {
            edges(answer).reverse();
        }
    });
    run(service, 4).is_whole(1_200);
}

#[test]
fn the_form_changes_where_it_is_not_known_and_only_there() {
    for (message, status, changes) in [
        ("PersistedQueryNotFound", 200, true),
        ("PersistedQueryNotFound", 400, true),
        ("Cannot query field \"x\" on type \"Video\".", 200, true),
        ("service unavailable", 200, false),
        ("service error", 400, false),
    ] {
        let service = Service::new(even(200), move |asked, answer| {
            if asked.form == "persisted" {
                *answer = json!({"errors": [{"message": message}], "status": status});
            }
        });
        let ran = run(service, 4);
        assert_eq!(ran.error.is_none(), changes, "{message}: {:?}", ran.error);
        if changes {
            ran.is_whole(200);
            // It is remembered: only the requests that were in flight were refused.
            let refused = ran.asked.iter().filter(|asked| asked.form == "persisted").count();
            assert!(refused <= 1 + 4, "{refused}");
        }
    }
    let service = Service::new(even(200), |asked, answer| {
        if is_page(asked) {
            *answer = json!({"errors": [{"message": "PersistedQueryNotFound"}]});
        }
    });
    let error = run(service, 1).error.unwrap();
    assert_eq!(error.message, "Twitch's GQL service no longer understands the query");
}

#[test]
fn chat_goes_on_without_the_video() {
    for answered in [
        json!({"errors": [{"message": "service unavailable"}]}),
        json!({"errors": [{"message": "PersistedQueryNotFound"}]}),
        json!({"data": null}),
        json!({"data": {"video": {}}}),
        json!({"data": {"video": {"lengthSeconds": 0, "createdAt": "0001-01-01T00:00:00Z"}}}),
        json!({"data": {"video": {"lengthSeconds": "soon", "createdAt": null}}}),
        json!({"status": 404, "message": "no"}),
    ] {
        let service = Service::new(even(700), move |asked, answer| {
            if asked.operation == "video" {
                *answer = answered.clone();
            }
        });
        run(service, 4).is_whole(700);
    }
    let service = Service::new(even(700), |asked, answer| {
        if asked.operation == "video" {
            answer["data"]["video"] = Value::Null;
        }
    });
    let error = run(service, 4).error.unwrap();
    assert_eq!(error.kind, ErrorKind::NotFound);
}
