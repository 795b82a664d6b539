//! `itch plot`: from a file of rows to a picture, drawn by a renderer of the registry.

mod draw;
mod options;
mod record;
mod report;
mod terminal;

use std::path::{Path, PathBuf};

use clap::ArgMatches;
use itch_api::{Error, ErrorKind};
use itch_chart::{KeepText, ReadOptions, read_table};
use itch_plugin::{ChartHint, Mark, Registry};
use itch_table::{BadRows, Input, OpenOptions, read_spans};

use crate::failure::usage;
use crate::printer::Printer;

pub(crate) use options::command;
pub(crate) use report::Plot;

use draw::{Drawing, Place};
use options::Looks;

/// Runs the command and says the exit code.
pub(crate) fn run(registry: &Registry, matches: &ArgMatches, printer: &Printer) -> anyhow::Result<u8> {
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let looks = Looks::read(matches)?;
    let infile = infile(matches)?;
    let streams = matches.get_one::<PathBuf>("streams");
    let place = Place::of(registry, matches, printer)?;
    apart(&infile, streams, place.file())?;
    let named = place.file().is_some();
    let prints = named && !matches.get_flag("silent");

    let hint = ChartHint {
        x: text("x").unwrap_or_else(|| "followed".to_owned()),
        y: text("y").unwrap_or_else(|| "created".to_owned()),
        label: text("name"),
        mark: *matches.get_one::<Mark>("type").unwrap_or(&Mark::Mixed),
    };
    let read = ReadOptions {
        format: matches.get_one("input-format").copied(),
        delimiter: matches.get_one("delimiter").copied(),
        date_format: text("date-format"),
        x: hint.x.clone(),
        y: hint.y.clone(),
        label: hint.label.clone(),
        strict: matches.get_flag("strict"),
        header: options::header(matches),
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        keep_text: match (prints, matches.get_flag("record")) {
            (true, true) => KeepText::Records,
            (true, false) => KeepText::Labels,
            (false, _) if place.wants_everything() => KeepText::Labels,
            _ => KeepText::Nothing,
        },
    };
    // Looked at before the long work: the file that the picture goes to, and the small file of streams.
    let drawing = Drawing::start(place)?;
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
            tell_bad_rows(&found.bad, &path.display().to_string(), printer);
            incomplete |= found.bad.count > 0;
            found.spans.iter().map(|span| (span.start, span.end)).collect()
        }
    };
    let name = infile.display().to_string();
    let table = read_table(input(&infile), &read)?;
    tell_bad_rows(&table.bad, &name, printer);
    tell_empty_rows(table.empty, &table.x.name, &table.y.name, printer);
    incomplete |= table.bad.count > 0;

    let mut request = looks.request(&hint, &table, bands, &drawing)?;
    itch_chart::check(&table, &request)?;
    if !named && printer.stdout_is_terminal {
        terminal::settle(&mut request.target, matches);
    }
    if prints {
        record::print(&table, &request, matches.get_flag("record"))?;
    }
    drawing.finish(table, &request, None, printer)?;
    Ok(if incomplete { 3 } else { 0 })
}

/// The file of rows: named, or whatever is piped in.
fn infile(matches: &ArgMatches) -> anyhow::Result<PathBuf> {
    use std::io::IsTerminal;
    match matches.get_one::<PathBuf>("infile") {
        Some(path) => Ok(path.clone()),
        None if std::io::stdin().is_terminal() => {
            Err(usage("no file of rows is given").hint("itch plot --help").into())
        }
        None => Ok(PathBuf::from("-")),
    }
}

/// Refuses to read the same input twice, and to draw over what is read.
fn apart(infile: &Path, streams: Option<&PathBuf>, picture: Option<&PathBuf>) -> anyhow::Result<()> {
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
            return Err(usage(format!(
                "the picture would take the place of `{}`, which it is drawn from",
                read.display()
            ))
            .hint("give the picture another name")
            .into());
        }
    }
    Ok(())
}

/// Whether two paths lead to one file that is there.
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

/// Counts the rows that were kept out and names the first.
fn tell_bad_rows(bad: &BadRows, name: &str, printer: &Printer) {
    if bad.count == 0 {
        return;
    }
    for (line, reason) in &bad.first {
        printer.warning(&format!("{name}, line {line}: {reason}"));
    }
    printer.warning(&match bad.count {
        1 => "1 row is left out".to_owned(),
        count => format!("{count} rows are left out"),
    });
}

/// Counts the rows that have nothing to draw: accounts that are gone have no date of creation.
fn tell_empty_rows(empty: u64, x: &str, y: &str, printer: &Printer) {
    match empty {
        0 => {}
        1 => printer.note(&format!("1 row is not drawn, as it has no {x} or no {y}")),
        rows => printer.note(&format!("{rows} rows are not drawn, as they have no {x} or no {y}")),
    }
}

/// The error for a name that chooses no renderer.
fn no_renderer(registry: &Registry, message: String) -> Error {
    let known: Vec<String> = registry
        .renderers()
        .map(|(spec, _)| match spec.extensions.as_slice() {
            [] => spec.name.clone(),
            extensions => format!("{} (.{})", spec.name, extensions.join(", .")),
        })
        .collect();
    if known.is_empty() {
        return Error::new(ErrorKind::Usage, "this itch has no renderer").hint("itch plugins list shows what there is");
    }
    usage(message).hint(format!("the renderers are {}", known.join(", ")))
}
