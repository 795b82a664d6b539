//! Measures how long reading a table takes and how much memory it needs: `read FILE [X Y [THREADS [KEEP]]]`.
#![allow(clippy::print_stdout, reason = "the example prints what it measured")]

use std::time::Instant;

use itch_table::{ColumnKind, Input, OpenOptions, ReadOptions, Source, Wanted};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: read FILE [X Y [THREADS [KEEP]]]")?;
    let x = arguments.next().unwrap_or_else(|| "followed".to_owned());
    let y = arguments.next().unwrap_or_else(|| "created".to_owned());
    let mut options = ReadOptions::default();
    if let Some(threads) = arguments.next() {
        options.threads = threads.parse()?;
    }
    let keep = arguments.next();
    options.records = keep.as_deref() == Some("records");
    if let Some(kibibytes) = std::env::var_os("BLOCK") {
        options.block = kibibytes.to_string_lossy().parse::<usize>()? << 10;
    }
    let start = Instant::now();
    let open = OpenOptions {
        expected: vec![x.clone(), y.clone()],
        ..OpenOptions::default()
    };
    let source = Source::open(Input::Path(path.into()), &open)?;
    let number = |field: usize| match source.field(field).map(|field| field.kind) {
        Some(ColumnKind::Time) => Wanted::new(field, ColumnKind::Time),
        _ => Wanted::new(field, ColumnKind::Number),
    };
    let mut wanted = vec![number(source.find(&x)?), number(source.find(&y)?)];
    if keep.is_some() {
        wanted.push(Wanted::new(source.find("name")?, ColumnKind::Text));
    }
    let table = source.read(&wanted, &options)?;
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
