//! How long reading a table takes and how much memory it needs: `read FILE [X Y [THREADS [KEEP]]]`.
#![allow(clippy::print_stdout, reason = "an example that measures says what it measured")]

use std::time::Instant;

use itch_table::{Input, KeepText, ReadOptions, read_table};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("which file?")?;
    let mut options = ReadOptions::default();
    if let (Some(x), Some(y)) = (arguments.next(), arguments.next()) {
        (options.x, options.y) = (x, y);
    }
    if let Some(threads) = arguments.next() {
        options.threads = threads.parse()?;
    }
    options.keep_text = match arguments.next().as_deref() {
        Some("labels") => KeepText::Labels,
        Some("records") => KeepText::Records,
        _ => KeepText::Nothing,
    };
    if let Some(kibibytes) = std::env::var_os("BLOCK") {
        options.block = kibibytes.to_string_lossy().parse::<usize>()? << 10;
    }
    let start = Instant::now();
    let table = read_table(Input::Path(path.into()), &options)?;
    let seconds = start.elapsed().as_secs_f64();
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap_or("?")
        .trim();
    println!("{seconds:.4} s, {} rows, {} bad, peak {peak}", table.rows, table.bad.count);
    Ok(())
}
