//! Standard output, which may go away: a closed terminal, a full disk, `| head`.
//!
//! `println!` panics there, and takes with it what was trained since the last checkpoint. What cannot be
//! written is lost instead, and the program goes on; [`lost`] tells its end.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write};
use std::sync::OnceLock;

/// The first error.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// As `println!`.
macro_rules! say {
    () => { $crate::cli::output::write(format_args!("\n")) };
    ($($argument:tt)*) => {
        $crate::cli::output::write(format_args!("{}\n", format_args!($($argument)*)))
    };
}

/// As `print!`.
macro_rules! say_part {
    ($($argument:tt)*) => { $crate::cli::output::write(format_args!($($argument)*)) };
}

pub(crate) use {say, say_part};

/// Writes to standard output, or remembers why not.
pub fn write(text: Arguments) {
    if let Err(error) = io::stdout().lock().write_fmt(text) {
        let _ = LOST.set(error);
    }
}

/// Why some output could not be written; `None` if all was, or if nobody wanted to read it.
pub fn lost() -> Option<&'static io::Error> {
    // What is still in the buffer must not fail unseen.
    if let Err(error) = io::stdout().lock().flush() {
        let _ = LOST.set(error);
    }
    LOST.get()
        .filter(|error| error.kind() != ErrorKind::BrokenPipe)
}

/// Writes an error to standard error, if that is possible.
pub fn complain(message: Arguments) {
    let _ = writeln!(io::stderr().lock(), "error: {message}");
}

/// Writes what the user should know to standard error, if that is possible.
pub fn warn(message: Arguments) {
    let _ = writeln!(io::stderr().lock(), "warning: {message}");
}
