//! Tasks around the project: `cargo xtask` lists them.

mod cargo;
mod check;
mod program;

use std::env;
use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use anyhow::Result;

const HELP: &str = "\
Usage: cargo xtask <COMMAND> [ARGUMENTS]

The sparling program, built in release mode with the backend that --backend asks for:
  init       Look over a folder of your own, and write a configuration for it
  train      Train a model, or go on with a run
  experiment Train every run of an experiment file that is not trained yet
  evaluate   Measure a run's model on examples it was not trained on
  binning    Measure how many bits the strength of a run's motifs carries
  direct     Compare a run's motif model with one that was shown labels
  causality  Count the outputs that follow motifs given to another channel
  sample     Look at examples of a domain
  report     Put runs side by side on one page
  explain    Show which motifs each output token comes from
  serve      Look inside a run on a page: motifs to move, densities, channels
  trust      Measure, without any truth, how far runs can be trusted
  intervene  Change motifs of an input, and see how the output changes
  predict    See what a run's model reads in files and folders
  annotate   Write what it finds in whole folders for other tools
  data       Download a data set, or verify one that is there
  devices    List the devices there are to compute on
  golden     Compare with golden values of other implementations
  bench      Measure parts beside what they replace: bench quantile
Any other command is passed on to it too; `cargo xtask <COMMAND> --help` tells more.

The project:
  check      Format, lints, licences, docs, tests, every backend and the package, cheapest first
             --quick: format, lints and tests alone
  help       This list

`check` looks at:
  SPARLING_GOLDEN      a folder of golden values to compare with
  SPARLING_CHECK_WGPU  1 to train on wgpu and compile for Vulkan too, which needs a driver
  SPARLING_CHECK_CUDA  1 to compile for CUDA too, which needs CubeCL's LLVM bundle";

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    run(&arguments).unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

fn run(arguments: &[OsString]) -> Result<ExitCode> {
    match arguments.first().and_then(|command| command.to_str()) {
        None if arguments.is_empty() => help(),
        Some("help" | "--help" | "-h") => help(),
        Some("check") => match arguments[1..] {
            [] => check::run(false),
            [ref flag] if flag == OsStr::new("--quick") => check::run(true),
            _ => anyhow::bail!("check takes --quick and nothing else"),
        },
        _ => program::run(arguments),
    }
}

fn help() -> Result<ExitCode> {
    println!("{HELP}");
    Ok(ExitCode::SUCCESS)
}
