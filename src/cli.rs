//! The face: arguments in, text and exit codes out. The only room that prints.
//!
//! Data goes to stdout, progress and messages to stderr.

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand};

use crate::engine::StageName;

mod augment;
mod bars;
mod check;
mod complaint;
mod evaluate;
mod explain;
mod export;
mod learning_curve;
mod new;
mod places;
mod plan;
mod predict;
mod publish;
mod report;
mod review;
mod review_csv;
mod run;
mod runs;
mod serve_model;
mod stages;
mod status;
mod suspects;
mod sync_deletions;
mod table;
mod talk;
mod weights;

use complaint::{Complaint, Exit};
use talk::Talk;

/// Builds labelled image datasets from subreddits and folders, and first classifiers from them.
#[derive(Debug, Parser)]
#[command(name = "snapset", version, about, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    shared: Shared,
}

/// What every command understands.
#[derive(Clone, Debug, Args)]
pub(crate) struct Shared {
    /// Folder that holds everything made, one folder per dataset
    #[arg(long, global = true, env = "SNAPSET_DATA", default_value = "data", value_name = "DIR")]
    data: PathBuf,
    /// Print one JSON document on stdout instead of text
    #[arg(long, global = true)]
    json: bool,
    /// Say more: every failure, every changed setting
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Say nothing but results and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a commented pipeline file to start from
    New(new::NewArguments),
    /// Run every stage that has something to do
    Run(run::RunArguments),
    /// Say what `run` would do, and why
    Plan(plan::PlanArguments),
    /// Show what is done, due, rejected and failed, and the funnel from posts to pictures
    Status(OnePipeline),
    /// Tell the whole journey of one picture, post or address, and why it is in or out
    Explain(explain::ExplainArguments),
    /// Write report.html: one file to look at and pass on
    Report(report::ReportArguments),
    /// Open a page to settle conflicts, twins and doubted labels with the keyboard
    Review(review::ReviewArguments),
    /// Write the exports of the pipeline, or tell what changed from one to another
    Export(export::ExportArguments),
    /// Ask which posts were deleted, and remove what came from them, through to the exports
    SyncDeletions(sync_deletions::SyncArguments),
    /// Train the classifier of the pipeline, if anything it depends on has changed
    Train(OnePipeline),
    /// Test the trained classifier on the test pictures
    Evaluate(OnePipeline),
    /// Ask the trained classifier about pictures: files, folders, web addresses
    Predict(predict::PredictArguments),
    /// Answer the same over HTTP on this machine, with a page to drop pictures on
    ServeModel(serve_model::ServeArguments),
    /// Train with ever larger parts of the pictures, and tell what more of them would bring
    LearningCurve(learning_curve::CurveArguments),
    /// Name the pictures that are probably in the wrong class, as models see it that never saw them
    Suspects(suspects::SuspectsArguments),
    /// Audit an image folder, whoever made it: leaks, label conflicts, broken files, balance
    Check(check::CheckArguments),
    /// Hand an export to the tool of its platform, or say the command where that is not installed
    Publish(publish::PublishArguments),
    /// Published weights that training can start from: list them, fetch them
    Weights(weights::WeightsArguments),
    /// List the trainings so far, or say whether one of two models is better
    Runs(runs::RunsArguments),
    /// Write altered copies of a picture, or fill up class folders until all are equally large
    Augment(augment::AugmentArguments),
    /// Print a completion script for a shell
    Completions { shell: clap_complete::Shell },
}

/// A command about one pipeline.
#[derive(Debug, Args)]
pub(crate) struct OnePipeline {
    /// Pipeline file, such as pipelines/demo.toml
    pipeline: PathBuf,
}

/// Reads the arguments of the process and does what they ask.
pub fn main() -> ExitCode {
    // Secrets may stand in a file beside the project; a missing one is the normal case.
    drop(dotenvy::from_path(".env"));
    let Arguments { command, shared } = Arguments::parse();
    let talk = Talk::new(&shared);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return talk.complain(&Complaint::new(Exit::Failed, error)),
    };
    let ended = runtime.block_on(obey(command, &shared, &talk));
    // Work that was broken off by a second Ctrl-C is not waited for.
    runtime.shutdown_background();
    match ended {
        Ok(exit) => exit.into(),
        Err(complaint) => talk.complain(&complaint),
    }
}

async fn obey(command: Command, shared: &Shared, talk: &Talk) -> Result<Exit, Complaint> {
    match command {
        Command::New(arguments) => new::new(&arguments, talk),
        Command::Run(arguments) => run::run(&arguments, shared, talk).await,
        Command::Plan(arguments) => plan::plan(&arguments, shared, talk),
        Command::Status(one) => status::status(&one, shared, talk),
        Command::Explain(arguments) => explain::explain(&arguments, shared, talk),
        Command::Report(arguments) => report::report(&arguments, shared, talk),
        Command::Review(arguments) => review::review(&arguments, shared, talk).await,
        Command::Export(arguments) => export::export(arguments, shared, talk).await,
        Command::SyncDeletions(arguments) => {
            sync_deletions::sync_deletions(&arguments, shared, talk).await
        }
        Command::Train(one) => {
            run::run(&run::RunArguments::only(one.pipeline, StageName::Train), shared, talk).await
        }
        Command::Evaluate(one) => evaluate::evaluate(&one, shared, talk),
        Command::Predict(arguments) => predict::predict(&arguments, shared, talk).await,
        Command::ServeModel(arguments) => serve_model::serve_model(&arguments, shared, talk).await,
        Command::LearningCurve(arguments) => {
            learning_curve::learning_curve(&arguments, shared, talk).await
        }
        Command::Suspects(arguments) => suspects::suspects(&arguments, shared, talk).await,
        Command::Check(arguments) => check::check(&arguments, talk).await,
        Command::Publish(arguments) => publish::publish(&arguments, shared, talk),
        Command::Weights(arguments) => weights::weights(&arguments, shared, talk).await,
        Command::Runs(arguments) => runs::runs(&arguments, shared, talk),
        Command::Augment(arguments) => augment::augment(&arguments, talk),
        Command::Completions { shell } => {
            talk.completions(shell);
            Ok(Exit::Done)
        }
    }
}
