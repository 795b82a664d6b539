//! The host's side of a renderer in a separate process: it sends a chart and receives a picture.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use itch_api::Result;
use itch_plugin::{Buffer, Chart};

use crate::Log;
use crate::frame::{Kind, PIECE};
use crate::isolated_report::log_line;
use crate::job::{JobResult, Launch, Work, protocol_error};
use crate::process::{GRACE, Process, Watchdog};

/// The types of a buffer's values in a message.
pub(crate) mod values {
    pub(crate) const F64: u8 = 1;
    pub(crate) const F32: u8 = 2;
    pub(crate) const U8: u8 = 3;
    pub(crate) const TEXT: u8 = 4;
    pub(crate) const U32: u8 = 5;
}

/// Draws a chart.
pub(crate) fn render(launch: &Launch, chart: &Chart<'_>, out: &mut dyn Write, log: &Log) -> Result<()> {
    let chart_json = serde_json::value::to_raw_value(chart).map_err(std::io::Error::from)?;
    let mut process = Process::start(launch, Work::Renderer(chart_json), log)?;
    // Once writing the picture has failed, the process is told to stop.
    let unwanted = Arc::new(AtomicBool::new(false));
    let watched = Arc::clone(&unwanted);
    let watch = Watchdog::start(&process, GRACE, move || watched.load(Ordering::Relaxed));
    for (number, buffer) in chart.buffers.iter().enumerate() {
        send_buffer(&process, number as u64, buffer);
    }
    process.begin();
    let mut failed = None;
    let result = loop {
        let frame = match process.read(None) {
            Ok(frame) => frame,
            Err(error) => break Err(error),
        };
        match frame.kind {
            Kind::Write => {
                let written = out.write_all(&frame.body);
                process.send(Kind::Answer, frame.number, &[&[1, u8::from(written.is_err())]]);
                unwanted.fetch_or(written.is_err(), Ordering::Relaxed);
                failed = failed.or(written.err());
            }
            Kind::Log => match log_line(&frame.body) {
                Ok((level, text)) => log.line(level, &text),
                Err(error) => break Err(error),
            },
            Kind::Done => {
                let ended: Result<JobResult, _> = serde_json::from_slice(&frame.body);
                break match ended {
                    Ok(ended) => ended.error.map_or(Ok(()), Err),
                    Err(_) => Err(protocol_error(&launch.plugin)),
                };
            }
            _ => break Err(protocol_error(&launch.plugin)),
        }
    };
    watch.end();
    let result = process.end(result);
    match failed {
        Some(error) => Err(error.into()),
        None => result,
    }
}

/// Sends numbers as little-endian bytes.
fn numbers<const N: usize, T: Copy>(kind: u8, all: &[T], bytes: fn(T) -> [u8; N], pieces: impl Fn(u8, &[u8])) {
    pieces(kind, &[]);
    for part in all.chunks(PIECE / N) {
        let bytes: Vec<u8> = part.iter().flat_map(|value| bytes(*value)).collect();
        pieces(kind, &bytes);
    }
}

fn send_buffer(process: &Process, number: u64, buffer: &Buffer<'_>) {
    let pieces = |kind: u8, bytes: &[u8]| {
        process.send(Kind::Buffer, number, &[&[kind], bytes]);
    };
    match buffer {
        Buffer::F64(all) => numbers(values::F64, all, |value| value.to_le_bytes(), pieces),
        Buffer::F32(all) => numbers(values::F32, all, |value| value.to_le_bytes(), pieces),
        Buffer::U32(all) => numbers(values::U32, all, |value| value.to_le_bytes(), pieces),
        Buffer::U8(all) => {
            pieces(values::U8, &[]);
            all.chunks(PIECE).for_each(|part| pieces(values::U8, part));
        }
        Buffer::Text(text) => {
            pieces(values::TEXT, &[]);
            let parts = text.as_bytes().chunks(PIECE);
            parts.for_each(|part| pieces(values::TEXT, part));
        }
        // A newer kind of values: it is sent as an empty buffer.
        _ => pieces(values::U8, &[]),
    }
}
