//! Accounts: signing in with a device code, renewing tokens that work once, and what is lost with a lost answer.

use std::sync::Mutex;
use std::time::Duration;

use itch_api::{Error, ErrorKind};
use itch_client::{Account, Accounts, Client, Settings, SignIn, needs_secret};

use crate::server::{Asked, Reply, Server};
use crate::{assert_kind, fetch, settings, users};

/// What the service of a test does with the next requests for tokens, one after the other.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Next {
    /// Grants or renews.
    Good,
    /// Renews, and the connection breaks before the answer.
    Lost,
    Pending,
    UnknownCode,
    Outage,
    Html,
    Denied,
    NeedsSecret,
}

#[derive(Default)]
struct Service {
    issued: usize,
    next: Vec<Next>,
}

/// A service whose refresh tokens work once: the tokens of the n-th grant are `access-n` and `refresh-n`, and only the
/// last ones are valid.
fn service(next: &[Next], life: u64) -> Server {
    let state = Mutex::new(Service {
        issued: 0,
        next: next.iter().rev().copied().collect(),
    });
    Server::raw(move |asked: &Asked| {
        let mut state = state.lock().unwrap();
        let issued = state.issued;
        let is_last = |token: &str, kind: &str| token.ends_with(&format!("{kind}-{issued:08}"));
        let authorization = asked.header("authorization");
        if asked.is("/oauth/device") {
            return Reply::ok(
                r#"{"device_code":"devicecode","expires_in":1800,"interval":0,"user_code":"ABCDEFGH","verification_uri":"http://x/"}"#,
            );
        }
        if asked.is("/oauth/validate") || asked.is("/helix/users") {
            return match is_last(authorization, "access") {
                true => Reply::ok(format!(
                    r#"{{"client_id":"public","login":"seven","scopes":["a"],"user_id":"7","expires_in":{life}}}"#
                )),
                false => refusal(401, "invalid access token"),
            };
        }
        if asked.is("/oauth/revoke") {
            return Reply::ok("");
        }
        match state.next.pop().unwrap_or(Next::Good) {
            Next::Pending => return refusal(400, "authorization_pending"),
            Next::UnknownCode => return refusal(400, "invalid device code"),
            Next::Denied => return refusal(400, "access_denied"),
            Next::NeedsSecret => return refusal(403, "invalid client secret"),
            Next::Outage => return Reply::status(503, "{}"),
            Next::Html => return Reply::status(400, "<html>captive portal</html>"),
            Next::Lost if asked.body.contains("refresh_token") && is_last(&asked.body, "refresh") => {
                state.issued += 1;
                return Reply::Reset;
            }
            Next::Good | Next::Lost => {}
        }
        if asked.body.contains("grant_type=refresh_token") && !is_last(&asked.body, "refresh") {
            return refusal(400, "Invalid refresh token");
        }
        state.issued += 1;
        let n = state.issued;
        Reply::ok(format!(
            r#"{{"access_token":"access-{n:08}","refresh_token":"refresh-{n:08}","expires_in":{life},"scope":["a"],"token_type":"bearer"}}"#
        ))
    })
}

fn refusal(status: u16, message: &str) -> Reply {
    Reply::status(status, format!(r#"{{"status":{status},"message":"{message}"}}"#))
}

/// A machine with an account file.
struct Machine {
    folder: tempfile::TempDir,
}

impl Machine {
    fn new() -> Machine {
        Machine {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn accounts(&self) -> Accounts {
        Accounts::new(self.folder.path())
    }

    fn sign_in(&self, server: &Server) -> SignIn {
        let mut settings = settings(server);
        settings.identity.token = None;
        SignIn::new(&settings, self.accounts()).unwrap()
    }

    /// Signs in, up to who it is.
    fn log_in(&self, server: &Server) -> Result<Account, Error> {
        let sign_in = self.sign_in(server);
        let device = sign_in.begin("public", &["a".to_owned()])?;
        let account = sign_in.wait(&device, &mut |_| true)?;
        sign_in.identify(&account)
    }

    /// The settings of a client that uses the first account.
    fn settings(&self, server: &Server) -> Settings {
        let mut settings = settings(server);
        settings.identity.token = None;
        let account = self.accounts().list().unwrap().remove(0);
        settings.identity.account = Some((self.accounts(), account));
        settings.tries = 3;
        settings
    }

    fn client(&self, server: &Server) -> Client {
        Client::new(self.settings(server)).unwrap()
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.accounts().path()).unwrap()
    }
}

#[test]
fn polling_goes_on_until_the_code_is_confirmed() {
    use Next::{Good, Html, Pending, UnknownCode};
    let server = service(&[UnknownCode, UnknownCode, Pending, Html, Pending, Good], 14_000);
    let machine = Machine::new();
    let account = machine.log_in(&server).unwrap();
    assert_eq!((account.login.as_deref(), account.scopes.as_slice()), (Some("seven"), &["a".to_owned()][..]));
    assert_eq!(server.count("/oauth/token"), 6);
    let polls: Vec<String> = server
        .asked()
        .into_iter()
        .filter(|asked| asked.is("/oauth/token"))
        .map(|asked| asked.body)
        .collect();
    assert_eq!(
        polls[0],
        "client_id=public&scopes=a&device_code=devicecode&\
         grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code"
    );
    let text = machine.text();
    assert!(text.contains("\"login\": \"seven\"") && text.contains("access-00000001"), "{text}");
}

#[test]
fn a_refusal_is_final_and_leaves_no_account() {
    for (answers, cause) in [
        (&[Next::Pending, Next::Denied][..], "denied on the page"),
        (&[Next::Pending, Next::UnknownCode], "denied on the page"),
        (
            &[
                Next::UnknownCode,
                Next::UnknownCode,
                Next::UnknownCode,
                Next::UnknownCode,
            ],
            "invalid device code",
        ),
    ] {
        let server = service(answers, 14_000);
        let machine = Machine::new();
        let error = machine.log_in(&server).unwrap_err();
        assert_kind(&error, ErrorKind::SignIn);
        assert!(format!("{error:#}").contains(cause), "{error:#}");
        assert!(machine.accounts().list().unwrap().is_empty());
    }
}

#[test]
fn an_interrupt_ends_the_wait() {
    let server = service(&[Next::Pending; 100], 14_000);
    let machine = Machine::new();
    let sign_in = machine.sign_in(&server);
    let device = sign_in.begin("public", &[]).unwrap();
    let mut left = 3;
    let error = sign_in.wait(&device, &mut |_| {
        left -= 1;
        left > 0
    });
    assert!(error.unwrap_err().is_cancelled());
    assert!(machine.accounts().list().unwrap().is_empty());
}

#[test]
fn a_token_near_its_end_is_renewed_before_a_request_and_stored_first() {
    let server = service(&[], 1);
    let machine = Machine::new();
    machine.log_in(&server).unwrap();
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(fetch(&machine.client(&server), users(1)).unwrap().status, 200);
    let order: Vec<String> = server.asked().into_iter().map(|asked| asked.target).collect();
    assert_eq!(
        order,
        [
            "/oauth/device",
            "/oauth/token",
            "/oauth/validate",
            "/oauth/token",
            "/oauth/validate",
            "/helix/users?id=1"
        ]
    );
    assert!(machine.text().contains("refresh-00000002"));
    assert!(!machine.text().contains("refresh-00000001"), "the old pair is kept until the new one is accepted");
}

#[test]
fn two_clients_over_an_expired_token_renew_it_once() {
    let server = service(&[], 14_000);
    let machine = Machine::new();
    machine.log_in(&server).unwrap();
    let old = machine.text();
    // Both know the first token; then the service forgets it.
    let clients = [machine.client(&server), machine.client(&server)];
    let forgetful = machine.sign_in(&server);
    forgetful.renew(&machine.accounts().list().unwrap()[0]).unwrap();
    assert_ne!(machine.text(), old);
    std::thread::scope(|scope| {
        for client in &clients {
            scope.spawn(move || assert_eq!(fetch(client, users(1)).unwrap().status, 200));
        }
    });
    assert_eq!(server.count("/oauth/token"), 2);
}

#[test]
fn a_lost_answer_is_named_at_once_and_in_the_next_run() {
    let server = service(&[Next::Good, Next::Lost], 1);
    let machine = Machine::new();
    machine.log_in(&server).unwrap();
    std::thread::sleep(Duration::from_millis(1100));
    let error = fetch(&machine.client(&server), users(1)).unwrap_err();
    assert_kind(&error, ErrorKind::SignIn);
    let text = format!("{error:#}");
    assert!(text.contains("Invalid refresh token") && text.contains("its answer was lost"), "{text}");
    assert_eq!(error.hint.as_deref(), Some("itch login --as seven"));
    assert!(machine.accounts().list().unwrap()[0].has_ended());
}

#[test]
fn a_killed_renewal_is_named_by_the_next_run() {
    let server = service(&[Next::Good, Next::Lost], 1);
    let machine = Machine::new();
    machine.log_in(&server).unwrap();
    std::thread::sleep(Duration::from_millis(1100));
    let mut settings = machine.settings(&server);
    settings.tries = 1;
    let error = fetch(&Client::new(settings).unwrap(), users(1)).unwrap_err();
    assert_kind(&error, ErrorKind::Service);
    let error = fetch(&machine.client(&server), users(1)).unwrap_err();
    assert!(format!("{error:#}").contains("its answer was lost"), "{error:#}");
}

#[test]
fn an_outage_of_the_service_ends_no_sign_in() {
    let server = service(&[Next::Good, Next::Outage, Next::Html, Next::Good], 1);
    let machine = Machine::new();
    machine.log_in(&server).unwrap();
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(fetch(&machine.client(&server), users(1)).unwrap().status, 200);
    assert_eq!(server.count("/oauth/token"), 4);
}

#[test]
fn a_confidential_application_is_found_by_the_first_renewal() {
    let server = service(&[Next::Good, Next::NeedsSecret], 14_000);
    let machine = Machine::new();
    let account = machine.log_in(&server).unwrap();
    let error = machine.sign_in(&server).renew(&account).unwrap_err();
    assert!(needs_secret(&error), "{error:#}");
}

#[test]
fn signing_in_again_replaces_the_account_and_logging_out_removes_it() {
    let server = service(&[], 14_000);
    let machine = Machine::new();
    let sign_in = machine.sign_in(&server);
    let first = machine.log_in(&server).unwrap();
    let second = machine.log_in(&server).unwrap();
    sign_in.settle(&second).unwrap();
    let accounts = sign_in.usable().unwrap();
    assert_eq!(accounts.len(), 1);
    assert!(accounts[0].is_same(&second) && !accounts[0].is_same(&first));
    sign_in.revoke(&second).unwrap();
    sign_in.forget(&second).unwrap();
    assert!(sign_in.usable().unwrap().is_empty());
    let revoked = server
        .asked()
        .into_iter()
        .find(|asked| asked.is("/oauth/revoke"))
        .unwrap();
    assert_eq!(revoked.body, "client_id=public&token=access-00000002");
}

#[test]
fn accounts_belong_to_their_addresses() {
    let (here, there) = (service(&[], 14_000), service(&[], 14_000));
    let machine = Machine::new();
    machine.log_in(&here).unwrap();
    assert_eq!(machine.sign_in(&here).usable().unwrap().len(), 1);
    assert!(machine.sign_in(&there).usable().unwrap().is_empty());
}

#[test]
fn an_app_token_is_kept_for_the_next_run() {
    let server = service(&[], 5_000_000);
    let machine = Machine::new();
    let run = || {
        let mut settings = settings(&server);
        settings.identity.token = None;
        settings.identity.client_id = Some("confidential".to_owned());
        settings.identity.client_secret = Some("secretsecret".into());
        settings.identity.accounts = Some(machine.accounts());
        fetch(&Client::new(settings).unwrap(), users(1)).unwrap().status
    };
    assert_eq!((run(), run()), (200, 200));
    assert_eq!(server.count("/oauth/token"), 1);
    assert!(!machine.text().contains("secretsecret"));
}
