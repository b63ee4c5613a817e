//! The `sexton` command: arguments in, exit code out.

use std::process::ExitCode;

/// Thousands of small, short-lived buffers a second: mimalloc keeps them off the system allocator's locks.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    sexton::cli::run(std::env::args_os())
}
