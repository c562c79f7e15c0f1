//! The course of a training as TensorBoard reads it, beside the model: the models of a dataset are
//! compared by `tensorboard --logdir data/<dataset>/models`.

use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    io::Write as _,
    path::{Path, PathBuf},
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
    clock: fn() -> i64,
}

impl Log {
    /// Begins a log of the training `name` in the folder of its model. One that was broken off
    /// tells its first epochs in a file of its own, which TensorBoard reads together with this.
    pub(super) fn begin(
        dir: &Path,
        name: &str,
        recipe: &TrainRecipe,
        clock: fn() -> i64,
    ) -> Result<Self, FileError> {
        let started = wall_time(clock);
        let file = tensorboard::file_name(seconds(clock), "snapset", std::process::id());
        let mut events = EventLog::new(started);
        let session = Session {
            name: name.to_owned(),
            settings: settings(recipe),
            metrics: tensorboard::TAGS.map(str::to_owned).to_vec(),
        };
        events.begin_session(started, &session);
        let mut log = Self { path: dir.join(file), events, clock };
        log.append()?;
        Ok(log)
    }

    pub(super) fn epoch(&mut self, epoch: &Epoch) -> Result<(), FileError> {
        self.events.epoch(wall_time(self.clock), epoch);
        self.append()
    }

    /// Tells how good the model turned out.
    pub(super) fn finish(&mut self, run: &Run) -> Result<(), FileError> {
        let wall_time_s = wall_time(self.clock);
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

/// Removes the logs of an earlier training of the same name.
pub(super) fn forget(dir: &Path) -> Result<(), FileError> {
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

fn seconds(clock: fn() -> i64) -> u64 {
    u64::try_from(clock()).unwrap_or(0)
}

#[expect(clippy::cast_precision_loss, reason = "seconds since 1970 stay far below 2^53")]
fn wall_time(clock: fn() -> i64) -> f64 {
    seconds(clock) as f64
}
