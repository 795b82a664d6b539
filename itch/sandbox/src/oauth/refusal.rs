//! Errors of the sign-in service: a status and a message.

use std::borrow::Cow;

use hyper::StatusCode;
use serde::Serialize;

use crate::reply::Reply;

/// An error of the sign-in service.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    message: Cow<'static, str>,
}

impl Refusal {
    pub(super) fn bad_request(message: impl Into<Cow<'static, str>>) -> Refusal {
        Refusal {
            status: StatusCode::BAD_REQUEST,
            message: message.into(),
        }
    }

    pub(super) fn unauthorized(message: &'static str) -> Refusal {
        Refusal {
            status: StatusCode::UNAUTHORIZED,
            message: message.into(),
        }
    }

    pub(super) fn forbidden(message: &'static str) -> Refusal {
        Refusal {
            status: StatusCode::FORBIDDEN,
            message: message.into(),
        }
    }

    pub(super) fn not_found() -> Refusal {
        Refusal {
            status: StatusCode::NOT_FOUND,
            message: "not found".into(),
        }
    }
}

impl From<Refusal> for Reply {
    fn from(Refusal { status, message }: Refusal) -> Reply {
        refuse(status, &message)
    }
}

/// The body. Unlike in Helix, there is no field `error`.
#[derive(Debug, Serialize)]
struct Body<'a> {
    status: u16,
    message: &'a str,
}

pub(crate) fn refuse(status: StatusCode, message: &str) -> Reply {
    Reply::json(
        status,
        &Body {
            status: status.as_u16(),
            message,
        },
    )
}
