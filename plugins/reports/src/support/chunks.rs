//! Looking up many channels without requesting more of them than the limit allows.

use itch_plugin::prelude::*;

/// Looks up the channels of a call, chunk by chunk.
///
/// A chunk is as large as the limit, which is enough if every channel exists, but at least `least`: one request for
/// `least` channels costs no more than one for fewer.
pub(crate) fn look_up_in_chunks<T, F>(
    call: &Call,
    least: usize,
    look_up: F,
) -> Result<impl Iterator<Item = Result<T>> + use<T, F>>
where
    T: 'static,
    F: Fn(Vec<ChannelName>) -> Rows<T>,
{
    let names = call.channels("channel")?;
    let limit = call
        .limit()
        .and_then(|limit| usize::try_from(limit).ok())
        .unwrap_or(usize::MAX);
    let size = limit.max(least).min(names.len()).max(1);
    let chunks: Vec<Vec<ChannelName>> = names.chunks(size).map(<[_]>::to_vec).collect();
    Ok(chunks.into_iter().flat_map(look_up))
}
