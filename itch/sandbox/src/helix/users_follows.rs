//! `GET users/follows`: who follows whom; removed by Twitch on 2023-09-12.

use bytes::Bytes;

use super::call::{Call, Endpoint, Failure};

pub(super) static USERS_FOLLOWS: Endpoint = Endpoint {
    path: "/helix/users/follows",
    answer,
};

fn answer(_: &Call<'_>) -> Result<Bytes, Failure> {
    Err(Failure::deprecated())
}
