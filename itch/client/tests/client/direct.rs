//! Single requests: what is sent again, and what a failure says about what was done.

use std::time::Duration;

use itch_api::{Error, ErrorKind, Service};
use itch_client::{Client, DirectAnswer, DirectFailure, DirectRequest, Method, Outcome};

use crate::server::{Reply, Server};
use crate::{client, settings};

fn write(method: Method) -> DirectRequest {
    DirectRequest {
        service: Service::Helix,
        method,
        path: vec!["a/b".to_owned(), "c".to_owned()],
        query: vec![("q".to_owned(), "x y".to_owned())],
        body: Some(b"{\"a\":1}".to_vec()),
    }
}

/// Sends it, and counts how often it was announced.
fn send(client: &Client, request: &DirectRequest) -> (Result<DirectAnswer, DirectFailure>, u32) {
    let mut announced = 0;
    let sent = client.send(request, || {
        announced += 1;
        Ok(())
    });
    (sent, announced)
}

#[test]
fn a_write_is_sent_as_it_is() {
    let server = Server::start(|_| Reply::status(204, "").header("ratelimit-remaining", 7));
    let (answer, announced) = send(&client(&server), &write(Method::Patch));
    let answer = answer.unwrap();
    assert_eq!((answer.status, announced), (204, 1));
    assert_eq!(answer.status_line, "HTTP/1.1 204 No Content");
    assert!(answer.complete && answer.is_success() && answer.is_decided() && answer.body.is_empty());
    assert!(
        answer
            .headers
            .contains(&("ratelimit-remaining".to_owned(), "7".to_owned()))
    );
    let asked = server.asked().pop().unwrap();
    assert_eq!((asked.method.as_str(), asked.target.as_str()), ("PATCH", "/helix/a%2Fb/c?q=x%20y"));
    assert_eq!((asked.body.as_str(), asked.header("content-type")), ("{\"a\":1}", "application/json"));
    assert_eq!(asked.header("authorization"), "Bearer usertoken");
}

#[test]
fn what_is_announced_and_fails_is_not_sent() {
    let server = Server::start(|_| Reply::ok("{}"));
    let client = client(&server);
    let failure = client
        .send(&write(Method::Post), || Err(Error::new(ErrorKind::Failed, "disk full")))
        .unwrap_err();
    assert_eq!((failure.outcome, failure.error.message.as_str()), (Outcome::NotSent, "disk full"));
    assert!(server.data_requests().is_empty());
}

#[test]
fn a_lost_answer_leaves_a_post_unknown() {
    let server = Server::start(|_| Reply::Reset);
    let (sent, announced) = send(&client(&server), &write(Method::Post));
    let failure = sent.unwrap_err();
    assert_eq!((failure.outcome, failure.error.kind, announced), (Outcome::Unknown, ErrorKind::Service, 1));
    assert_eq!(server.data_requests().len(), 1);
    let (sent, announced) = send(&client(&server), &write(Method::Put));
    assert_eq!((sent.unwrap_err().outcome, announced), (Outcome::Unknown, 1));
    assert!(server.data_requests().len() > 2);
}

/// The status says that it was done, whatever became of the body.
#[test]
fn a_lost_body_leaves_the_status() {
    for reply in [|| Reply::Cut("{"), || Reply::Stall] {
        let server = Server::start(move |_| reply());
        let mut settings = settings(&server);
        settings.timeout = Duration::from_millis(200);
        let (sent, _) = send(&Client::new(settings).unwrap(), &write(Method::Post));
        let answer = sent.unwrap();
        assert_eq!((answer.status, answer.complete), (200, false));
        assert_eq!(server.data_requests().len(), 1);
    }
}

#[test]
fn what_cannot_be_reached_was_not_sent() {
    let server = Server::start(|_| Reply::ok("{}"));
    let mut settings = settings(&server);
    settings.tries = 2;
    settings
        .base_urls
        .insert(Service::Helix, "http://127.0.0.1:1/helix".to_owned());
    let client = Client::new(settings).unwrap();
    let (sent, announced) = send(&client, &write(Method::Post));
    assert_eq!((sent.unwrap_err().outcome, announced), (Outcome::NotSent, 1));
    assert_eq!(client.counters().retries, 1);
}

#[test]
fn a_failure_of_the_service_is_an_answer_to_a_post_only() {
    let server = Server::start(|_| Reply::status(503, "{}"));
    let answer = send(&client(&server), &write(Method::Post)).0.unwrap();
    assert_eq!((answer.status, answer.is_decided(), server.data_requests().len()), (503, false, 1));
    let failure = send(&client(&server), &write(Method::Delete)).0.unwrap_err();
    assert_eq!(failure.outcome, Outcome::Unknown);
    assert!(server.data_requests().len() > 2);
}

#[test]
fn a_stopped_client_sends_nothing() {
    let server = Server::start(|_| Reply::ok("{}"));
    let client = client(&server);
    client.cancel();
    let (sent, announced) = send(&client, &write(Method::Post));
    let failure = sent.unwrap_err();
    assert!(failure.error.is_cancelled());
    assert_eq!((failure.outcome, announced), (Outcome::NotSent, 0));
    assert!(server.data_requests().is_empty());
}

#[test]
fn an_account_is_that_of_the_token() {
    let server = Server::start(|_| Reply::ok("{}"));
    assert_eq!(client(&server).account().unwrap().id, "7");
}
