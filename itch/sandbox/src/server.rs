//! Connections, and the faults that occur before or after a service answers.

use std::{
    error::Error,
    fmt,
    future::poll_fn,
    io,
    net::{Ipv4Addr, SocketAddr},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use hyper::{
    HeaderMap, Request, Response, StatusCode, body::Incoming, header::AUTHORIZATION, server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::oneshot,
    time::sleep,
};

use crate::{
    bodies::body,
    damage::{self, Scene},
    delivery::Delivery,
    faults::Fault,
    gql, helix, inspection, legacy, oauth,
    parameters::Parameters,
    reply::{Reply, error_reply},
    sign_in::{self, Target},
    state::State,
    watch::{Watch, Watched},
};

/// The size of the backlog: a benchmark opens hundreds of connections at once.
const BACKLOG: u32 = 1024;

/// Binds to a port of the loopback interface; 0 takes any free port.
pub(crate) fn bind(port: u16) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    // Allows to reuse a port right after another server closed it. On Windows it would allow to share the port instead.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    socket.listen(BACKLOG)
}

/// Accepts connections until `stop` is signalled.
pub(crate) async fn serve(listener: TcpListener, state: Arc<State>, mut stop: oneshot::Receiver<()>) {
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    tokio::spawn(serve_connection(stream, Arc::clone(&state)));
                }
                // Probably out of file descriptors: retry once other connections are closed.
                Err(_) => sleep(Duration::from_millis(10)).await,
            },
            _ = &mut stop => return,
        }
    }
}

async fn serve_connection(stream: TcpStream, state: Arc<State>) {
    // Otherwise a response in two segments waits for an acknowledgement. If this fails, the connection is already
    // closed.
    let _ = stream.set_nodelay(true);
    let watch = Arc::new(Watch::new(Arc::clone(&state)));
    let watched = Watched {
        stream,
        watch: Arc::clone(&watch),
    };
    let service = service_fn(move |request| {
        let (state, watch) = (Arc::clone(&state), Arc::clone(&watch));
        let answer: Pin<Box<dyn Future<Output = _> + Send>> =
            Box::pin(async move { answer(&state, &watch, request).await });
        answer
    });
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(watched), service);
    let outcome = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    let Watched { stream, .. } = connection.into_parts().io.into_inner();
    if outcome.is_err_and(|error| error.source().is_some_and(|source| source.is::<Reset>())) {
        // With a linger time of zero, closing discards unsent data and makes the kernel send a reset.
        let _ = stream.set_zero_linger();
    }
}

/// The connection is to be reset instead of sending a response.
#[derive(Debug)]
struct Reset;

impl fmt::Display for Reset {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("reset by a fault")
    }
}

impl Error for Reset {}

/// The service that answers a path.
#[derive(Clone, Copy, Debug)]
enum Service {
    Helix(Option<&'static helix::Endpoint>),
    Gql,
    Legacy(Option<&'static legacy::Route>),
    /// Also for a path that no service has.
    SignIn(Target),
}

impl Service {
    fn of(path: &str) -> Service {
        match path {
            oauth::ACTIVATE_PATH => Service::SignIn(Target::Page),
            _ if path.starts_with("/helix/") => Service::Helix(helix::endpoint(path)),
            _ if path.trim_end_matches('/') == gql::PATH => Service::Gql,
            _ if legacy::owns(path) => Service::Legacy(legacy::route(path)),
            _ => Service::SignIn(Target::Service(oauth::Endpoint::find(path))),
        }
    }

    /// The path, if it is a known one.
    fn path(self) -> Option<&'static str> {
        match self {
            Service::Helix(endpoint) => endpoint.map(|endpoint| endpoint.path),
            Service::Gql => Some(gql::PATH),
            Service::Legacy(route) => route.map(|route| route.pattern),
            Service::SignIn(target) => target.path(),
        }
    }
}

async fn answer(state: &State, watch: &Watch, request: Request<Incoming>) -> Result<Response<Delivery>, Reset> {
    if let Some(reply) = inspection::answer(state, request.uri().path()) {
        return Ok(deliver(reply, Delivery::whole));
    }
    let service = Service::of(request.uri().path());
    let number = state.requests().count(service.path());
    let strikes = |fault| state.faults.strike(fault, state.seed, number);

    let delay = state.jitter.mul_f64(state.seed.child("jitter").unit(number)) + state.latency;
    if !delay.is_zero() {
        sleep(delay).await;
    }
    let scene = Scene {
        faults: &state.faults,
        seed: state.seed,
        number,
        path: service.path().unwrap_or_default(),
        is_gql: matches!(service, Service::Gql),
    };
    if let Service::SignIn(target) = service {
        let answer = sign_in::answer(state, scene, target, request).await;
        if let Some(receipt) = answer.receipt {
            watch.expect(receipt);
        }
        return answer.reply.map(|reply| deliver(reply, Delivery::whole)).ok_or(Reset);
    }
    if strikes(Fault::Reset) {
        return Err(Reset);
    }
    let reply = if strikes(Fault::InternalError) {
        error_reply(StatusCode::INTERNAL_SERVER_ERROR, "")
    } else if strikes(Fault::Unavailable) {
        error_reply(StatusCode::SERVICE_UNAVAILABLE, "")
    } else if strikes(Fault::Html) {
        Reply::new(StatusCode::OK, "text/html; charset=utf-8", SORRY.into())
    } else if !matches!(service, Service::Helix(_)) && strikes(Fault::TooManyRequests) {
        // Helix sends when to retry. The other services have no such headers.
        error_reply(StatusCode::TOO_MANY_REQUESTS, "Request limit exceeded")
    } else if matches!(service, Service::Legacy(_)) && strikes(Fault::LegacyErrorWith200) {
        legacy::error_with_200()
    } else if let Some(reply) = refusal(scene, request.headers(), &strikes) {
        reply
    } else {
        let asked = request.headers().clone();
        let reply = dispatch(state, number, service, request).await;
        damage::encode(scene, &asked, damage::content(scene, reply))
    };
    Ok(if strikes(Fault::Stall) {
        deliver(reply, Delivery::stalled)
    } else if strikes(Fault::Cut) {
        deliver(reply, Delivery::cut)
    } else if strikes(Fault::Slow) {
        deliver(reply, Delivery::slow)
    } else {
        deliver(reply, Delivery::whole)
    })
}

/// The refusal that a data service sends in the place of an answer.
fn refusal(scene: Scene<'_>, headers: &HeaderMap, strikes: &dyn Fn(Fault) -> bool) -> Option<Reply> {
    if strikes(Fault::Outage) {
        return Some(damage::outage(scene));
    }
    if strikes(Fault::False429) {
        return Some(damage::false_429(scene));
    }
    if strikes(Fault::Echo)
        && let Some(authorization) = authorization(headers)
    {
        return Some(damage::echo(scene, authorization));
    }
    if strikes(Fault::EchoLocation) {
        return Some(damage::echo_location(headers));
    }
    (scene.is_gql && strikes(Fault::GqlStatus)).then(|| damage::gql_status(scene))
}

/// The token of a request.
fn authorization(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    value.rsplit(' ').next()
}

/// A page such as a proxy might send.
const SORRY: &str = "<!DOCTYPE html>\n<html><head><title>Sorry</title></head>\
                     <body><h1>We will be back soon</h1></body></html>\n";

async fn dispatch(state: &State, number: u64, service: Service, request: Request<Incoming>) -> Reply {
    let method = request.method().clone();
    let parameters = Parameters::parse(request.uri().query().unwrap_or_default().as_bytes());
    match service {
        Service::Helix(endpoint) => {
            let headers = request.headers().clone();
            match body(request, helix::MAXIMUM_BODY).await {
                Some(body) => helix::answer(state, number, &method, endpoint, &headers, parameters, &body),
                None => error_reply(StatusCode::PAYLOAD_TOO_LARGE, ""),
            }
        }
        Service::Gql => {
            let headers = request.headers().clone();
            match body(request, gql::MAXIMUM_BODY).await {
                Some(body) => gql::answer(state, number, &method, &headers, &body),
                None => error_reply(StatusCode::PAYLOAD_TOO_LARGE, ""),
            }
        }
        Service::Legacy(route) => {
            legacy::answer(state, &method, request.uri().path(), route, request.headers(), &parameters)
        }
        // Answered before.
        Service::SignIn(_) => error_reply(StatusCode::NOT_FOUND, ""),
    }
}

fn deliver(reply: Reply, delivery: fn(bytes::Bytes) -> Delivery) -> Response<Delivery> {
    let mut response = Response::new(delivery(reply.body));
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    response
}
