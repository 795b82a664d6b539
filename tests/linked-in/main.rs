//! An itch with a third-party report linked in, for comparison with one that loads it.

use std::process::ExitCode;

use itch_fixture_report as _;

fn main() -> ExitCode {
    itch_host::main(std::env::args_os())
}
