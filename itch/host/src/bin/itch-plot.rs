//! The program `itch-plot`: `itch plot` under its old name.

use std::ffi::OsString;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let name = arguments
        .next()
        .unwrap_or_else(|| OsString::from("itch-plot"));
    itch_host::main([name, OsString::from("plot")].into_iter().chain(arguments))
}
