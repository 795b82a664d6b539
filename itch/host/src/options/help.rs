//! The options of `itch help`, `itch completions` and `itch man`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// What `itch help` shows below its options.
pub(crate) const HELP_EXAMPLES: &str = "Examples:\n  itch help followers       the same as `itch followers --help`\n  \
     itch help plugins check   the same as `itch plugins check --help`\n  itch help exit-codes      a topic";

pub(crate) const COMPLETIONS_LONG: &str = "Prints a script that lets the shell complete commands, options and their \
values: reports, columns, caches, formats and renderers, also those of plugins. The script calls itch at each press \
of the Tab key. No plugin is started and no request is sent for it.";

/// How the scripts are installed.
pub(crate) const COMPLETIONS_INSTALL: &str = "Install it:
  bash        echo 'source <(itch completions bash)' >> ~/.bashrc
  zsh         echo 'source <(itch completions zsh)' >> ~/.zshrc
  fish        itch completions fish > ~/.config/fish/completions/itch.fish
  powershell  itch completions powershell >> $PROFILE";

pub(crate) const MAN_LONG: &str = "Writes a manual page for itch and for each of its commands and reports, also \
those of plugins: itch.1, itch-followers.1 and so on. Files of these names are replaced.";

/// What help is wanted about.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub(crate) struct HelpOptions {
    /// A command or report, or a topic; without it, the same as `itch --help`
    #[arg(value_name = "COMMAND|TOPIC")]
    pub(crate) names: Vec<String>,
}

/// Which shell's script is wanted.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub(crate) struct CompletionsOptions {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: Shell,
}

/// A shell with completions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
    Powershell,
}

impl Shell {
    /// The shell's name, as it is typed.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Shell::Bash => "bash",
            Shell::Zsh => "zsh",
            Shell::Fish => "fish",
            Shell::Powershell => "powershell",
        }
    }
}

/// Where the manual pages go.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub(crate) struct ManOptions {
    /// The directory for the pages; it is created if it does not exist
    #[arg(long, value_name = "DIRECTORY")]
    pub(crate) dir: PathBuf,
}
