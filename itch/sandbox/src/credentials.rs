//! The credentials of the sandbox. They are public, since they only give access to a simulation.

/// The client id of the app that the printed variables name. It has a secret for app tokens, and users of it sign in
/// without one, as with a public app: so one id is enough for both.
pub const CLIENT_ID: &str = "sandbox0client0id0of0itch00000";
/// The secret of the app, for the client credentials grant.
pub const CLIENT_SECRET: &str = "sandbox0client0secret0of0itch0";
/// The client id of the confidential app, which needs the secret to renew tokens.
pub const CONFIDENTIAL_CLIENT_ID: &str = "sandbox0confidential0client0id";
/// The client id of the public app. It has no secret, and its refresh tokens can be used once.
pub const PUBLIC_CLIENT_ID: &str = "sandbox0public0client0of0itch0";
/// A user token of `burkeblack` with every scope.
pub const TOKEN: &str = "sandbox0token0of0burkeblack000";
/// A user token of `burkeblack` without any scope.
pub const TOKEN_WITHOUT_SCOPES: &str = "sandbox0token0without0scopes00";
/// A user token of `just_a_viewer`, who is not a moderator anywhere, with every scope.
pub const TOKEN_VIEWER: &str = "sandbox0token0of0just0a0viewer";
/// A user token that has expired.
pub const TOKEN_EXPIRED: &str = "sandbox0token0that0has0expired";

/// Every scope of <https://dev.twitch.tv/docs/authentication/scopes>.
pub(crate) static SCOPES: [&str; 81] = [
    "analytics:read:extensions",
    "analytics:read:games",
    "bits:read",
    "channel:bot",
    "channel:edit:commercial",
    "channel:manage:ads",
    "channel:manage:broadcast",
    "channel:manage:clips",
    "channel:manage:extensions",
    "channel:manage:guest_star",
    "channel:manage:moderators",
    "channel:manage:polls",
    "channel:manage:predictions",
    "channel:manage:raids",
    "channel:manage:redemptions",
    "channel:manage:schedule",
    "channel:manage:videos",
    "channel:manage:vips",
    "channel:moderate",
    "channel:read:ads",
    "channel:read:charity",
    "channel:read:editors",
    "channel:read:goals",
    "channel:read:guest_star",
    "channel:read:hype_train",
    "channel:read:polls",
    "channel:read:predictions",
    "channel:read:redemptions",
    "channel:read:stream_key",
    "channel:read:subscriptions",
    "channel:read:vips",
    "chat:edit",
    "chat:read",
    "clips:edit",
    "editor:manage:clips",
    "moderation:read",
    "moderator:manage:announcements",
    "moderator:manage:automod",
    "moderator:manage:automod_settings",
    "moderator:manage:banned_users",
    "moderator:manage:blocked_terms",
    "moderator:manage:chat_messages",
    "moderator:manage:chat_settings",
    "moderator:manage:guest_star",
    "moderator:manage:shield_mode",
    "moderator:manage:shoutouts",
    "moderator:manage:suspicious_users",
    "moderator:manage:unban_requests",
    "moderator:manage:warnings",
    "moderator:read:automod_settings",
    "moderator:read:banned_users",
    "moderator:read:blocked_terms",
    "moderator:read:chat_messages",
    "moderator:read:chat_settings",
    "moderator:read:chatters",
    "moderator:read:followers",
    "moderator:read:guest_star",
    "moderator:read:moderators",
    "moderator:read:shield_mode",
    "moderator:read:shoutouts",
    "moderator:read:suspicious_users",
    "moderator:read:unban_requests",
    "moderator:read:vips",
    "moderator:read:warnings",
    "user:bot",
    "user:edit",
    "user:edit:broadcast",
    "user:manage:blocked_users",
    "user:manage:chat_color",
    "user:manage:whispers",
    "user:read:blocked_users",
    "user:read:broadcast",
    "user:read:chat",
    "user:read:email",
    "user:read:emotes",
    "user:read:follows",
    "user:read:moderated_channels",
    "user:read:subscriptions",
    "user:read:whispers",
    "user:write:chat",
    "whispers:read",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_credentials_look_like_those_of_twitch() {
        for token in [
            CLIENT_ID,
            CONFIDENTIAL_CLIENT_ID,
            PUBLIC_CLIENT_ID,
            CLIENT_SECRET,
            TOKEN,
            TOKEN_WITHOUT_SCOPES,
            TOKEN_VIEWER,
            TOKEN_EXPIRED,
        ] {
            assert_eq!(token.len(), 30, "{token}");
            assert!(token.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{token}");
        }
    }
}
