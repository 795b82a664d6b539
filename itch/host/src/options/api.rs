//! The options of `itch api`. Those of reports have the same meaning as there, and may stand before the command too.

use std::path::{Path, PathBuf};

use clap::Args;
use itch_api::{Error, Result};
use itch_client::Method;

use super::report::ReportOptions;
use super::values::among;
use crate::failure::usage;

pub(crate) const ABOUT: &str = "Send a request to any endpoint of Helix, or a query to GQL";

pub(crate) const LONG_ABOUT: &str = "\
Sends a request to any endpoint of Helix (dev.twitch.tv/docs/api/reference) with your identity, within the rate \
limit, and prints the JSON that comes back. PATH is the path below `helix/`. KEY=VALUE goes into the query, and may be \
given several times for one key.\n\n\
With `--paginate`, `--format`, `--columns` or `--limit` it prints rows of the list `data` instead, as reports do.\n\n\
Anything but GET changes something: on a terminal itch asks first, elsewhere it needs `--yes`.";

pub(crate) const EXAMPLES: &str = "Examples:
  itch api users login=burkeblack
  itch api channels/followers broadcaster_id=76725499 --paginate -f csv
  itch api -X PUT users/blocks 'target_user_id={}' --each ids.txt --dry-run
  itch api -X PATCH channels broadcaster_id=76725499 --field title='Back at six'
  itch api --gql query.graphql login=burkeblack";

/// What is asked for, and how it is sent.
#[derive(Args, Clone, Debug, Default)]
#[group(skip)]
pub(crate) struct ApiOptions {
    /// The path below the Helix base URL, such as `users`; with --gql, the first KEY=VALUE
    #[arg(value_name = "PATH", required_unless_present = "gql")]
    pub(crate) path: Option<String>,
    /// A query parameter; with --gql, a variable of the query
    #[arg(value_name = "KEY=VALUE")]
    pub(crate) parameters: Vec<String>,
    /// The method: GET, POST, PUT, PATCH or DELETE [default: GET]
    #[arg(short = 'X', long, value_name = "METHOD", value_parser = method)]
    pub(crate) method: Option<Method>,
    /// A member of the JSON body: true, false, null and whole numbers are such values, @FILE is a file's text
    #[arg(short = 'F', long, value_name = "KEY=VALUE")]
    pub(crate) field: Vec<String>,
    /// A member of the JSON body that is always text, such as an id
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) raw_field: Vec<String>,
    /// Send this file, which must be JSON, as the body; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["field", "raw_field"])]
    pub(crate) input: Option<PathBuf>,
    /// Print the status and the headers first
    #[arg(short = 'i', long)]
    pub(crate) include: bool,
    /// Print the rows of all pages
    #[arg(long)]
    pub(crate) paginate: bool,
    /// Send the query in this file to GQL; `-` is standard input
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["method", "field", "raw_field", "input", "paginate", "each"]
    )]
    pub(crate) gql: Option<PathBuf>,
    /// Print what would be sent, and send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Send writes without asking
    #[arg(long)]
    pub(crate) yes: bool,
    /// Send the request once for each line of this file, in place of {}; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["paginate", "include"])]
    pub(crate) each: Option<PathBuf>,
    /// The journal of --each, by which a second run continues the first [default: FILE.journal]
    #[arg(long, value_name = "FILE", requires = "each")]
    pub(crate) journal: Option<PathBuf>,
    /// With --each, also send what was sent before without a known result
    #[arg(long, requires = "each")]
    pub(crate) retry_unknown: bool,
    #[command(flatten)]
    pub(crate) report: ReportOptions,
}

/// Options of reports that mean nothing here.
pub(crate) const MEANINGLESS: [&str; 3] = ["direction", "source", "plot"];

impl ApiOptions {
    /// Whether rows are printed instead of the answer.
    pub(crate) fn prints_rows(&self) -> bool {
        let rows = &self.report.rows;
        self.paginate || rows.format.is_some() || rows.columns.is_some() || rows.limit.is_some()
    }

    /// Rejects options that contradict each other or have no meaning.
    pub(crate) fn check(&self) -> Result<()> {
        let rows = &self.report.rows;
        let given = [rows.direction.is_some(), rows.source.is_some(), rows.plot.is_some()];
        if let Some((option, _)) = MEANINGLESS.iter().zip(given).find(|(_, given)| *given) {
            return Err(usage(format!("`--{option}` is an option of reports, not of `itch api`")));
        }
        self.report.answers.check()?;
        let method = self.method.unwrap_or_default();
        let has_body = !self.field.is_empty() || !self.raw_field.is_empty() || self.input.is_some();
        if has_body && !method.writes() {
            return Err(
                usage("a GET has no body").hint("name the method with `-X`, or write KEY=VALUE without `--field`")
            );
        }
        let no_rows = [
            (method.writes(), "a write"),
            (self.each.is_some(), "`--each`"),
            (self.include, "`--include`"),
            (self.gql.is_some(), "`--gql`"),
        ];
        if let Some((_, what)) = no_rows.iter().find(|(is, _)| *is && self.prints_rows()) {
            let option = if self.paginate {
                "`--paginate`"
            } else {
                "an option for rows"
            };
            return Err(usage(format!("{option} cannot be combined with {what}"))
                .hint("`--paginate`, `--format`, `--columns` and `--limit` print the rows of a list"));
        }
        if self.report.answers.offline && (method.writes() || self.include || self.each.is_some()) {
            return Err(usage("`--offline` sends nothing: it is for reading alone"));
        }
        if rows.verdict.is_some() && !self.prints_rows() {
            return Err(usage("`--verdict` is about rows").hint("add `--paginate`"));
        }
        let inputs = [&self.input, &self.each, &self.gql];
        if inputs
            .iter()
            .filter(|file| file.as_deref().is_some_and(is_stdin))
            .count()
            > 1
        {
            return Err(usage("standard input can be read only once"));
        }
        if self.each.as_deref().is_some_and(is_stdin) && self.journal.is_none() && !self.dry_run {
            return Err(usage("a list on standard input needs a journal with a name").hint("add `--journal FILE`"));
        }
        Ok(())
    }
}

/// Whether a path means standard input.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn method(text: &str) -> Result<Method, Error> {
    among(text, Method::ALL.map(Method::name))
}
