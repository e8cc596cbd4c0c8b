//! The `appmarket` program.
use std::process::ExitCode;

use mimalloc::MiMalloc;

/// A quarter more requests per second than the system's allocator.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    appmarket::commands::run()
}
