//! Typed requests for every Helix endpoint: the types of the `twitch_api` crate, sent over a [`Transport`].
//!
//! Only the crate's request types (which know their path and parameters) and its item types are used, not its
//! client. The envelope is parsed here, so that missing fields in it are tolerated.
//!
//! [`Transport`]: crate::Transport

use std::fmt;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde_json::Value;
use twitch_api::helix::{Paginated, RequestGet};

use super::api::Api;
use crate::raw::{Error, ErrorKind, Pages, Request, Result, Service};

/// Converts a typed request into a [`Request`].
fn request<R: RequestGet>(typed: &R) -> Result<Request> {
    let query = typed.query().map_err(|error| {
        Error::new(ErrorKind::Usage, "could not encode the parameters of the request").source_chain(&error)
    })?;
    let mut request = Request::helix(R::PATH);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        request = request.query(decode(name), decode(value));
    }
    Ok(request)
}

/// Undoes percent-encoding: the transport encodes the parameters again.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        let hex = |digit: u8| char::from(digit).to_digit(16);
        match (first, tail) {
            (b'%', [high, low, after @ ..]) if hex(*high).is_some() && hex(*low).is_some() => {
                let value = hex(*high).zip(hex(*low)).map_or(0, |(high, low)| high * 16 + low);
                bytes.push(value as u8);
                rest = after;
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Parses one item.
fn item<T: DeserializeOwned>(value: Value) -> Result<T> {
    serde_json::from_value(value).map_err(|error| {
        Error::new(ErrorKind::BadData, "could not parse an item of Twitch's answer")
            .source_chain(&error)
            .at(Service::Helix, None)
    })
}

impl Api {
    /// Sends a request to any Helix endpoint and returns its `data` as the type that `twitch_api` has for it.
    ///
    /// ```no_run
    /// # fn main() -> itch_api::Result<()> {
    /// # let api: itch_api::Api = unimplemented!();
    /// use twitch_api::helix::clips::GetClipsRequest;
    /// let clips = api.helix(&GetClipsRequest::broadcaster_id("71092938"))?;
    /// # Ok(()) }
    /// ```
    pub fn helix<R>(&self, typed: &R) -> Result<R::Response>
    where
        R: RequestGet,
        R::Response: DeserializeOwned,
    {
        let mut body = self.json(request(typed)?)?;
        item(body.get_mut("data").map(Value::take).unwrap_or_default())
    }

    /// Iterates over the items of a paged Helix endpoint. `max` is the endpoint's largest page size.
    pub fn helix_pages<R, T>(&self, typed: &R, max: u32) -> Result<HelixItems<T>>
    where
        R: RequestGet<Response = Vec<T>> + Paginated,
        T: DeserializeOwned,
    {
        Ok(HelixItems {
            pages: self.pages(request(typed)?, max),
            page: Vec::new().into_iter(),
            items: PhantomData,
        })
    }
}

/// The items of a paged Helix endpoint.
pub struct HelixItems<T> {
    pages: Pages,
    page: std::vec::IntoIter<Value>,
    items: PhantomData<fn() -> T>,
}

impl<T> HelixItems<T> {
    /// Stops after this many items. Pages beyond the limit are not requested.
    pub fn limit(mut self, items: u64) -> HelixItems<T> {
        self.pages = self.pages.limit(items);
        self
    }
}

impl<T> fmt::Debug for HelixItems<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HelixItems")
            .field("pages", &self.pages)
            .finish_non_exhaustive()
    }
}

impl<T: DeserializeOwned> Iterator for HelixItems<T> {
    type Item = Result<T>;

    fn next(&mut self) -> Option<Result<T>> {
        loop {
            if let Some(value) = self.page.next() {
                return Some(item(value));
            }
            match self.pages.next_page()? {
                Ok(page) => self.page = page.rows.into_iter(),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
