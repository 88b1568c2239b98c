//! What this program is called, so that its hints can be typed as they are.

/// The environment variable in which whatever starts the program says how it was started.
pub const VARIABLE: &str = "SPARLING_PROGRAM";

/// How the user starts this program.
pub fn name() -> String {
    std::env::var(VARIABLE).unwrap_or_else(|_| "sparling".to_owned())
}
