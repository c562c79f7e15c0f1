//! `snapset serve-model`: the trained classifier behind HTTP on this machine.

use std::future;

use clap::Args;
use serde_json::json;

use super::{
    OnePipeline, Shared,
    complaint::{Complaint, Exit},
    run::{self, Selection},
    talk::Talk,
};
use crate::serve::{ServeError, Server};

#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    #[command(flatten)]
    one: OnePipeline,
    /// Port of this machine to listen at; 0 takes a free one
    #[arg(long, default_value_t = 8722)]
    port: u16,
}

pub(crate) async fn serve_model(
    arguments: &ServeArguments,
    shared: &Shared,
    talk: &Talk,
) -> Result<Exit, Complaint> {
    let (workshop, _) = run::open(&arguments.one.pipeline, &Selection::default(), shared)?;
    let (run, model) = workshop.model()?;
    // Other commands may use the dataset meanwhile.
    drop(workshop);
    let server = Server::bind(arguments.port, run.clone(), model).await?;
    let page = format!("http://{}/", server.address()?);
    if talk.is_json() {
        talk.json(&json!({ "schema": "snapset.serve-model.v1", "run": run, "address": page }));
    } else {
        talk.result(&format!(
            "{page} shows a page to drop pictures on; from elsewhere on this machine:\n  \
             curl --data-binary @picture.jpg '{page}predict?top=3'"
        ));
        talk.aside("Ctrl-C ends it");
    }
    let end = async {
        // Without a way to hear Ctrl-C the process simply ends on it.
        if tokio::signal::ctrl_c().await.is_err() {
            future::pending::<()>().await;
        }
    };
    server.run(end).await?;
    Ok(Exit::Done)
}

impl From<ServeError> for Complaint {
    fn from(error: ServeError) -> Self {
        Self::new(Exit::Failed, error)
    }
}
