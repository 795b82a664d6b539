//! `GET videos`: archives, highlights and uploads, by id, channel or game.

use std::{cmp::Reverse, collections::BTreeSet};

use bytes::Bytes;
use hyper::StatusCode;
use serde::Serialize;

use super::call::{Call, Endpoint, Failure, is_numeric};
use super::page::{Envelope, Pagination};
use crate::{
    reply::to_json,
    world::{self, DAY, GAMES, PRESENT, Seconds, VideoKey, VideoKind, World, video_duration},
};

#[derive(Serialize)]
struct Video {
    id: String,
    stream_id: Option<String>,
    user_id: String,
    user_login: String,
    user_name: String,
    title: &'static str,
    description: &'static str,
    created_at: String,
    published_at: String,
    url: String,
    thumbnail_url: String,
    viewable: &'static str,
    view_count: u64,
    language: &'static str,
    r#type: &'static str,
    duration: String,
    muted_segments: Option<Vec<MutedSegment>>,
}

#[derive(Serialize)]
struct MutedSegment {
    duration: Seconds,
    offset: Seconds,
}

#[derive(Clone, Copy)]
enum Sort {
    Time,
    Trending,
    Views,
}

const PERIODS: [(&str, Option<Seconds>); 4] = [
    ("all", None),
    ("day", Some(DAY)),
    ("week", Some(7 * DAY)),
    ("month", Some(30 * DAY)),
];
const SORTS: [(&str, Sort); 3] = [
    ("time", Sort::Time),
    ("trending", Sort::Trending),
    ("views", Sort::Views),
];
const TYPES: [(&str, Option<VideoKind>); 4] = [
    ("all", None),
    ("archive", Some(VideoKind::Archive)),
    ("highlight", Some(VideoKind::Highlight)),
    ("upload", Some(VideoKind::Upload)),
];

/// Twitch lists at most this many videos of a game.
const GAME_MAXIMUM: usize = 500;
const LANGUAGE: &str = "en";

pub(super) static VIDEOS: Endpoint = Endpoint {
    path: "/helix/videos",
    answer,
};

fn answer(call: &Call<'_>) -> Result<Bytes, Failure> {
    let given = ["id", "user_id", "game_id"].map(|name| call.parameters.one(name).is_some());
    let mut videos = match given {
        [true, false, false] => return by_id(call),
        [false, true, false] => {
            let user = call.required_user("user_id")?;
            call.world.videos_of(user).to_vec()
        }
        [false, false, true] => of_game(call)?,
        _ => {
            return Err(Failure::bad_request(
                "Must provide only one of the following query params: user ID, game ID,or one or \
                 more video IDs.",
            ));
        }
    };
    call.only_forward()?;
    if let Some(kind) = call.choice("type", &TYPES)?.flatten() {
        videos.retain(|video| video.kind() == kind);
    }
    if let Some(period) = call.choice("period", &PERIODS)?.flatten() {
        videos.retain(|video| video.created_at(call.world) >= PRESENT - period);
    }
    sort(call.world, &mut videos, call.choice("sort", &SORTS)?.unwrap_or(Sort::Time));
    if given[2] {
        videos.truncate(GAME_MAXIMUM);
    }
    let page = call.page(videos.len() as u32)?;
    let data = page.of(&videos).map(|key| video(call, key.video(call.world))).collect();
    Ok(to_json(&Envelope {
        total: None,
        data,
        pagination: Some(page.pagination),
    }))
}

/// Unknown ids are left out; if all are unknown, it is an error.
fn by_id(call: &Call<'_>) -> Result<Bytes, Failure> {
    call.at_most_a_hundred(&["id"])?;
    if !call.parameters.all("id").all(is_numeric) {
        return Err(Failure::malformed("id", "value must be a numeric"));
    }
    let ids: BTreeSet<u64> = call.parameters.all("id").filter_map(|id| id.parse().ok()).collect();
    let data: Vec<Video> = ids
        .into_iter()
        .filter_map(|id| call.world.video(id))
        .map(|found| video(call, found))
        .collect();
    if data.is_empty() {
        return Err(Failure {
            status: StatusCode::NOT_FOUND,
            message: "".into(),
        });
    }
    Ok(to_json(&Envelope {
        total: None,
        data,
        pagination: Some(Pagination::default()),
    }))
}

fn of_game(call: &Call<'_>) -> Result<Vec<VideoKey>, Failure> {
    let id = call.parameters.one("game_id").unwrap_or_default();
    let Some(game) = GAMES.into_iter().find(|game| game.id == id) else {
        return Err(Failure {
            status: StatusCode::NOT_FOUND,
            message: "".into(),
        });
    };
    let spoken = call
        .parameters
        .one("language")
        .is_none_or(|language| language == LANGUAGE);
    Ok(call
        .world
        .all_videos()
        .filter(|video| spoken && video.game(call.world) == game)
        .collect())
}

fn sort(world: &World, videos: &mut [VideoKey], order: Sort) {
    match order {
        Sort::Time => videos.sort_by_cached_key(|video| Reverse(video.created_at(world))),
        Sort::Views => videos.sort_by_cached_key(|video| Reverse(video.views(world))),
        // Trending: many views in a short time.
        Sort::Trending => videos.sort_by_cached_key(|video| {
            let age = (PRESENT - video.created_at(world)) / DAY + 1;
            Reverse(video.views(world) * 1_000 / age.max(1) as u64)
        }),
    }
}

fn video(call: &Call<'_>, video: world::Video) -> Video {
    let (user_login, user_name) = call.world.names_of(video.channel);
    let created_at = call.world.rfc3339(video.created_at);
    let muted = video
        .muted
        .into_iter()
        .map(|(offset, duration)| MutedSegment { duration, offset });
    let muted: Vec<MutedSegment> = muted.collect();
    Video {
        id: video.id.to_string(),
        stream_id: video.stream_id.map(|id| id.to_string()),
        user_id: video.channel.to_string(),
        title: video.title,
        description: "",
        published_at: created_at.clone(),
        created_at,
        url: format!("https://www.twitch.tv/videos/{}", video.id),
        // There is no thumbnail while the video is being recorded.
        thumbnail_url: if video.growing {
            String::new()
        } else {
            format!("https://static-cdn.jtvnw.net/cf_vods/sandbox/{}/thumb/thumb0-%{{width}}x%{{height}}.jpg", video.id)
        },
        viewable: "public",
        view_count: video.views,
        language: LANGUAGE,
        r#type: video.kind.name(),
        duration: video_duration(video.length),
        muted_segments: (!muted.is_empty()).then_some(muted),
        user_login,
        user_name,
    }
}
