//! `itch plugins`: its output in four formats.

use itch_tests::Folder;
use serde_json::Value;
use snapbox::prelude::*;
use snapbox::{assert_data_eq, str};

/// The output of `plugins list --json` if no plugin is installed.
pub(crate) fn units() -> Vec<Value> {
    itch_tests::units_of(&Folder::new())
}

#[test]
fn the_list_on_a_pipe() {
    let list = Folder::new().itch(&["plugins", "list"]);
    assert_data_eq!(
        &list.succeeds().stdout,
        str![[r#"
file	cache	itch-caches	0.1.0	1.0	ok	built-in	Files in a directory, for one machine
memcache	cache	itch-caches	0.1.0	1.0	ok	built-in	memcached, one server or several that share the keys
redis	cache	itch-caches	0.1.0	1.0	ok	built-in	A redis server, or a cluster, for several machines
html	renderer	itch-renderers	0.1.0	1.0	ok	built-in	A page to pan and zoom in, complete in one file
json	renderer	itch-renderers	0.1.0	1.0	ok	built-in	The finished chart as data, with every point
pdf	renderer	itch-renderers	0.1.0	1.0	ok	built-in	A page for print
png	renderer	itch-renderers	0.1.0	1.0	ok	built-in	A picture
svg	renderer	itch-renderers	0.1.0	1.0	ok	built-in	A drawing that can be scaled and edited
terminal	renderer	itch-renderers	0.1.0	1.0	ok	built-in	On the terminal: braille dots and colours, or a picture
chat-replay	report	itch-reports	0.1.0	1.0	ok	built-in	The chat of a past broadcast
chatters	report	itch-reports	0.1.0	1.0	ok	built-in	Who is in a channel's chat
created	report	itch-reports	0.1.0	1.0	ok	built-in	When channels were created
followers	report	itch-reports	0.1.0	1.0	ok	built-in	Followers of a channel, and when their accounts were created
following	report	itch-reports	0.1.0	1.0	ok	built-in	Channels that an account follows
num-followers	report	itch-reports	0.1.0	1.0	ok	built-in	How many followers channels have
num-following	report	itch-reports	0.1.0	1.0	ok	built-in	How many channels an account follows
streams	report	itch-reports	0.1.0	1.0	ok	built-in	Past broadcasts of a channel, and the running one

"#]]
        .raw()
    );
}

#[test]
fn the_list_as_json_has_the_same_and_more() {
    let list = Folder::new().itch(&["plugins", "list"]);
    let units = units();
    assert_eq!(list.rows().len(), units.len());
    for (row, unit) in list.cells().iter().zip(&units) {
        for (cell, name) in row
            .iter()
            .zip(["name", "kind", "plugin", "version", "abi", "status", "from"])
        {
            assert_eq!(unit[name], *cell, "{unit}");
        }
        assert_eq!(unit["spec"]["summary"], row[7]);
    }
}

#[test]
fn information_about_a_report() {
    assert_data_eq!(&Folder::new().itch(&["plugins", "info", "followers"]).succeeds().stdout, str![[r#"
followers: Followers of a channel, and when their accounts were created
report of itch-reports 0.1.0, ABI 1.0, built-in, ok

Prints one row per follower, newest first. Twitch shows the list to the broadcaster and the channel's moderators only. The accounts' creation times are looked up a hundred at a time. If a follower's account no longer exists, the row is kept, with `created` and `delta` empty.

Twitch lists newest first only, so `-d asc` reads the whole list before it prints the first row. With `--since`, only newer followers are fetched.

Arguments:
  <CHANNEL>       The channel
  --since <TIME>  Only accounts that followed at or after this time
  --until <TIME>  Only accounts that followed before this time

Columns:
  name          The follower's login (text)
  channel       The channel, as typed (text)
  created       When the follower's account was created; empty if it no longer exists (time, UTC)
  followed      When the account followed the channel (time, UTC)
  delta         Age of the account at the follow: `followed` minus `created` (duration, s)
  followers     Always 0; keeps the sixth column of the rows that itch printed in 2016 (int)
  id            The follower's user id (text; on request)
  display_name  The follower's display name (text; on request)

Scopes that the token needs:
  moderator:read:followers

Examples:
  itch followers -l 1000 burkeblack             The thousand newest followers
  itch followers --since 2026-10-30 burkeblack  The accounts that followed since a date

"#]].raw());
}

#[test]
fn information_about_a_cache() {
    assert_data_eq!(&Folder::new().itch(&["plugins", "info", "file"]).succeeds().stdout, str![[r#"
file: Files in a directory, for one machine
cache of itch-caches 0.1.0, ABI 1.0, built-in, ok

Each response is a file, `ab/cd/rest` of its key. Any number of itch processes may share the directory. It is created when the first response is stored, readable by its owner only, and is not used if it is unsafe: the default directory must belong to the user and must not be writable by everyone; a directory from TWITCH_CACHE_TEMP may belong to another user, but must not be writable by everyone then. Where others can write to it, a warning says so.

Above the size limit (`--cache-size`, 512 MiB by default) the oldest files are removed until four fifths of the limit are left. Responses that the itch of 2016 stored are still read; they are never removed to save space, since the services that they came from no longer exist.

Environment:
  TWITCH_CACHE_TEMP  The directory for responses [default: $XDG_CACHE_HOME/itch/responses]
  XDG_CACHE_HOME     The directory for caches [default: $HOME/.cache]
  HOME               The user's directory

"#]].raw());
}

#[test]
fn information_as_json_is_the_lists() {
    for unit in units() {
        let name = unit["name"].as_str().unwrap();
        let info = Folder::new().itch(&["plugins", "info", name, "--json"]);
        assert_eq!(serde_json::from_str::<Value>(&info.succeeds().stdout).unwrap(), unit);
        let text = Folder::new().itch(&["plugins", "info", name]);
        assert!(
            text.succeeds()
                .stdout
                .starts_with(&format!("{name}: {}\n", unit["spec"]["summary"].as_str().unwrap()))
        );
    }
}

#[test]
fn an_old_name_will_do() {
    let old = Folder::new().itch(&["plugins", "info", "num_followers"]);
    old.prints(&Folder::new().itch(&["plugins", "info", "num-followers"]).stdout);
}

#[test]
fn an_unknown_name() {
    assert_data_eq!(
        Folder::new().itch(&["plugins", "info", "nope"]).all(),
        str![[r#"
exit code: 2
--- stdout
--- stderr
error: there is no report, cache, renderer or plugin `nope`
hint: itch plugins list

"#]]
        .raw()
    );
    Folder::new().itch(&["plugins", "info"]).exits(2);
    let bare = Folder::new().itch(&["plugins"]);
    assert!(bare.exits(2).stderr.contains("list"));
}
