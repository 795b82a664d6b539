//! `POST device`: the first step of the device code grant.

use hyper::StatusCode;
use serde::Serialize;

use super::{
    activate::PATH,
    apps::App,
    refusal::Refusal,
    scopes,
    sessions::{Sessions, whole_seconds},
};
use crate::{parameters::Parameters, reply::Reply};

#[derive(Serialize)]
struct Device {
    device_code: String,
    expires_in: u64,
    interval: u64,
    user_code: String,
    verification_uri: String,
}

pub(super) fn answer(sessions: &mut Sessions, parameters: &Parameters) -> Result<Reply, Refusal> {
    let app = App::of(parameters)?;
    // Here the name is in the plural.
    let scopes = scopes::parse(parameters.one("scopes").unwrap_or_default())?;
    let (device_code, user_code) = sessions.start_device(app, scopes);
    let settings = &sessions.settings;
    let verification_uri = format!("{}{PATH}?public=true&device-code={user_code}", settings.base_url);
    Ok(Reply::json(
        StatusCode::OK,
        &Device {
            device_code,
            expires_in: whole_seconds(settings.device_life),
            interval: whole_seconds(settings.device_interval),
            user_code,
            verification_uri,
        },
    ))
}
