//! The program `itch-plot`: `itch plot` under its old name.

use std::process::ExitCode;

fn main() -> ExitCode {
    itch_host::plot_main(std::env::args_os())
}
