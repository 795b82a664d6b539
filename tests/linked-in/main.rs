//! An itch with a third party's report linked in, to be compared with one that loads it.

use std::process::ExitCode;

use itch_fixture_report as _;

fn main() -> ExitCode {
    itch_host::main(std::env::args_os())
}
