//! The typed layer: `twitch_api`'s request types over a transport.
#![cfg(feature = "helix")]
#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::sync::{Arc, Mutex};

use itch_api::{Api, Fact, Request, Response, Result, Ticket, Transport};
use twitch_api::helix::clips::GetClipsRequest;
use twitch_api::helix::videos::GetVideosRequest;

/// Returns the same answer for every request and records the requests.
struct Always(&'static str, Mutex<Vec<String>>);

impl Transport for Always {
    fn start(&self, request: Request) -> Result<Ticket> {
        self.1.lock().unwrap().push(request.to_string());
        Ok(Ticket(0))
    }

    fn wait(&self, _: Ticket) -> Result<Response> {
        Ok(Response {
            status: 200,
            age: None,
            body: self.0.into(),
        })
    }

    fn wait_any(&self, _: &[Ticket]) -> Result<usize> {
        Ok(0)
    }

    fn abandon(&self, _: Ticket) {}

    fn note(&self, _: Fact) {}

    fn cancelled(&self) -> bool {
        false
    }
}

const CLIPS: &str = r#"{"data":[{"id":"A","url":"https://clips.twitch.tv/A","embed_url":"https://clips.twitch.tv/embed?clip=A","broadcaster_id":"1","broadcaster_name":"B","creator_id":"2","creator_name":"C","video_id":"","game_id":"3","language":"en","title":"t","view_count":10,"created_at":"2026-07-01T19:04:18Z","thumbnail_url":"https://x/y.jpg","duration":29.9,"vod_offset":null,"is_featured":false}],"pagination":{}}"#;

#[test]
fn any_endpoint_gives_its_own_type() {
    let transport = Arc::new(Always(CLIPS, Mutex::default()));
    let api = Api::new(transport.clone());
    let clips = api.helix(&GetClipsRequest::broadcaster_id("1")).unwrap();
    assert_eq!((clips.len(), clips[0].view_count), (1, 10));
    assert_eq!(*transport.1.lock().unwrap(), ["helix clips?broadcaster_id=1"]);
}

#[test]
fn a_paged_endpoint_is_walked_item_by_item() {
    let transport = Arc::new(Always(CLIPS, Mutex::default()));
    let api = Api::new(transport.clone());
    let clips = api
        .helix_pages(&GetClipsRequest::broadcaster_id("1"), 100)
        .unwrap()
        .limit(5);
    assert_eq!(clips.map(|clip| clip.unwrap().title).collect::<Vec<_>>(), ["t"]);
    assert_eq!(*transport.1.lock().unwrap(), ["helix clips?broadcaster_id=1&first=5"]);
}

#[test]
fn repeated_and_encoded_parameters_arrive_as_they_were_meant() {
    let transport = Arc::new(Always(r#"{"data":[]}"#, Mutex::default()));
    let api = Api::new(transport.clone());
    let ids: &[&twitch_api::types::VideoIdRef] = &["12".into(), "34".into()];
    api.helix(&GetVideosRequest::ids(ids)).unwrap();
    assert_eq!(*transport.1.lock().unwrap(), ["helix videos?id=12&id=34"]);
}
