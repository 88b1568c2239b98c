//! The command line.

mod annotate;
mod bench;
mod binning;
mod causality;
mod config;
mod configuration;
mod data;
mod devices;
mod direct;
mod evaluate;
mod experiment;
mod explain;
mod golden;
mod init;
mod intervene;
mod memory;
mod numbers;
mod output;
mod pace;
mod predict;
mod progress;
mod report;
mod sample;
mod serve;
mod shell;
mod stop;
mod summary;
mod tables;
mod train;
mod trust;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::causes;

/// Learns extremely sparse representations from end-to-end labels alone, and so finds where the
/// symbols of an input are.
#[derive(Debug, Parser)]
#[command(name = "sparling", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Look over a folder of your own pictures or recordings, and write a configuration that fits it.
    Init(init::Init),
    /// Train a model, or go on with a run.
    Train(train::Train),
    /// Train every run of an experiment file that is not trained yet.
    Experiment(experiment::Run),
    /// Measure a run's model on examples it was not trained on.
    Evaluate(evaluate::Evaluate),
    /// Measure how many bits the strength of a run's motifs carries, at each of its densities.
    Binning(binning::Measure),
    /// Compare a run's motif model with one that was shown labels, on single symbols.
    Direct(direct::Compare),
    /// Give one symbol's motifs to another symbol's channel, and count the outputs that follow.
    Causality(causality::Measure),
    /// Measure what tells, without any truth, how far runs can be trusted.
    Trust(trust::Measure),
    /// Put runs side by side on one page: figures, tables, the paper's values.
    Report(report::Write),
    /// Write examples of a domain as pictures or recordings, with their labels and footprints.
    Sample(sample::Sample),
    /// Read pictures or recordings of your own: output, motifs, and a picture with them drawn.
    Predict(predict::Predict),
    /// Read whole folders, and write what was found for labelling tools, detectors and tables.
    Annotate(annotate::Annotate),
    /// Show which motifs of an input each output token comes from, as a graph.
    Explain(explain::Explain),
    /// Look inside a run on a page of its own: examples, drawings, motifs to move, channels.
    Serve(serve::Serve),
    /// Change motifs of an input by hand, and see how the output changes.
    Intervene(intervene::Intervene),
    /// Download a data set, or verify one that is there.
    Data(data::Data),
    /// List, show, check and compare configurations.
    Config(config::Config),
    /// List the backends compiled in and the device each would use.
    Devices(devices::Devices),
    /// Compare with the golden values of a PyTorch implementation.
    Golden(golden::Golden),
    /// Measure parts beside what they replace.
    Bench(bench::Bench),
    /// Print a script that completes commands and options in a shell.
    Completions(shell::Completions),
    /// Print the manual, for `man -l -`.
    Man,
}

impl Cli {
    /// Does what was asked for.
    ///
    /// # Errors
    ///
    /// Whatever stands in the way.
    pub fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Init(command) => command.run(),
            Command::Train(command) => command.run(),
            Command::Experiment(command) => command.run(),
            Command::Evaluate(command) => command.run(),
            Command::Binning(command) => command.run(),
            Command::Direct(command) => command.run(),
            Command::Causality(command) => command.run(),
            Command::Trust(command) => command.run(),
            Command::Report(command) => command.run(),
            Command::Sample(command) => command.run(),
            Command::Predict(command) => command.run(),
            Command::Annotate(command) => command.run(),
            Command::Explain(command) => command.run(),
            Command::Serve(command) => command.run(),
            Command::Intervene(command) => command.run(),
            Command::Data(command) => command.run(),
            Command::Config(command) => command.run(),
            Command::Devices(command) => command.run(),
            Command::Golden(command) => command.run(),
            Command::Bench(command) => command.run(),
            Command::Completions(command) => command.run(),
            Command::Man => shell::manual(),
        }
    }
}

/// Does what was asked for, and says on standard error what stood in the way: the program's `main`.
pub fn main(cli: Cli) -> ExitCode {
    if let Err(error) = cli.run() {
        output::complain(format_args!("{}", causes::told(error.as_ref())));
        return ExitCode::FAILURE;
    }
    match output::lost() {
        None => ExitCode::SUCCESS,
        Some(error) => {
            output::complain(format_args!("some output could not be written: {error}"));
            ExitCode::FAILURE
        }
    }
}
