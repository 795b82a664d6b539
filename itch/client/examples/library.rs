//! The README example of the original Python package, in Rust, run against the simulated Twitch.
#![allow(clippy::print_stdout, reason = "an example prints")]

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use itch_api::{Result, Role};
use itch_client::{Client, Settings};
use itch_plugin::{CacheStats, CacheStore, Put, StoredValue};
use itch_sandbox::{Options, Sandbox};

/// A custom cache: any store of bytes under a key.
#[derive(Default)]
struct Memory {
    values: HashMap<String, Vec<u8>>,
}

impl CacheStore for Memory {
    fn get(&mut self, key: &str) -> Result<Option<StoredValue>> {
        let bytes = self.values.get(key).cloned();
        Ok(bytes.map(|bytes| StoredValue { bytes, modified: None }))
    }

    fn put(&mut self, key: &str, value: &[u8], _: Option<Duration>) -> Result<Put> {
        self.values.insert(key.to_owned(), value.to_owned());
        Ok(Put::Stored)
    }

    fn remove(&mut self, key: &str) -> Result<()> {
        self.values.remove(key);
        Ok(())
    }

    fn stats(&mut self) -> Result<CacheStats> {
        Ok(CacheStats::default())
    }

    fn location(&self) -> String {
        "this program's memory".to_owned()
    }
}

fn main() -> Result<()> {
    // The simulated Twitch. For the real one, use the environment variables instead:
    // `Settings::from_variables(|name| std::env::var(name).ok())`.
    let sandbox = Sandbox::start(Options::default())?;
    let variables: BTreeMap<_, _> = sandbox.environment().into_iter().collect();
    let mut settings = Settings::from_variables(|name| variables.get(name).cloned());

    // Two caches: the custom one is looked up first, then the built-in file cache, here in the folder `responses`.
    // With `|name| std::env::var(name).ok()` it is the cache that `itch -c file` uses.
    let files = itch_caches::open("file", |name| (name == "TWITCH_CACHE_TEMP").then(|| "responses".to_owned()))?;
    settings.caches.push(("memory".to_owned(), Box::new(Memory::default())));
    settings.caches.push(("file".to_owned(), files));

    let client = Client::new(settings)?;
    let api = client.api();

    // Models. Times are in UTC.
    let channel = api.channel(&"burkeblack".parse()?)?;
    if let Some(created) = channel.created_at {
        println!("{} was created at {created}", channel.login);
    }
    for total in api.follower_totals(vec!["burkeblack".parse()?]) {
        if let Some((_, Some(followers))) = total?.found {
            println!("{followers} accounts follow it");
        }
    }

    // Lists are iterators: the next page is requested while you read this one, and none is requested after you stop.
    for follow in api.following(&channel).start()?.take(3) {
        let follow = follow?;
        if let Some(since) = follow.followed_at {
            println!("it follows {} since {since}", follow.channel.login);
        }
    }

    // The chat of past streams.
    for stream in api.past_streams(&channel).limit(3).start()? {
        let Some(video) = stream?.video else { continue };
        for message in api.chat_replay(&video.id).limit(1).start()? {
            let message = message?;
            let name = message.commenter.map(|commenter| commenter.login).unwrap_or_default();
            println!("[{}] {name}: {}", video.id, message.text);
        }
    }

    // Who is in the chat now.
    let chatters = api.chatters(&channel)?.collect::<Result<Vec<_>>>()?;
    let moderators = chatters.iter().filter(|chatter| chatter.role == Some(Role::Moderator));
    let names: Vec<&str> = moderators.map(|chatter| chatter.login.as_str()).collect();
    println!("{} chatters, moderators: {}", chatters.len(), names.join(" "));

    // The second time, the answer comes from the cache.
    let before = client.counters().requests;
    api.channel(&"burkeblack".parse()?)?;
    println!("{} requests for the second look-up", client.counters().requests - before);
    Ok(())
}
