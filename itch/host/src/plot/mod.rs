//! `itch plot`: from a file of rows to a picture, drawn by a renderer of the registry.

mod draw;
mod record;
mod request;
mod rows;
mod signature;
mod terminal;
mod warnings;

use std::path::{Path, PathBuf};

use itch_chart::{KeepText, ReadOptions, Request, read_table};
use itch_plugin::{ChartHint, Registry};
use itch_table::{Input, OpenOptions, read_spans};

use crate::exit_codes::{DONE, EXIT_GAPS};
use crate::failure::usage;
use crate::options::plot::PlotOptions;
use crate::printer::Printer;
use crate::stdout::stdout;
use draw::{Drawing, Place};
use request::Looks;
use warnings::{note_empty_rows, warn_of_bad_rows};

pub(crate) use rows::Plot;

/// Runs the command and returns the exit code.
pub(crate) fn run(registry: &Registry, options: &PlotOptions, printer: &Printer) -> anyhow::Result<u8> {
    let data = &options.data;
    let looks = Looks::new(options);
    let infile = infile(options)?;
    let streams = data.streams.as_ref();
    let place = Place::of(registry, options, printer)?;
    check_distinct(&infile, streams, place.file())?;
    let named = place.file().is_some();
    let prints = named && !data.silent;
    if prints || !named {
        // Before the work, too.
        stdout()?;
    }
    let (hint, read) = reading(options, prints, place.wants_everything());
    // Before the long work: opening the picture's file, and reading the small file of streams.
    let drawing = Drawing::start(place, options.existing.choice().unwrap_or_default())?;
    let mut incomplete = false;
    let bands = match streams {
        None => Vec::new(),
        Some(path) => {
            let open = OpenOptions {
                delimiter: read.delimiter,
                date_format: read.date_format.clone(),
                ..OpenOptions::default()
            };
            let rows = itch_table::ReadOptions {
                strict: read.strict,
                ..itch_table::ReadOptions::default()
            };
            let found = read_spans(input(path), &open, &rows)
                .map_err(|error| error.context(format!("the streams in `{}` cannot be read", path.display())))?;
            warn_of_bad_rows(&found.bad, &path.display().to_string(), printer);
            incomplete |= found.bad.count > 0;
            found.spans.iter().map(|span| (span.start, span.end)).collect()
        }
    };
    let name = infile.display().to_string();
    let table = read_table(input(&infile), &read)?;
    warn_of_bad_rows(&table.bad, &name, printer);
    note_empty_rows(table.empty, &table.x.name, &table.y.name, printer);
    incomplete |= table.bad.count > 0;

    let mut request = looks.request(&hint, &table, bands, &drawing)?;
    itch_chart::check(&table, &request)?;
    if !named && printer.stdout_is_terminal {
        terminal::settle(&mut request.target, &options.looks);
    }
    if prints {
        record::print(&table, &request, data.record)?;
    }
    drawing.finish(table, &request, None, printer)?;
    Ok(if incomplete { EXIT_GAPS } else { DONE })
}

/// Which columns of the rows are read, and how.
fn reading(options: &PlotOptions, prints: bool, wants_everything: bool) -> (ChartHint, ReadOptions) {
    let data = &options.data;
    let default = ReadOptions::default();
    let hint = ChartHint {
        x: data.x.clone().unwrap_or_else(|| default.x.clone()),
        y: data.y.clone().unwrap_or_else(|| default.y.clone()),
        label: data.name.clone(),
        mark: options.looks.mark.unwrap_or(Request::default().mark),
    };
    let read = ReadOptions {
        format: data.input_format,
        delimiter: data.delimiter,
        date_format: data.date_format.clone(),
        x: hint.x.clone(),
        y: hint.y.clone(),
        label: hint.label.clone(),
        strict: data.strict,
        header: data.header(),
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        keep_text: match (prints, data.record) {
            (true, true) => KeepText::Records,
            (true, false) => KeepText::Labels,
            (false, _) if wants_everything => KeepText::Labels,
            _ => KeepText::Nothing,
        },
    };
    (hint, read)
}

/// The file of rows, or stdin.
fn infile(options: &PlotOptions) -> anyhow::Result<PathBuf> {
    use std::io::IsTerminal;
    match &options.infile {
        Some(path) => Ok(path.clone()),
        None if std::io::stdin().is_terminal() => {
            Err(usage("no file with rows was given").hint("itch plot --help").into())
        }
        None => Ok(PathBuf::from("-")),
    }
}

/// Rejects reading stdin twice, and a picture that would overwrite its input.
fn check_distinct(infile: &Path, streams: Option<&PathBuf>, picture: Option<&PathBuf>) -> anyhow::Result<()> {
    let stdin = Path::new("-");
    if infile == stdin && streams.is_some_and(|streams| streams == stdin) {
        return Err(usage("rows and streams cannot both come from stdin")
            .hint("name the file of one of them")
            .into());
    }
    let Some(picture) = picture else {
        return Ok(());
    };
    for read in [Some(infile), streams.map(PathBuf::as_path)].into_iter().flatten() {
        if read != stdin && same_file(read, picture) {
            return Err(usage(format!("the picture would overwrite `{}`, from which it is drawn", read.display()))
                .hint("give the picture another name")
                .into());
        }
    }
    Ok(())
}

/// Whether two paths are the same existing file.
fn same_file(one: &Path, other: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let of = |path: &Path| {
            let found = std::fs::metadata(path).ok().filter(|found| found.is_file());
            found.map(|found| (found.dev(), found.ino()))
        };
        of(one).is_some_and(|one| of(other) == Some(one))
    }
    #[cfg(not(unix))]
    {
        let of = |path: &Path| std::fs::canonicalize(path).ok();
        of(one).is_some_and(|one| of(other) == Some(one))
    }
}

fn input(path: &Path) -> Input {
    if path.as_os_str() == "-" {
        Input::Stdin
    } else {
        Input::Path(path.to_owned())
    }
}
