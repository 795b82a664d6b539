//! What is known of the lists of Helix: which member identifies a row, and what `total` counts
//! (dev.twitch.tv/docs/api/reference). Of any other list, repeated rows cannot be told from rows that are alike.

/// A list of Helix.
#[derive(Debug)]
pub(super) struct List {
    path: &'static str,
    /// The member that identifies a row.
    pub(super) key: &'static str,
    /// What `total` counts, where it is the number of rows of the whole list.
    pub(super) counts: Option<&'static str>,
    pub(super) largest_page: u32,
}

const fn list(path: &'static str, key: &'static str) -> List {
    List {
        path,
        key,
        counts: None,
        largest_page: 100,
    }
}

const fn counted(path: &'static str, key: &'static str, counts: &'static str) -> List {
    List {
        counts: Some(counts),
        ..list(path, key)
    }
}

static LISTS: [List; 25] = [
    list("channel_points/custom_rewards/redemptions", "id"),
    counted("channels/followed", "broadcaster_id", "channels"),
    counted("channels/followers", "user_id", "followers"),
    list("channels/vips", "user_id"),
    List {
        largest_page: 1000,
        ..counted("chat/chatters", "user_id", "chatters")
    },
    list("clips", "id"),
    list("entitlements/drops", "id"),
    list("eventsub/subscriptions", "id"),
    list("extensions/transactions", "id"),
    list("games/top", "id"),
    list("hypetrain/events", "id"),
    list("moderation/banned", "user_id"),
    list("moderation/blocked_terms", "id"),
    list("moderation/channels", "broadcaster_id"),
    list("moderation/moderators", "user_id"),
    list("moderation/unban_requests", "id"),
    List {
        largest_page: 20,
        ..list("polls", "id")
    },
    List {
        largest_page: 25,
        ..list("predictions", "id")
    },
    list("search/categories", "id"),
    list("search/channels", "id"),
    list("streams", "id"),
    list("streams/followed", "id"),
    list("subscriptions", "user_id"),
    list("users/blocks", "user_id"),
    list("videos", "id"),
];

/// What is known of the list at a path.
pub(super) fn list_of(path: &str) -> Option<&'static List> {
    LISTS.iter().find(|list| list.path == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_list_is_found_by_its_path() {
        for list in &LISTS {
            assert_eq!(list_of(list.path).unwrap().key, list.key, "{}", list.path);
        }
        assert!(list_of("schedule").is_none());
    }
}
