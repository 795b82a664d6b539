//! Side by side: looking things up for the rows of a page while the walk over the pages goes on.

use std::collections::VecDeque;

use serde_json::Value;

use super::{Error, Page, Pages, Pending, RawApi, Result};

/// So many pages may wait for their look-ups. When look-ups are slower than the walk (a rate limit), more would
/// only cost memory.
const WAITING_PAGES: usize = 8;

/// A walk whose pages each need one look-up before their rows can go out.
///
/// The cursor chain is serial by nature and the look-ups are not, so the wall time is that of the chain alone
/// plus one look-up: a page is taken the moment it arrives, which starts the request for the next, and its
/// look-up is started beside it.
pub(crate) struct Joined<L, J> {
    api: RawApi,
    pages: Pages,
    look_up: L,
    join: J,
    waiting: VecDeque<(Page, Option<Pending>)>,
    /// What ended the walk early. The pages that arrived before it are whole and go out first.
    broken: Option<Error>,
    failed: bool,
}

impl<L, J, T> Joined<L, J>
where
    L: FnMut(&RawApi, &Page) -> Result<Option<Pending>>,
    J: FnMut(&RawApi, Page, Option<Value>) -> Result<Vec<T>>,
{
    /// `look_up` starts the request for a page (or finds that none is needed); `join` makes the rows of both.
    pub(crate) fn new(api: RawApi, pages: Pages, look_up: L, join: J) -> Self {
        Joined {
            api,
            pages,
            look_up,
            join,
            waiting: VecDeque::new(),
            broken: None,
            failed: false,
        }
    }

    fn advance(&mut self) -> Result<Option<Vec<T>>> {
        loop {
            let room = self.waiting.len() < WAITING_PAGES;
            let chain = if room { self.pages.pending() } else { None };
            let page_is_next = match (chain, self.waiting.front()) {
                (None, None) => return self.broken.take().map_or(Ok(None), Err),
                (Some(_), None) => true,
                (None, Some(_)) | (Some(_), Some((_, None))) => false,
                // The chain stands first: if both have ended, its next request should start first.
                (Some(chain), Some((_, Some(look_up)))) => self.api.wait_any(&[chain, look_up])? == 0,
            };
            if page_is_next {
                match self.pages.next_page() {
                    Some(Ok(page)) => {
                        let look_up = (self.look_up)(&self.api, &page)?;
                        self.waiting.push_back((page, look_up));
                    }
                    Some(Err(error)) => self.broken = Some(error),
                    None => {}
                }
            } else if let Some((page, look_up)) = self.waiting.pop_front() {
                let found = look_up.map(Pending::json).transpose()?;
                return (self.join)(&self.api, page, found).map(Some);
            }
        }
    }
}

impl<L, J, T> Iterator for Joined<L, J>
where
    L: FnMut(&RawApi, &Page) -> Result<Option<Pending>>,
    J: FnMut(&RawApi, Page, Option<Value>) -> Result<Vec<T>>,
{
    /// The finished rows of one page.
    type Item = Result<Vec<T>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let advanced = self.advance();
        self.failed = advanced.is_err();
        advanced.transpose()
    }
}
