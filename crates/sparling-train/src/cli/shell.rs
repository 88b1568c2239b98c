//! `sparling completions` and `sparling man`: what a shell and a system want to know of the program.

use std::io;

use anyhow::Result;
use clap::{Args, Command, CommandFactory};
use clap_complete::Shell;

use super::Cli;
use super::output::say_part;

/// What `completions` takes.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell; its own documentation says where the script goes.
    shell: Shell,
}

impl Completions {
    pub(super) fn run(self) -> Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "sparling", &mut script);
        say_part!("{}", String::from_utf8_lossy(&script));
        Ok(())
    }
}

/// Prints the manual, of the program and of every command after it, as roff.
pub(super) fn manual() -> Result<()> {
    let mut pages = Vec::new();
    let mut program = Cli::command();
    program.build();
    page(&program, &mut pages)?;
    say_part!("{}", String::from_utf8_lossy(&pages));
    Ok(())
}

fn page(command: &Command, pages: &mut Vec<u8>) -> io::Result<()> {
    clap_mangen::Man::new(command.clone()).render(pages)?;
    let own = |command: &&Command| command.get_name() != "help";
    command
        .get_subcommands()
        .filter(own)
        .try_for_each(|command| page(command, pages))
}
