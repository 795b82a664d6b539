//! The client over real sockets, against a small test server.

// Helpers may unwrap like tests do: a panic fails the test.
#![allow(clippy::panic, clippy::unwrap_used)]

mod accounts;
mod bodies;
mod caching;
mod direct;
mod gql;
mod identity;
mod limits;
mod secrets;
mod server;
mod shared_limits;
mod stores;
mod waiting;
mod wire;

use std::time::Duration;

use itch_api::{Error, ErrorKind, Request, Response, Service, Transport};
use itch_client::{Client, Settings};

use server::Server;

/// Settings that point every service at a server, with a token.
fn settings(server: &Server) -> Settings {
    let mut settings = Settings::new();
    for service in Service::ALL {
        let base = format!("{}/{service}/", server.base());
        settings.base_urls.insert(service, base);
    }
    settings.identity.token = Some("usertoken".into());
    settings.timeout = Duration::from_secs(5);
    settings
}

fn client(server: &Server) -> Client {
    Client::new(settings(server)).unwrap()
}

fn users(id: u32) -> Request {
    Request::helix("users").query("id", id)
}

fn fetch(client: &Client, request: Request) -> Result<Response, Error> {
    client.wait(client.start(request)?)
}

fn text(response: &Response) -> &str {
    std::str::from_utf8(&response.body).unwrap()
}

fn failure(client: &Client, request: Request) -> Error {
    fetch(client, request).unwrap_err()
}

#[track_caller]
fn assert_kind(error: &Error, kind: ErrorKind) {
    assert_eq!(error.kind, kind, "{error:#}");
}
