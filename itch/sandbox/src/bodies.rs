//! The body of a request, in full or as a form.

use http_body_util::{BodyExt, Limited};
use hyper::{Request, body::Incoming, header::CONTENT_TYPE};

use crate::parameters::Parameters;

/// No form of the sign-in service is nearly as large.
const MAXIMUM_FORM: usize = 64 * 1024;

/// The body, if it is complete and not too large.
pub(crate) async fn body(request: Request<Incoming>, maximum: usize) -> Option<bytes::Bytes> {
    let body = Limited::new(request.into_body(), maximum).collect().await;
    Some(body.ok()?.to_bytes())
}

/// The form in a body, with the parameters of the query; `None` if the body cannot be read. A body of another media type
/// is an empty form.
pub(crate) async fn form(request: Request<Incoming>) -> Option<Parameters> {
    let query = Parameters::parse(request.uri().query().unwrap_or_default().as_bytes());
    let media_type = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let is_form = media_type.is_some_and(|media_type| media_type.starts_with("application/x-www-form-urlencoded"));
    let body = body(request, MAXIMUM_FORM).await?;
    Some(if is_form {
        Parameters::parse(&body).or(query)
    } else {
        query
    })
}
