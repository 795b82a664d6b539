//! Answers requests to the sign-in service and to the page where a user signs in, and decides their faults.

use hyper::{Method, Request, StatusCode, body::Incoming, header::AUTHORIZATION};

use crate::{
    bodies::form,
    damage::{self, Scene},
    faults::Fault,
    oauth::{self, Endpoint, Receipt},
    parameters::Parameters,
    reply::Reply,
    state::State,
};

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    /// `None` is a path that the service does not have.
    Service(Option<Endpoint>),
    /// The page where a user signs in.
    Page,
}

impl Target {
    /// The path, if it is a known one.
    pub(crate) fn path(self) -> Option<&'static str> {
        match self {
            Target::Service(endpoint) => endpoint.map(Endpoint::path),
            Target::Page => Some(oauth::ACTIVATE_PATH),
        }
    }
}

/// An answer, and what is noted when it was sent.
#[derive(Debug)]
pub(crate) struct Answer {
    /// `None` if the connection is reset instead.
    pub(crate) reply: Option<Reply>,
    pub(crate) receipt: Option<Receipt>,
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Answer {
        Answer {
            reply: Some(reply),
            receipt: None,
        }
    }
}

pub(crate) async fn answer(state: &State, scene: Scene<'_>, target: Target, request: Request<Incoming>) -> Answer {
    let method = request.method().clone();
    let authorization = request.headers().get(AUTHORIZATION);
    let authorization = authorization.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let Some(parameters) = form(request).await else {
        return oauth::refuse(StatusCode::BAD_REQUEST, "invalid body").into();
    };
    let endpoint = match target {
        Target::Page if [Method::GET, Method::POST].contains(&method) => {
            return oauth::activate(&state.world, &mut state.sessions(), &parameters).into();
        }
        Target::Page => return oauth::refuse(StatusCode::METHOD_NOT_ALLOWED, "").into(),
        Target::Service(endpoint) => endpoint,
    };
    if let Some(reply) = fault(scene, authorization.as_deref(), &parameters) {
        return reply.into();
    }
    let asks_for = |kind: fn(&Parameters) -> bool| endpoint == Some(Endpoint::Token) && kind(&parameters);
    if asks_for(oauth::is_poll) {
        if scene.strikes(Fault::OauthPoll) {
            let reply = damage::oauth_poll(scene);
            return Answer { reply, receipt: None };
        }
        let falsely = scene.strikes(Fault::OauthDevice);
        if falsely && let Some(reply) = oauth::false_refusal(&mut state.sessions(), &parameters) {
            return reply.into();
        }
    }
    let (mut reply, receipt) = dispatch(state, scene.number, endpoint, &method, authorization.as_deref(), &parameters);
    if receipt.is_some() && asks_for(oauth::is_refresh) && scene.strikes(Fault::OauthLost) {
        return Answer { reply: None, receipt };
    }
    if receipt.is_some() && scene.strikes(Fault::OauthScope) {
        reply = damage::oauth_scope(scene, reply);
    }
    if scene.strikes(Fault::OauthOdd) {
        reply = damage::oauth_odd(scene, reply);
    }
    Answer {
        reply: Some(reply),
        receipt,
    }
}

/// The parameters of a form that the fault `echo` repeats.
const SECRETS: [&str; 3] = ["refresh_token", "device_code", "token"];

/// What is sent in the place of an answer.
fn fault(scene: Scene<'_>, authorization: Option<&str>, parameters: &Parameters) -> Option<Reply> {
    if scene.strikes(Fault::OauthInternalError) {
        return Some(oauth::refuse(StatusCode::INTERNAL_SERVER_ERROR, ""));
    }
    if scene.strikes(Fault::OauthOutage) {
        return Some(damage::oauth_outage(scene));
    }
    let token = authorization.and_then(|value| value.rsplit(' ').next());
    let in_form = || SECRETS.into_iter().find_map(|name| parameters.given(name));
    let secret = token.or_else(in_form)?;
    scene.strikes(Fault::Echo).then(|| damage::echo(scene, secret))
}

fn dispatch(
    state: &State,
    number: u64,
    endpoint: Option<Endpoint>,
    method: &Method,
    authorization: Option<&str>,
    parameters: &Parameters,
) -> (Reply, Option<Receipt>) {
    match endpoint {
        Some(Endpoint::Validate) if method == Method::GET => {
            (oauth::validate(&state.world, &state.sessions(), authorization), None)
        }
        Some(endpoint) if method == Method::POST => oauth::post(&mut state.sessions(), endpoint, parameters, number),
        _ => (oauth::refuse(StatusCode::NOT_FOUND, "not found"), None),
    }
}
