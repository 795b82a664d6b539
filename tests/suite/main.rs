//! The suite: every report, every bad input, everything that a person sees, on the real binary.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is how a test fails"
)]

/// Wrong command lines, and channels that do not exist.
mod bad_input;
/// What a cache saves, and what it may never do.
mod cache;
/// One body for every backend, on real servers.
mod cache_backends;
/// `itch cache`.
mod cache_command;
/// Caches that fail: the right rows, exit 0, one warning.
mod cache_faults;
/// The backends themselves, key by key.
mod cache_stores;
/// The chat of past broadcasts while its service does everything wrong that it has been seen to do.
mod chat_faults;
/// The same without faults: whole, in parts, over many connections, and from a cache.
mod chat_runs;
/// Command lines of plugins, whose options only they know.
mod command_lines;
/// Faults on the way: retried, counted, or said.
mod faults;
/// Whether rustfmt has formatted every item.
mod formatting;
/// Help, options before and after, formats, output files, verdicts, logs.
mod host;
/// Interrupts, and what the reader of a pipe sees while a run goes on.
mod interrupts;
/// Plugins in processes of their own, and everything that they can do wrong there.
mod isolation;
/// The processes that plugins start, and what hangs in one: nothing outlives a run.
mod isolation_process_group;
/// Rows that are none, statuses that mean nothing, descriptions without end.
mod isolation_rules;
/// `--source legacy`: the services of 2016, and what the old program printed.
mod legacy;
/// What the old services say instead of an answer.
mod legacy_faults;
/// Libraries of third parties, loaded and driven through the boundary.
mod loaded;
/// Tests about the repository itself: file names, documents, examples.
mod meta;
/// Cache directories of the old program.
mod old_cache;
/// The pages of documentation: which there are, what they name.
mod pages;
/// Every command of every page.
mod pages_run;
/// The parts of pages that are generated.
mod pages_written;
/// `itch plot`: the old command line, bounds, bad input, what each renderer writes.
mod plot;
/// The files of `itch plot`: where a picture goes, and the forms of rows.
mod plot_files;
/// The page of `itch plot --renderer html` in a browser.
mod plot_page;
/// Golden pictures.
mod plot_pictures;
/// `itch plot` on terminals.
mod plot_terminal;
/// `itch plugins`, of what is built in.
mod plugins;
/// `itch plugins check`.
mod plugins_checked;
/// Where plugins are found, by which names, and that no other is opened.
mod plugins_found;
/// `itch plugins add`, `remove`, `enable`, `disable`, `path`.
mod plugins_managed;
/// `itch plugins new`.
mod plugins_new;
/// Files that hang, fork or fail before anybody calls them.
mod plugins_probed;
/// Which files may run: first uses, changes, pins, owners.
mod plugins_trusted;
/// A server that writes down what it is asked.
mod recorder;
/// Each report, by the name the user types.
mod reports;
/// `itch sandbox`.
mod sandbox;
/// What a terminal shows.
mod terminal;
/// Missing rights, broken services, full disks.
mod trouble;
