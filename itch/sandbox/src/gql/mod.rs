//! `gql.twitch.tv/gql`: videos and their chat, as the web player reads them.
//!
//! The service is undocumented. Its formats are those that lay295/TwitchDownloader, xenova/chat-downloader,
//! ihabunek/twitch-dl and TheDrHax/Twitch-Chat-Downloader rely on, and that their issues show.

mod comments;
mod cursor;
mod object;
mod query;
mod video;

use std::cell::RefCell;

use hyper::{
    HeaderMap, Method, StatusCode,
    header::{AUTHORIZATION, HeaderName},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use self::{
    comments::{Asked, Start},
    object::{Object, Place, unknown_field, write_fields},
    query::{Field, Refusal},
};
use crate::{
    faults::{Fault, Faults},
    reply::{Reply, error_reply, to_json},
    state::State,
    world::{Chat, Seed, World, mix},
};

pub(crate) const PATH: &str = "/gql";

/// Larger than the largest number of large queries in one request.
pub(crate) const MAXIMUM_BODY: usize = 512 * 1024;

/// The maximum number of operations in one request; larger requests have not been seen to work.
const MAXIMUM_OPERATIONS: usize = 35;

/// The client id of a mobile app, which most tools have used since 2023-05.
const MOBILE: &str = "kd1unb4b3q4t58fwlpcbzcbnm76a8fp";
/// The client id of the web player, which needs an integrity token for cursors since 2023-05-04.
const WEB: &str = "kimne78kx3ncx6brgo4mv6wki5h1ko";
/// The client id of another Twitch app.
const OTHER: &str = "ue6666qo983tsx6so1t0vnawi233wa";

/// The hash of the web player's query for comments, and the query, as reconstructed from its answers.
const COMMENTS_HASH: &str = "b70a3591ff0f4e0313d126c6a1502d79a1c02baebb288227c582044aa76adf6a";
const COMMENTS_QUERY: &str = "
query VideoCommentsByOffsetOrCursor($videoID: ID!, $contentOffsetSeconds: Int, $cursor: Cursor) {
  video(id: $videoID) {
    id
    creator { id channel { id __typename } __typename }
    comments(contentOffsetSeconds: $contentOffsetSeconds, after: $cursor) {
      edges {
        cursor
        node {
          id
          commenter { id login displayName __typename }
          contentOffsetSeconds
          createdAt
          message {
            fragments { emote { id emoteID from __typename } text __typename }
            userBadges { id setID version __typename }
            userColor
            __typename
          }
          __typename
        }
        __typename
      }
      pageInfo { hasNextPage hasPreviousPage __typename }
      __typename
    }
    __typename
  }
}";

/// The hash of the web player's query for a video, and the query, as reconstructed from its answers (yt-dlp/yt-dlp). Its
/// `user` and `currentUser`, which are null for a client without an account, are left out.
const VIDEO_HASH: &str = "45111672eea2e507f8ba44d101a61862f9c56b11dee09a15634cb75cb9b9084d";
const VIDEO_QUERY: &str = "
query VideoMetadata($channelLogin: String!, $videoID: ID!) {
  video(id: $videoID) {
    id
    title
    description
    createdAt
    viewCount
    publishedAt
    lengthSeconds
    broadcastType
    owner { id login displayName __typename }
    game { id boxArtURL name displayName __typename }
    __typename
  }
}";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Operation {
    operation_name: Option<String>,
    query: Option<String>,
    variables: Option<Map<String, Value>>,
    extensions: Option<Extensions>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Extensions {
    persisted_query: Option<PersistedQuery>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PersistedQuery {
    sha256_hash: String,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Body {
    Many(Vec<Operation>),
    One(Operation),
}

/// Answers the body of a request.
pub(crate) fn answer(state: &State, number: u64, method: &Method, headers: &HeaderMap, body: &[u8]) -> Reply {
    if method != Method::POST {
        return error_reply(StatusCode::METHOD_NOT_ALLOWED, "");
    }
    let bad_request = |message: &str| error_reply(StatusCode::BAD_REQUEST, message);
    let header = |name: HeaderName| headers.get(name).map(|value| value.as_bytes());
    let client = match header(HeaderName::from_static("client-id")) {
        None => {
            return bad_request("The \"Client-ID\" header is missing from the request.");
        }
        Some(id) => [MOBILE, WEB, OTHER].into_iter().find(|known| known.as_bytes() == id),
    };
    let Some(client) = client else {
        return bad_request("The \"Client-ID\" header is invalid.");
    };
    // Only tokens of Twitch's own apps are valid here, and the sandbox does not issue any.
    if header(AUTHORIZATION).is_some() {
        let message = "The \"Authorization\" token is invalid.";
        return error_reply(StatusCode::UNAUTHORIZED, message);
    }
    let run = |place: usize, operation: &Operation, json: &mut Vec<u8>| {
        let draws = match place {
            0 => state.seed,
            _ => state.seed.child("operation").of(place as u64),
        };
        let call = Call {
            world: &state.world,
            faults: &state.faults,
            seed: state.seed,
            draws,
            number,
            client,
        };
        call.run(operation, json);
    };
    let mut json = Vec::new();
    match serde_json::from_slice(body) {
        Err(_) => return bad_request("The request body is not a GraphQL operation."),
        Ok(Body::Many(operations)) if operations.len() > MAXIMUM_OPERATIONS => {
            return bad_request("There are too many operations in the request.");
        }
        Ok(Body::One(operation)) => run(0, &operation, &mut json),
        Ok(Body::Many(operations)) => {
            json.push(b'[');
            for (place, operation) in operations.iter().enumerate() {
                if place > 0 {
                    json.push(b',');
                }
                run(place, operation, &mut json);
            }
            json.push(b']');
        }
    }
    Reply::new(StatusCode::OK, "application/json", json.into())
}

/// One operation of a request.
struct Call<'a> {
    world: &'a World,
    faults: &'a Faults,
    seed: Seed,
    /// The seed of the faults of this operation.
    draws: Seed,
    number: u64,
    client: &'static str,
}

/// The reason why a field is null.
#[derive(Serialize)]
struct Problem {
    message: &'static str,
    path: Vec<String>,
}

const INTEGRITY: &str = "failed integrity check";

impl Call<'_> {
    fn strikes(&self, fault: Fault) -> bool {
        self.faults.strike(fault, self.draws, self.number)
    }

    /// Writes the response of an operation.
    fn run(&self, operation: &Operation, json: &mut Vec<u8>) {
        let problems = RefCell::default();
        let data = self.fields(operation).and_then(|fields| self.data(&fields, &problems));
        let problems = problems.into_inner();
        let mut extensions = self.extensions(operation);
        if problems.iter().any(|problem| problem.message == INTEGRITY) {
            extensions.insert("challenge".to_owned(), json!({ "type": "integrity" }));
        }
        json.push(b'{');
        if let Err(message) = &data {
            json.extend_from_slice(b"\"errors\":");
            json.extend_from_slice(&to_json(&[json!({ "message": message })]));
        } else if !problems.is_empty() {
            json.extend_from_slice(b"\"errors\":");
            json.extend_from_slice(&to_json(&problems));
            json.push(b',');
        }
        if let Ok(data) = data {
            json.extend_from_slice(b"\"data\":");
            json.extend_from_slice(&data);
        }
        json.extend_from_slice(b",\"extensions\":");
        json.extend_from_slice(&to_json(&extensions));
        json.push(b'}');
    }

    fn extensions(&self, operation: &Operation) -> Map<String, Value> {
        let drawn = self.draws.child("request").draw(self.number);
        let mut extensions = Map::new();
        extensions.insert("durationMilliseconds".to_owned(), (9 + drawn % 60).into());
        if let Some(name) = &operation.operation_name {
            extensions.insert("operationName".to_owned(), name.as_str().into());
        }
        // A random ULID.
        let alphabet = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let letters = (0..23).map(|place| {
            let digit = mix(drawn ^ place) % alphabet.len() as u64;
            char::from(alphabet[digit as usize])
        });
        let id: String = "01J".chars().chain(letters).collect();
        extensions.insert("requestID".to_owned(), id.into());
        extensions
    }

    /// What an operation asks for, by its query or by the hash of one.
    fn fields(&self, operation: &Operation) -> Result<Vec<Field>, Refusal> {
        let persisted = operation
            .extensions
            .as_ref()
            .and_then(|extensions| extensions.persisted_query.as_ref());
        let query = match (&operation.query, persisted) {
            (Some(query), _) => query,
            (None, Some(persisted)) => match persisted.sha256_hash.as_str() {
                _ if self.strikes(Fault::GqlUnknown) => return Err("PersistedQueryNotFound".to_owned()),
                COMMENTS_HASH => COMMENTS_QUERY,
                VIDEO_HASH => VIDEO_QUERY,
                _ => return Err("PersistedQueryNotFound".to_owned()),
            },
            (None, None) => return Err("Must provide a query string.".to_owned()),
        };
        let none = Map::new();
        let variables = operation.variables.as_ref().unwrap_or(&none);
        query::parse(query, operation.operation_name.as_deref(), variables)
    }

    /// The data as JSON. Errors of fields are added to the problems.
    fn data(&self, fields: &[Field], problems: &RefCell<Vec<Problem>>) -> Result<Vec<u8>, Refusal> {
        let mut data = Vec::new();
        if self.strikes(Fault::GqlDataNull) {
            data.extend_from_slice(b"null");
            return Ok(data);
        }
        write_fields(fields, &mut data, |asked, json| {
            let place = Place { asked, json };
            match asked.name.as_str() {
                "video" => self.video(place, problems),
                "__typename" => place.scalar("Query"),
                name => Err(unknown_field(name, "Query")),
            }
        })?;
        Ok(data)
    }

    fn video(&self, place: Place<'_>, problems: &RefCell<Vec<Problem>>) -> Result<(), Refusal> {
        let asked = place.asked;
        let asks_comments = asked.selection.iter().any(|field| field.name == "comments");
        if let Some(message) = self.passing_problem().filter(|_| !asks_comments) {
            let path = vec![asked.key.clone()];
            problems.borrow_mut().push(Problem { message, path });
            return place.null();
        }
        let id = match asked.arguments.get("id") {
            Some(Value::String(id)) => id.parse().ok(),
            Some(id) => id.as_u64(),
            None => return Err("Argument \"id\" is missing.".to_owned()),
        };
        // Malformed ids, and videos that are private or deleted, all give null.
        let video = id.and_then(|id| self.world.video(id)).map(|video| Video {
            call: self,
            chat: self.world.chat(video),
            key: &asked.key,
            problems,
        });
        place.object_or_null(video.as_ref())
    }

    fn passing_problem(&self) -> Option<&'static str> {
        if self.strikes(Fault::GqlError) {
            Some("service error")
        } else if self.strikes(Fault::GqlTimeout) {
            Some("service timeout")
        } else {
            None
        }
    }

    /// Whether the comments are null, and the error message for it, if there is one.
    fn refused(&self, asked: &Asked) -> Option<Option<&'static str>> {
        if let Some(problem) = self.passing_problem() {
            return Some(Some(problem));
        }
        if self.strikes(Fault::GqlNull) {
            return Some(None);
        }
        let is_suspect = match self.client {
            WEB => true,
            MOBILE if self.strikes(Fault::GqlIntegrity) => true,
            _ => self.strikes(Fault::GqlIntegrityAll),
        };
        let by_cursor = matches!(asked.start, Start::Cursor(_));
        (is_suspect && by_cursor).then_some(Some(INTEGRITY))
    }
}

struct Video<'a> {
    call: &'a Call<'a>,
    chat: Chat<'a>,
    key: &'a str,
    problems: &'a RefCell<Vec<Problem>>,
}

impl Object for Video<'_> {
    const TYPE: &'static str = "Video";

    fn field(&self, name: &str, place: Place<'_>) -> Result<(), Refusal> {
        if name == "comments" {
            return self.comments(place);
        }
        let unknown = unknown_field(name, Self::TYPE);
        video::field(self.call.world, &self.chat.video, name, place).unwrap_or(Err(unknown))
    }
}

impl Video<'_> {
    fn comments(&self, place: Place<'_>) -> Result<(), Refusal> {
        let asked = Asked::new(&place.asked.arguments)?;
        let Call {
            world, faults, seed, ..
        } = *self.call;
        let problem = match self.call.refused(&asked) {
            Some(problem) => problem,
            None => match comments::connection(world, &self.chat, &asked, faults, seed) {
                Some(page) => return place.object(&page),
                None => Some("invalid cursor"),
            },
        };
        if let Some(message) = problem {
            let path = vec![self.key.to_owned(), place.asked.key.clone()];
            self.problems.borrow_mut().push(Problem { message, path });
        }
        place.null()
    }
}
