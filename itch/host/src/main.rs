//! The program `itch`: everything is in the library, so that tests and a second program can use it.

use std::process::ExitCode;

fn main() -> ExitCode {
    itch_host::main(std::env::args_os())
}
