//! Look-ups for the rows of a page, in parallel with the walk over the pages.

use std::collections::VecDeque;

use super::{Error, Page, Pages, Pending, RawApi, Result};

/// How many pages may wait for their look-ups. When look-ups are slower than the walk (a rate limit), more pages
/// would only use memory.
const WAITING_PAGES: usize = 8;

/// A walk in which each page needs one look-up before its rows can be returned.
///
/// Pages of a cursor chain can only be fetched one after another, but look-ups can run in parallel with it. So the
/// total time is that of the chain plus one look-up: as soon as a page arrives, the request for the next page and
/// the look-up for this one are started.
pub(crate) struct Joined<L, J> {
    api: RawApi,
    pages: Pages,
    look_up: L,
    join: J,
    waiting: VecDeque<(Page, Option<Pending>)>,
    /// The error that ended the walk early. The pages that arrived before it are complete and are returned first.
    broken: Option<Error>,
    failed: bool,
}

impl<L, J, T> Joined<L, J>
where
    L: FnMut(&RawApi, &Page) -> Result<Option<Pending>>,
    J: FnMut(&RawApi, Page, Option<Pending>) -> Result<Vec<T>>,
{
    /// `look_up` starts the request for a page (or returns `None` if none is needed); `join` waits for it and
    /// combines both into rows.
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
            let arrived = room && self.pages.has_arrived();
            let chain = if room && !arrived { self.pages.pending() } else { None };
            let page_is_next = match (chain, self.waiting.front()) {
                _ if arrived => true,
                (None, None) => return self.broken.take().map_or(Ok(None), Err),
                (Some(_), None) => true,
                (None, Some(_)) | (Some(_), Some((_, None))) => false,
                // The chain comes first: if both have finished, its next request should start first.
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
                return (self.join)(&self.api, page, look_up).map(Some);
            }
        }
    }
}

impl<L, J, T> Iterator for Joined<L, J>
where
    L: FnMut(&RawApi, &Page) -> Result<Option<Pending>>,
    J: FnMut(&RawApi, Page, Option<Pending>) -> Result<Vec<T>>,
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
