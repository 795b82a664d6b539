//! `chat/chatters`: who is in a chat room and, if the token may see it, in which role.

use std::collections::HashMap;

use super::moderators::MODERATORS;
use super::users::own_account;
use super::vips::VIPS;
use crate::raw::reader::PageReader;
use crate::raw::{Channel, Chatter, Error, ErrorKind, Fact, Page, Pages, Policy, RawApi, Result, Role};
use crate::sources::endpoint::{Endpoint, MINUTE};
use crate::sources::source::{Rows, one_by_one};

/// This endpoint allows larger pages than the others.
pub(super) static CHATTERS: Endpoint = Endpoint::helix("chat/chatters", Policy::user(MINUTE)).largest_page(1000);

/// The lists of roles, with the scope that each needs.
const LISTS: [(&Endpoint, Role, &str); 2] = [
    (&VIPS, Role::Vip, "channel:read:vips"),
    (&MODERATORS, Role::Moderator, "moderation:read"),
];

/// Lists the chatters. With the broadcaster's own token the roles are joined from the lists of moderators and VIPs, and
/// the rows are ordered by role. Otherwise they are in Twitch's order, without roles.
pub(super) fn list(api: &RawApi, channel: &Channel) -> Result<Rows<Chatter>> {
    let me = own_account(api)?;
    let request = CHATTERS
        .request()
        .query("broadcaster_id", &channel.id)
        .query("moderator_id", &me.id);
    let mut chatters = CHATTERS.pages(api, request).unique_by("user_id").expect("chatters");
    let own = me.id == channel.id;
    let mut lists: Vec<(Pages, Role, &str)> = LISTS
        .into_iter()
        .filter(|_| own)
        .map(|(endpoint, role, scope)| {
            let request = endpoint.request().query("broadcaster_id", &channel.id);
            // These lists have no total.
            (endpoint.pages(api, request).unique_by("user_id"), role, scope)
        })
        .collect();
    // All lists are requested before the first is read.
    chatters.pending();
    for (pages, ..) in &mut lists {
        pages.pending();
    }
    let mut roles = Roles::default();
    for (pages, role, scope) in lists {
        roles.collect(api, pages, role, scope)?;
    }
    let reading = api.clone();
    let rows = std::iter::from_fn(move || {
        let page = chatters.next_page()?;
        Some(page.map_err(explain).map(|page| read(&reading, page)))
    });
    let broadcaster = channel.id.clone();
    let sorted = roles.known();
    let rows = rows.flat_map(one_by_one).map(move |row| {
        row.map(|chatter| Chatter {
            role: roles.of(chatter.id.as_deref().unwrap_or_default(), &broadcaster),
            ..chatter
        })
    });
    if !sorted {
        return Ok(Box::new(rows));
    }
    let mut rows: Vec<Chatter> = rows.collect::<Result<_>>()?;
    rows.sort_by_key(|chatter| chatter.role.unwrap_or(Role::Viewer));
    Ok(Box::new(rows.into_iter().map(Ok)))
}

/// Reads the rows of a page, without roles.
fn read(api: &RawApi, page: Page) -> Vec<Chatter> {
    let mut reader = PageReader::new(api, CHATTERS.path(), page.number);
    let mut chatters = Vec::with_capacity(page.rows.len());
    for (place, row) in page.placed_rows() {
        let Some(mut row) = reader.row(place, row) else {
            continue;
        };
        let Some(id) = row.account_key("user_id") else { continue };
        chatters.push(Chatter {
            id: Some(id),
            login: row.text("user_login", "login"),
            display_name: row.text("user_name", "display_name"),
            role: None,
        });
    }
    chatters
}

/// The roles of a channel's users, as far as the token may see them.
#[derive(Default)]
struct Roles {
    by_id: HashMap<String, Role>,
    seen: Vec<Role>,
}

impl Roles {
    /// Fetches one list of roles. A token without the scope for it cannot see it: the other roles are still shown, and
    /// the verdict names the scope.
    fn collect(&mut self, api: &RawApi, mut pages: Pages, role: Role, scope: &str) -> Result<()> {
        // Without the column, the roles only decide the order.
        let gap = |reason: String| {
            if api.needed("role").is_some() {
                api.note(Fact::Gap {
                    from: None,
                    to: None,
                    reason,
                });
            }
        };
        let mut begun = false;
        while let Some(page) = pages.next_page() {
            let page = match page {
                Err(error) if error.kind == ErrorKind::SignIn && error.http.is_some() => {
                    match begun {
                        // What was allowed for the first page is not forbidden for the next.
                        true => {
                            gap(format!("the list for the role {} could not be read to its end: {error}", role.name()))
                        }
                        false => {
                            gap(format!("the role {} is unknown: the token lacks the scope `{scope}`", role.name()))
                        }
                    }
                    return Ok(());
                }
                page => page?,
            };
            begun = true;
            let mut reader = PageReader::new(api, format!("list of {}s", role.name()), page.number);
            for (place, row) in page.placed_rows() {
                if let Some(id) = reader.row(place, row).and_then(|mut row| row.key("user_id")) {
                    self.by_id.insert(id, role);
                }
            }
        }
        self.seen.push(role);
        Ok(())
    }

    /// Whether any list could be read.
    fn known(&self) -> bool {
        !self.seen.is_empty()
    }

    /// The role of a user. Who is on none of the lists is a viewer only if all of them could be read.
    fn of(&self, id: &str, broadcaster: &str) -> Option<Role> {
        let all = self.seen.len() == LISTS.len();
        if !self.known() || id.is_empty() {
            None
        } else if id == broadcaster {
            Some(Role::Broadcaster)
        } else {
            self.by_id.get(id).copied().or(all.then_some(Role::Viewer))
        }
    }
}

/// Adds a hint to a refusal.
fn explain(error: Error) -> Error {
    match error.kind {
        ErrorKind::SignIn if error.http.is_some() => error.context("this token may not see who is in that chat").hint(
            "Twitch shows who is in a chat to the broadcaster and the moderators only: sign in as one of them with \
             `itch login --scopes moderator:read:chatters`",
        ),
        _ => error,
    }
}
