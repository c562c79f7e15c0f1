//! `snapset new`: a commented pipeline file to start from.

use std::path::Path;

use clap::Args;

use super::{
    complaint::{Complaint, Exit},
    talk::Talk,
};
use crate::pipeline::starter;

#[derive(Debug, Args)]
pub(crate) struct NewArguments {
    /// Name of the dataset and of its file, such as cars-vs-tanks
    name: String,
    /// A class and where its pictures are posted, such as cars=r/carporn,folder:photos/cars
    #[arg(long = "class", value_name = "LABEL=PLACE,…", required = true)]
    classes: Vec<String>,
}

pub(crate) fn new(arguments: &NewArguments, talk: &Talk) -> Result<Exit, Complaint> {
    let path = starter::write(Path::new(""), &arguments.name, &arguments.classes)?;
    talk.result(&path.display().to_string());
    talk.aside(&format!("next: snapset run {}", path.display()));
    Ok(Exit::Done)
}
