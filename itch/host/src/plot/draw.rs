//! Chooses the file of a picture and its renderer, before the rows are read, and draws the picture.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use itch_api::{Error, ErrorKind, Result};
use itch_chart::{Dots, Request, Table, build};
use itch_plugin::abi::LogHost;
use itch_plugin::abi::drive::render;
use itch_plugin::{Colors, Detail, Origin, Registered, Registry, RendererSpec, Target};

use super::{signature, terminal};
use crate::failure::usage;
use crate::interrupt::{Interrupts, end_now};
use crate::log::plugin_line;
use crate::nearest::suggest;
use crate::options::plot::{GraphicsChoice, PlotOptions};
use crate::outfile::{Existing, Incomplete, Outfile};
use crate::printer::Printer;
use crate::stdout::stdout;

/// The size of text, in points.
const POINTS: f64 = 10.0;
/// The smallest size of text that can be read, in pixels.
const LEAST_TEXT: f64 = 7.0;

/// A renderer, and where its picture goes.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    spec: &'a RendererSpec,
    unit: &'a Registered,
    /// `None` is stdout.
    path: Option<PathBuf>,
    target: Target,
}

impl<'a> Place<'a> {
    /// Chooses by the options of `itch plot`.
    pub(crate) fn of(registry: &'a Registry, options: &PlotOptions, printer: &Printer) -> anyhow::Result<Place<'a>> {
        let given = options.picture();
        let path = given.filter(|path| path.as_os_str() != "-").map(Path::to_owned);
        let on_terminal = path.is_none() && printer.stdout_is_terminal;
        let (spec, unit) = match (&options.renderer, &path) {
            (Some(name), _) => registry.renderer(name).ok_or_else(|| {
                let unknown = || {
                    let message = format!("there is no renderer `{}`", name.escape_debug());
                    let known = registry.renderers().map(|(spec, _)| spec.name.as_str());
                    suggest(no_renderer(registry, message), name, known)
                };
                registry.conflict("renderer", name).unwrap_or_else(unknown)
            })?,
            (None, Some(path)) => by_extension(registry, path)?,
            (None, None) if on_terminal => {
                let found = registry.renderers().find(|(spec, _)| spec.terminal);
                found.ok_or_else(|| no_renderer(registry, "no renderer draws on a terminal".to_owned()))?
            }
            (None, None) => {
                let message = "stdout has no file name that chooses a renderer";
                return Err(match given {
                    Some(_) => no_renderer(registry, format!("{message}: give --renderer")),
                    None => usage("stdout is not a terminal, and no picture was named")
                        .hint("itch plot followers.tsv plot.png"),
                }
                .into());
            }
        };
        if path.is_none()
            && printer.stdout_is_terminal
            && !spec.terminal
            && !spec.media_type.starts_with("text/")
            && spec.detail != Detail::All
        {
            return Err(usage(format!("a terminal cannot show what `{}` writes", spec.name))
                .hint("name a file, or redirect stdout to one")
                .into());
        }
        let (size, dpi) = (options.looks.size, options.looks.dpi);
        let target = if spec.terminal {
            let graphics = options.looks.graphics.and_then(GraphicsChoice::named);
            let colors = match printer.color(printer.stdout_is_terminal) {
                true => Colors::True,
                false => Colors::None,
            };
            terminal::target(graphics, size, dpi, colors, on_terminal)
        } else {
            picture(size, dpi)
        };
        Ok(Place {
            spec,
            unit,
            path,
            target,
        })
    }

    /// The picture's file; `None` is stdout.
    pub(crate) fn file(&self) -> Option<&PathBuf> {
        self.path.as_ref()
    }

    /// A picture of the default size, with the renderer that its file name chooses.
    pub(crate) fn named(registry: &'a Registry, path: PathBuf) -> Result<Place<'a>> {
        let (spec, unit) = by_extension(registry, &path)?;
        let target = if spec.terminal {
            terminal::target(None, None, None, Colors::None, false)
        } else {
            picture(None, None)
        };
        Ok(Place {
            spec,
            unit,
            path: Some(path),
            target,
        })
    }

    /// Whether the renderer takes every point with its label.
    pub(crate) fn wants_everything(&self) -> bool {
        self.spec.detail == Detail::All
    }
}

/// The renderer that a file's extension chooses.
fn by_extension<'a>(registry: &'a Registry, path: &Path) -> Result<(&'a RendererSpec, &'a Registered)> {
    let extension = path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default();
    registry.renderer_by_extension(extension).ok_or_else(|| {
        let name = path.display().to_string();
        no_renderer(registry, format!("no renderer draws `{}`", name.escape_debug()))
    })
}

/// The size of a picture, and of its text and lines.
fn picture(size: Option<(u32, u32)>, dpi: Option<f64>) -> Target {
    let usual = Target::default();
    let (width, height) = size.unwrap_or((usual.width, usual.height));
    let (across, down) = (f64::from(width), f64::from(height));
    // Text shrinks with the picture, but more slowly.
    let share = (across / f64::from(usual.width)).min(down / f64::from(usual.height));
    let dpi = dpi.unwrap_or((usual.dpi * share.sqrt()).clamp(48.0, 600.0));
    // Whatever the options are, text stays readable and leaves room for the data.
    let most = (down / 14.0).min(across / 20.0).max(LEAST_TEXT);
    Target {
        width,
        height,
        dpi,
        text: (dpi * POINTS / 72.0).round().clamp(LEAST_TEXT, most),
        line: (dpi / 72.0).max(1.0),
        terminal: None,
    }
}

/// A picture about to be drawn. Its file is open already, so that an error was reported before the work.
pub(crate) struct Drawing<'a> {
    place: Place<'a>,
    outfile: Option<Outfile>,
}

impl<'a> Drawing<'a> {
    pub(crate) fn start(place: Place<'a>, existing: Existing) -> anyhow::Result<Drawing<'a>> {
        let outfile = place.path.as_deref();
        let outfile = outfile
            .map(|path| Outfile::create(path, Incomplete::Gone, existing))
            .transpose()?;
        Ok(Drawing { place, outfile })
    }

    pub(crate) fn target(&self) -> Target {
        self.place.target.clone()
    }

    pub(crate) fn detail(&self) -> Detail {
        self.place.spec.detail
    }

    /// Whether the renderer takes every point with its label.
    pub(crate) fn wants_everything(&self) -> bool {
        self.place.wants_everything()
    }

    /// Draws the picture, and gives the file its name. `interrupts`: the handler, if one is set already.
    pub(crate) fn finish(
        self,
        table: Table,
        request: &Request,
        interrupts: Option<&Interrupts>,
        printer: &Printer,
    ) -> anyhow::Result<()> {
        self.end_at_interrupt(interrupts, printer)?;
        let built = build(table, request)?;
        for note in &built.notes {
            printer.note(note);
        }
        let spec = self.place.spec;
        if let (true, Dots::Auto, Detail::Points(most)) = (built.gathered, request.dots, spec.detail) {
            printer.note(&format!(
                "{}: {} dots are drawn as one image, because they are more than {}; `--dots single` draws each dot",
                spec.name, built.dots, most
            ));
        }
        let item = self.place.unit.item;
        let host = Arc::new(LogHost::new(plugin_line));
        let draw = |out: &mut dyn Write| render(item, host, &built.chart, out);
        match self.outfile {
            Some(mut outfile) => {
                let name = format!("`{}`", outfile.path().display());
                written(outfile.file(), &name, &self.place, draw)?;
                Ok(outfile.finish()?)
            }
            None => written(stdout()?.lock(), "stdout", &self.place, draw),
        }
    }
}

impl Drawing<'_> {
    /// Makes an interrupt end the program immediately, without a picture.
    fn end_at_interrupt(&self, interrupts: Option<&Interrupts>, printer: &Printer) -> anyhow::Result<()> {
        let part = self.outfile.as_ref().and_then(Outfile::part);
        let (part, printer) = (part.map(Path::to_owned), printer.clone());
        let answer = move || {
            if let Some(part) = part {
                let _ = std::fs::remove_file(part);
            }
            printer.say("interrupted: no picture was drawn");
            end_now();
        };
        match interrupts {
            Some(interrupts) => interrupts.answer(answer),
            None => drop(Interrupts::catch(answer)?),
        }
        Ok(())
    }
}

/// A writer that keeps its error, since a renderer may report another one.
struct Out<W: Write> {
    out: BufWriter<W>,
    failed: Option<io::Error>,
    /// The first bytes, by which the type of the picture is checked.
    first: Vec<u8>,
}

impl<W: Write> Out<W> {
    fn noted<T>(&mut self, done: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &done {
            self.failed = Some(io::Error::new(error.kind(), error.to_string()));
        }
        done
    }
}

impl<W: Write> Write for Out<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let done = self.out.write(bytes);
        if let Ok(count) = done {
            let missing = signature::LENGTH.saturating_sub(self.first.len());
            self.first.extend(bytes.iter().take(count.min(missing)));
        }
        self.noted(done)
    }

    fn flush(&mut self) -> io::Result<()> {
        let done = self.out.flush();
        self.noted(done)
    }
}

/// Writes what is drawn, and checks that it is a picture of the renderer's type. It is no error if the reader closed the
/// pipe.
fn written(
    out: impl Write,
    name: &str,
    place: &Place<'_>,
    draw: impl FnOnce(&mut dyn Write) -> Result<()>,
) -> anyhow::Result<()> {
    let mut out = Out {
        out: BufWriter::with_capacity(1 << 16, out),
        failed: None,
        first: Vec::new(),
    };
    let drawn = draw(&mut out).and_then(|()| Ok(out.flush()?));
    match out.failed.take() {
        Some(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Some(error) => Err(anyhow::Error::new(error).context(format!("{name} cannot be written"))),
        None => {
            drawn?;
            match signature::fault(&place.spec.media_type, &out.first) {
                None => Ok(()),
                Some(fault) => Err(no_picture(place, &fault).into()),
            }
        }
    }
}

/// The error about a renderer that did not write a picture.
fn no_picture(place: &Place<'_>, fault: &str) -> Error {
    let name = match place.unit.origin {
        Origin::LinkedIn => format!("the renderer `{}`", place.spec.name),
        Origin::File { .. } => format!("the renderer `{}` of the plugin `{}`", place.spec.name, place.unit.plugin),
    };
    Error::new(ErrorKind::Failed, format!("{name} did not draw a picture")).cause(fault)
}

/// The error if no renderer was found, with a list of those there are.
fn no_renderer(registry: &Registry, message: String) -> Error {
    let known: Vec<String> = registry
        .renderers()
        .map(|(spec, _)| match spec.extensions.as_slice() {
            [] => spec.name.clone(),
            extensions => format!("{} (.{})", spec.name, extensions.join(", .")),
        })
        .collect();
    if known.is_empty() {
        return Error::new(ErrorKind::Usage, "there are no renderers").hint("itch plugins list");
    }
    usage(message).hint(format!("the renderers are {}", known.join(", ")))
}
