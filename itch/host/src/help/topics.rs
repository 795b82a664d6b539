//! The topics of `itch help`: what concerns several commands, on a page each.

use itch_output::Format;
use itch_plugin::{Registry, Variable};
use itch_table::InputFormat;

use crate::config::DEFAULT_CACHE;
use crate::{environment, exit_codes};

/// A page of help that is not about one command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    ExitCodes,
    Environment,
    Formats,
    Caches,
    PluginFiles,
}

impl Topic {
    /// Every topic.
    pub(crate) const ALL: [Topic; 5] = [
        Topic::ExitCodes,
        Topic::Environment,
        Topic::Formats,
        Topic::Caches,
        Topic::PluginFiles,
    ];

    /// The name for `itch help`. No command and no report has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Topic::ExitCodes => "exit-codes",
            Topic::Environment => "environment",
            Topic::Formats => "formats",
            Topic::Caches => "caches",
            Topic::PluginFiles => "plugin-files",
        }
    }

    /// What it is about, on one line.
    pub(crate) fn summary(self) -> &'static str {
        match self {
            Topic::ExitCodes => "What the exit codes mean",
            Topic::Environment => "Environment variables, of itch and of its caches and reports",
            Topic::Formats => "Formats of rows that are written or read, and of pictures",
            Topic::Caches => "Caches and their settings",
            Topic::PluginFiles => "Where plugins are looked for, and which of them are used",
        }
    }

    /// The topic of this name, if these words are the name of one.
    pub(crate) fn of(words: &[String]) -> Option<Topic> {
        let [name] = words else {
            return None;
        };
        Topic::ALL.into_iter().find(|topic| topic.name() == name)
    }

    /// The whole page.
    pub(crate) fn text(self, registry: &Registry) -> String {
        let body = match self {
            Topic::ExitCodes => exit_codes_page(),
            Topic::Environment => environment_page(registry),
            Topic::Formats => formats_page(registry),
            Topic::Caches => caches_page(registry),
            Topic::PluginFiles => PLUGIN_FILES.to_owned(),
        };
        format!("{}\n\n{}\n", self.summary(), body.trim_end())
    }
}

const PLUGIN_FILES: &str = "Plugins are looked for in this order:
  1. files that `--plugin FILE` names
  2. directories in ITCH_PLUGIN_PATH, separated by colons
  3. directories in `path` below `[plugins]` in config.toml
  4. your plugin directory, which `itch plugins path` prints
  5. /usr/local/lib/itch/plugins and /usr/lib/itch/plugins

In a directory, every *.so, *.dylib and *.dll whose name does not begin with a dot is a plugin.

A name that several plugins have means the built-in report, cache or renderer, or else the first in
this order. `--prefer NAME=PLUGIN` chooses another one; PLUGIN/NAME always works.

`--no-plugins` and ITCH_NO_PLUGINS leave out everything that is not built in.

In config.toml:
  [plugins]
  path = [\"/opt/itch/plugins\"]          directories to look in
  prefer = { followers = \"my-reports\" }  a name, and the plugin that it means
  policy = \"pinned\"                      use only plugins that were added or trusted
  in-process = [\"my-reports\"]            run these inside itch, from their second use on

Commands:
  itch plugins list        every plugin, and why one cannot be used
  itch plugins check FILE  try a plugin before it is added
  itch plugins add FILE    copy a plugin into your plugin directory, and trust it
  itch plugins trust NAME  trust a plugin that is new or has changed";

/// Lines of two columns.
fn lines(rows: &[(String, String)]) -> String {
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines = rows.iter().map(|(name, help)| format!("  {name:width$}  {help}"));
    let lines: Vec<String> = lines.map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n") + "\n"
}

fn exit_codes_page() -> String {
    let rows = exit_codes::MEANINGS.map(|(code, meaning)| (code.to_string(), meaning.to_owned()));
    lines(&rows)
}

fn variable_rows(variables: impl IntoIterator<Item = Variable>) -> Vec<(String, String)> {
    let rows = variables.into_iter().map(|variable| {
        let default = variable.default.map(|default| format!(" [default: {default}]"));
        (variable.name, variable.help + &default.unwrap_or_default())
    });
    rows.collect()
}

fn environment_page(registry: &Registry) -> String {
    let mut page = lines(&variable_rows(environment::variables()));
    let reports = registry
        .reports()
        .map(|(spec, _)| ("report", &spec.name, &spec.variables));
    let caches = registry
        .caches()
        .map(|(spec, _)| ("cache", &spec.name, &spec.variables));
    for (kind, name, variables) in reports.chain(caches) {
        if !variables.is_empty() {
            page.push_str(&format!("\nOf the {kind} {name}:\n{}", lines(&variable_rows(variables.clone()))));
        }
    }
    page
}

fn formats_page(registry: &Registry) -> String {
    let written = Format::ALL.map(|format| (format.name().to_owned(), format.summary().to_owned()));
    let pictures = registry.renderers().map(|(spec, _)| {
        let extensions = spec.extensions.iter().map(|extension| format!(".{extension}"));
        let extensions: Vec<String> = extensions.collect();
        let files = match extensions.as_slice() {
            [] => String::new(),
            extensions => format!(" ({})", extensions.join(", ")),
        };
        (spec.name.clone(), format!("{}{files}", spec.summary))
    });
    let pictures: Vec<(String, String)> = pictures.collect();
    format!(
        "Rows that a report writes (-f, --format; otherwise the file name of -o decides, then tsv on a\n\
         pipe and table on a terminal):\n{}\n\
         Rows that `itch plot` reads (--input-format; otherwise the file's name and content decide):\n  {}\n  \
         also compressed with gzip or zstd\n\n\
         Pictures that `itch plot` and --plot write (--renderer; otherwise the picture's file name decides):\n{}",
        lines(&written),
        InputFormat::names(", "),
        lines(&pictures),
    )
}

fn caches_page(registry: &Registry) -> String {
    let caches = registry
        .caches()
        .map(|(spec, _)| (spec.name.clone(), spec.summary.clone()));
    let caches: Vec<(String, String)> = caches.collect();
    let mut page = format!(
        "A cache keeps responses, so that a repeated or interrupted run does not send completed requests\n\
         again. `-c NAME` names one, or several separated by commas; `-c none` uses none.\n\n{}\n\
         Options of reports:\n{}\n\
         In config.toml, the caches that are used without -c:\n  [cache]\n  use = [\"{DEFAULT_CACHE}\"]\n\n\
         `itch cache` shows and removes what is stored.\n",
        lines(&caches),
        lines(&CACHE_OPTIONS.map(|(option, meaning)| (option.to_owned(), meaning.to_owned()))),
    );
    for (spec, _) in registry.caches().filter(|(spec, _)| !spec.variables.is_empty()) {
        let variables = lines(&variable_rows(spec.variables.clone()));
        page.push_str(&format!("\nEnvironment variables of {}:\n{variables}", spec.name));
    }
    page
}

const CACHE_OPTIONS: [(&str, &str); 6] = [
    ("--max-age TIME", "use stored responses up to this age"),
    ("--refresh", "fetch everything again, and store it"),
    ("--offline", "use stored responses only, however old"),
    ("--stale-if-error TIME", "if Twitch fails, use stored responses that are older by up to this time"),
    ("--cache-size SIZE", "how large the cache may grow"),
    ("--cache-strict", "end the run if the cache fails"),
];
