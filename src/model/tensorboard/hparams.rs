//! What a run is made with, as TensorBoard's HPARAMS tab reads it (its `plugin_data.proto`).

use super::{Settings, proto::Message};

/// A run and what it is made with.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// Names the run; runs of one name are repetitions and share a row.
    pub name: String,
    pub settings: Settings,
    /// The tags of the scalars that are columns of the table.
    pub metrics: Vec<String>,
}

/// One setting of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Setting {
    Number(f64),
    Text(String),
    Flag(bool),
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Success,
    Failure,
}

impl Session {
    /// What can be compared: the settings and the metrics.
    pub(super) fn experiment(&self, wall_time_s: f64) -> Message {
        let mut experiment = Message::new().double(3, wall_time_s);
        for (name, setting) in &self.settings {
            let info = Message::new().text(1, name).number(4, setting.data_type());
            experiment = experiment.message(4, &info);
        }
        for tag in &self.metrics {
            let name = Message::new().text(2, tag);
            experiment = experiment.message(5, &Message::new().message(1, &name).text(3, tag));
        }
        Message::new().number(1, 0).message(2, &experiment)
    }

    pub(super) fn start(&self, wall_time_s: f64) -> Message {
        let mut start = Message::new();
        for (name, setting) in &self.settings {
            start = start.message(1, &Message::new().text(1, name).message(2, &setting.message()));
        }
        let start = start.text(4, &self.name).double(5, wall_time_s);
        Message::new().number(1, 0).message(3, &start)
    }
}

impl Setting {
    fn data_type(&self) -> u64 {
        match self {
            Self::Text(_) => 1,
            Self::Flag(_) => 2,
            Self::Number(_) => 3,
        }
    }

    /// Returns a `google.protobuf.Value`.
    fn message(&self) -> Message {
        match self {
            Self::Number(value) => Message::new().double(2, *value),
            Self::Text(value) => Message::new().text(3, value),
            Self::Flag(value) => Message::new().number(4, u64::from(*value)),
        }
    }
}

impl End {
    pub(super) fn message(self, wall_time_s: f64) -> Message {
        let status = match self {
            Self::Success => 1,
            Self::Failure => 2,
        };
        let end = Message::new().number(1, status).double(2, wall_time_s);
        Message::new().number(1, 0).message(4, &end)
    }
}
