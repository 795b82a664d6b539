//! Runs the command that was given, and reports what is wrong with an invalid command line.

use anyhow::Context;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::failure::{Failure, usage};
use crate::help::topics::Topic;
use crate::options::{CommandLine, Invocation, OwnCommand};
use crate::plan::ReportPlan;
use crate::plugins::discovery::Plugins;
use crate::printer::Printer;
use crate::stdout::stdout;
use crate::{
    account, api_command, cache_command, doctor, exit_codes, help, log, plot, plugins, run, sandbox, trial_error,
};

/// Runs the command and returns the exit code.
pub(crate) fn dispatch(plugins: &Plugins, line: CommandLine, printer: &Printer) -> anyhow::Result<u8> {
    for error in plugins.pointless_settings() {
        printer.warning(&format!("config.toml: {error:#}"));
    }
    let manages = matches!(&line.invocation, Invocation::Own(own) if matches!(own.command, OwnCommand::Plugins(_)));
    let refused = plugins.refused_by_name().filter(|_| !manages);
    if let Some(error) = refused.or_else(|| plugins.refused_preference()) {
        return Err(error.into());
    }
    log::start(printer);
    let registry = &plugins.registry;
    let own = match line.invocation {
        Invocation::Report(report) => {
            let found = registry.report(&report.name);
            let (spec, unit) = found.with_context(|| format!("there is no report `{}`", report.name))?;
            return run::run(ReportPlan::new(registry, spec, unit, *report, printer)?, printer);
        }
        Invocation::Own(own) => own,
    };
    if let Some(option) = own.misplaced {
        return Err(usage(format!("`--{option}` is an option of reports, not of `itch {}`", own.name)).into());
    }
    match &own.command {
        OwnCommand::Api(options) => api_command::run(registry, options, printer),
        OwnCommand::Cache(command) => cache_command::run(registry, command, printer),
        OwnCommand::Completions(options) => help::completions::run(options),
        OwnCommand::Doctor(options) => doctor::run(plugins, options, printer),
        OwnCommand::Help(options) => help::run(registry, options),
        OwnCommand::Login(options) => account::login::run(registry, options, printer),
        OwnCommand::Logout(options) => account::logout::run(options, printer),
        OwnCommand::Man(options) => help::man::run(registry, options, printer),
        OwnCommand::Plot(options) => plot::run(registry, options, printer),
        OwnCommand::Plugins(command) => plugins::run(plugins, command, printer),
        OwnCommand::Sandbox(options) => sandbox::serve(options, printer),
        OwnCommand::Whoami(options) => account::whoami::run(registry, options, printer),
    }
}

/// Reports what is wrong with a command line, and returns the exit code. An unknown command may belong to a plugin that
/// cannot be used. `for_help`: the command line was `itch help`.
pub(crate) fn refuse(
    plugins: &Plugins,
    command: Option<&str>,
    for_help: bool,
    error: clap::Error,
) -> anyhow::Result<u8> {
    if error.kind() != ErrorKind::InvalidSubcommand {
        return print(error);
    }
    let refused = plugins.refused_by_name();
    if let Some(refused) = refused.or_else(|| plugins.refused_preference()) {
        return Err(refused.into());
    }
    if let Some(conflict) = plugins.registry.conflict("report", command.unwrap_or_default()) {
        return Err(conflict.into());
    }
    let name = command.unwrap_or_default();
    if for_help && !help::is_command(&plugins.registry, name) {
        return Err(help::unknown(&plugins.registry, name).into());
    }
    let code = print(error)?;
    if Topic::of(&[name.to_owned()]).is_some() {
        Printer::default().say(&format!("hint: itch help {name}"));
    }
    if plugins.unusable() > 0 {
        let (n, s) = match plugins.unusable() {
            1 => (1, ""),
            n => (n, "s"),
        };
        Printer::default().say(&format!("hint: {n} plugin{s} cannot be used; `itch plugins list` says why"));
    }
    Ok(code)
}

/// Prints clap's output (help, the version, or an error about the command line) and returns the exit code.
fn print(mut error: clap::Error) -> anyhow::Result<u8> {
    // clap lists several similar names, old ones among them, with the best one last. One is enough.
    if let Some(ContextValue::Strings(names)) = error.get(ContextKind::SuggestedSubcommand)
        && let Some(best) = names.last().cloned()
    {
        let best = ContextValue::Strings(vec![best]);
        error.insert(ContextKind::SuggestedSubcommand, best);
    }
    if error.use_stderr() {
        trial_error::write(&Failure::from(&error));
    }
    if !error.use_stderr() {
        stdout()?;
    }
    match error.print() {
        // Help that could not be written is a failure. For an error message that could not be, the exit code is enough.
        Err(cause) if !error.use_stderr() && cause.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(cause).context("the help could not be written")
        }
        _ => Ok(u8::try_from(error.exit_code()).unwrap_or(exit_codes::USAGE)),
    }
}
