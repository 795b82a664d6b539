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
    pub(crate) reply: Reply,
    pub(crate) receipt: Option<Receipt>,
}

impl From<Reply> for Answer {
    fn from(reply: Reply) -> Answer {
        Answer { reply, receipt: None }
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
    if let Some(reply) = fault(scene, authorization.as_deref()) {
        return reply.into();
    }
    let mut answer = dispatch(state, scene.number, endpoint, &method, authorization.as_deref(), &parameters);
    if answer.reply.status == StatusCode::OK && scene.strikes(Fault::OauthOdd) {
        answer.reply = damage::oauth_odd(scene, answer.reply);
    }
    answer
}

/// What is sent in the place of an answer.
fn fault(scene: Scene<'_>, authorization: Option<&str>) -> Option<Reply> {
    if scene.strikes(Fault::OauthInternalError) {
        return Some(oauth::refuse(StatusCode::INTERNAL_SERVER_ERROR, ""));
    }
    if scene.strikes(Fault::OauthOutage) {
        return Some(damage::oauth_outage(scene));
    }
    let token = authorization.and_then(|value| value.rsplit(' ').next())?;
    scene.strikes(Fault::Echo).then(|| damage::echo(scene, token))
}

fn dispatch(
    state: &State,
    number: u64,
    endpoint: Option<Endpoint>,
    method: &Method,
    authorization: Option<&str>,
    parameters: &Parameters,
) -> Answer {
    match endpoint {
        Some(Endpoint::Validate) if method == Method::GET => {
            oauth::validate(&state.world, &state.sessions(), authorization).into()
        }
        Some(endpoint) if method == Method::POST => {
            let (reply, receipt) = oauth::post(&mut state.sessions(), endpoint, parameters, number);
            Answer { reply, receipt }
        }
        _ => oauth::refuse(StatusCode::NOT_FOUND, "not found").into(),
    }
}
