//! The course of a training as TensorBoard reads it, beside the model: the models of a dataset are
//! compared by `tensorboard --logdir data/<dataset>/models`.

use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    io::Write as _,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use crate::{
    domain::learning::Epoch,
    model::{
        recipe::TrainRecipe,
        tensorboard::{self, At, End, EventLog, Session, Setting},
    },
    store::{
        files::{self, FileError},
        schema::Run,
    },
};

/// How names of event files begin.
const EVENTS: &str = "events.out.tfevents.";

/// An event file that grows with every epoch.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    events: EventLog,
}

impl Log {
    /// Begins a log of the training `name` in the folder of its model. One that was broken off
    /// tells its first epochs in a file of its own, which TensorBoard reads together with this.
    pub(super) fn begin(dir: &Path, name: &str, recipe: &TrainRecipe) -> Result<Self, FileError> {
        let started = now();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole seconds since 1970"
        )]
        let started_s = started as u64;
        let file = tensorboard::file_name(started_s, "snapset", std::process::id());
        let mut events = EventLog::new(started);
        let session = Session {
            name: name.to_owned(),
            settings: settings(recipe),
            metrics: tensorboard::TAGS.map(str::to_owned).to_vec(),
        };
        events.begin_session(started, &session);
        let mut log = Self { path: dir.join(file), events };
        log.append()?;
        Ok(log)
    }

    pub(super) fn epoch(&mut self, epoch: &Epoch) -> Result<(), FileError> {
        self.events.epoch(now(), epoch);
        self.append()
    }

    /// Tells how good the model turned out.
    pub(super) fn finish(&mut self, run: &Run) -> Result<(), FileError> {
        let wall_time_s = now();
        if let Some(test) = &run.test {
            let at = At { wall_time_s, step: run.best_epoch };
            self.events.evaluation(at, &run.classes, test);
        }
        self.events.end_session(wall_time_s, End::Success);
        self.append()
    }

    fn append(&mut self) -> Result<(), FileError> {
        let bytes = self.events.take();
        let file = OpenOptions::new().create(true).append(true).open(&self.path);
        file.and_then(|mut file| file.write_all(&bytes))
            .map_err(|source| FileError::Write { path: self.path.clone(), source })
    }
}

/// Removes the logs of an earlier training of the same name, unless it goes on.
pub(super) fn forget_unless(dir: &Path, goes_on: bool) -> Result<(), FileError> {
    if goes_on {
        return Ok(());
    }
    for path in files::entries(dir)? {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        if name.is_some_and(|name| name.starts_with(EVENTS)) {
            files::remove_if_any(&path)?;
        }
    }
    Ok(())
}

/// Returns every number and word of the recipe, nested ones under joined names.
fn settings(recipe: &TrainRecipe) -> BTreeMap<String, Setting> {
    let mut settings = BTreeMap::new();
    let value = serde_json::to_value(recipe).expect("a recipe is plain data");
    flatten("", &value, &mut settings);
    settings
}

fn flatten(name: &str, value: &serde_json::Value, settings: &mut BTreeMap<String, Setting>) {
    let setting = match value {
        serde_json::Value::Object(fields) => {
            for (key, value) in fields {
                let name = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
                flatten(&name, value, settings);
            }
            return;
        }
        serde_json::Value::Null => return,
        serde_json::Value::Bool(truth) => Setting::Flag(*truth),
        serde_json::Value::Number(number) => Setting::Number(number.as_f64().unwrap_or(f64::NAN)),
        serde_json::Value::String(text) => Setting::Text(text.clone()),
        serde_json::Value::Array(_) => Setting::Text(value.to_string()),
    };
    settings.insert(name.to_owned(), setting);
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}
