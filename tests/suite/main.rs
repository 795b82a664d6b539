//! The suite: tests of the real binary, for every report, invalid input, and all output for people.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is how a test fails"
)]

/// Signing in and out, and which identity a run uses.
mod accounts;
/// Renewals of tokens that are killed or interrupted.
#[cfg(unix)]
mod accounts_killed;
/// Signing in on a terminal.
#[cfg(unix)]
mod accounts_terminal;
/// `itch api`.
mod api_command;
/// `itch api --each`, its journal.
mod api_each;
/// Invalid command lines, and channels that do not exist.
mod bad_input;
/// The requests that a cache saves, and what it must never do.
mod cache;
/// The same test for every backend, with real servers.
mod cache_backends;
/// `itch cache`.
mod cache_command;
/// Caches that fail: the right rows, exit 0, one warning.
mod cache_faults;
/// The operations of the backends, key by key.
mod cache_stores;
/// The chat of past broadcasts with every known fault of the service.
mod chat_faults;
/// The chat without faults: whole, in parts, over many connections, and from a cache.
mod chat_runs;
/// Command lines with options that only a plugin knows.
mod command_lines;
/// Damaged answers: each element deleted, emptied, nulled, retyped, reordered.
mod damage;
/// Every report with every kind of fault.
mod fault_matrix;
/// Faults of the service: retried, counted or reported.
mod faults;
/// Whether rustfmt has formatted every item.
mod formatting;
/// `itch help`, completions, manual pages.
mod help_pages;
/// Homes that are none, directories whose place is taken.
mod homes;
/// Help, options before and after the command, formats, output files, verdicts, logs.
mod host;
/// Interrupts, and the output on a pipe during a run.
mod interrupts;
/// Plugins in separate processes, and every way in which they can fail.
mod isolation;
/// Processes that plugins start, and plugins that hang: none outlives a run.
mod isolation_process_group;
/// Invalid rows, unknown statuses, oversized descriptions.
mod isolation_rules;
/// `--source legacy`: the services of 2016, and the output of the old program.
mod legacy;
/// Errors and unexpected answers of the old services.
mod legacy_faults;
/// Third-party libraries, loaded and called through the plugin ABI.
mod loaded;
/// Tests about the repository itself: file names, documents, examples.
mod meta;
/// Proxies, names, certificates, limits, and servers that repeat secrets.
mod network;
/// Certificates that are not accepted.
mod network_tls;
/// Cache directories of the old program.
mod old_cache;
/// Output files that several runs write, or that are there already.
mod outputs;
/// The pages of documentation, and the files and commands that they mention.
mod pages;
/// Every command of every page.
mod pages_run;
/// The parts of pages that are generated.
mod pages_written;
/// `itch plot`: the old command line, bounds, invalid input, the output of each renderer.
mod plot;
/// The files of `itch plot`: the output file, and the formats of rows.
mod plot_files;
/// The page of `itch plot --renderer html` in a browser.
mod plot_page;
/// Golden pictures.
mod plot_pictures;
/// `itch plot` on terminals.
mod plot_terminal;
/// `itch plugins`, for the built-in units.
mod plugins;
/// `itch plugins check`.
mod plugins_checked;
/// Confinement of plugins: forbidden things are refused, allowed ones work.
#[cfg(target_os = "linux")]
mod plugins_confined;
/// Where plugins are found, their names, and that no other plugin is opened.
mod plugins_found;
/// `itch plugins add`, `remove`, `enable`, `disable`, `path`.
mod plugins_managed;
/// `itch plugins new`.
mod plugins_new;
/// Plugins that hang, fork or fail before they are called.
mod plugins_probed;
/// Which plugin files may run: first uses, changes, pins, owners.
mod plugins_trusted;
/// Answers as servers in the field have sent them.
mod real_servers;
/// A server that records its requests.
mod recorder;
/// The reports, each named like its command.
mod reports;
/// `itch sandbox`.
mod sandbox;
/// The day on which it plays.
mod sandbox_day;
/// Signing in to it.
mod sandbox_sign_in;
/// The rate limit of all processes: its file, and what is not trusted.
mod shared_limits;
/// Closed streams, and ignored signals.
mod streams_closed;
/// The output on a terminal.
mod terminal;
/// Missing permissions, failing services, full disks.
mod trouble;
/// Phrases that must not be used.
mod words;
/// A server that records writes.
mod write_server;
