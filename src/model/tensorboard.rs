//! What a training tells → bytes of a TensorBoard event file. No file is written and no clock is
//! read here: the caller gives the wall time and appends the bytes.
//!
//! One file in a folder of its own is one run. TensorBoard shows the runs below a folder side by
//! side: `tensorboard --logdir models`.

use std::collections::BTreeMap;

use crate::{
    domain::learning::{Epoch, Evaluation},
    pixels::{Picture, encode},
};

use proto::Message;

mod hparams;
mod matrix;
mod proto;
mod record;

pub use hparams::{End, Session, Setting};
pub use matrix::confusion_picture;

/// Where a value lies: when it was told, and after how many steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct At {
    /// Seconds since 1970-01-01 UTC.
    pub wall_time_s: f64,
    pub step: u32,
}

/// The bytes of an event file, as far as they have not been taken yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventLog {
    bytes: Vec<u8>,
}

/// The tags of the curves, which are also the metrics of the HPARAMS tab.
pub const TAGS: [&str; 7] = [
    "loss/train",
    "loss/val",
    "accuracy/train",
    "accuracy/val",
    "balanced_accuracy/val",
    "f1/val",
    "auc/val",
];

/// Of TensorFlow's `DataType`.
const STRING: u64 = 7;

/// How a value is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DataClass {
    Scalar,
    Tensor,
    BlobSequence,
}

/// Returns the name TensorBoard knows an event file by. `started_s` is in seconds since
/// 1970-01-01 UTC; characters of `host` that no file name should have become `-`.
pub fn file_name(started_s: u64, host: &str, process: u32) -> String {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || it == '-' || it == '_';
    let host: String = host.chars().map(|it| if is_plain(it) { it } else { '-' }).collect();
    let host = if host.is_empty() { "localhost" } else { &host };
    format!("events.out.tfevents.{started_s:010}.{host}.{process}.0")
}

impl EventLog {
    /// Begins a file; `wall_time_s` is in seconds since 1970-01-01 UTC.
    pub fn new(wall_time_s: f64) -> Self {
        let mut log = Self { bytes: Vec::new() };
        log.write(&Message::new().double(1, wall_time_s).text(3, "brain.Event:2"));
        log
    }

    /// Takes the bytes to append to the file.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    /// Tells a number; runs are compared by equal tags.
    pub fn scalar(&mut self, at: At, tag: &str, value: f64) {
        let metadata = metadata("scalars", DataClass::Scalar, &Message::new());
        self.value(at, &Message::new().text(1, tag).float(2, value).message(9, &metadata));
    }

    /// Tells the figures of an epoch, as far as they are known, under [`TAGS`]; and its learning rate.
    pub fn epoch(&mut self, wall_time_s: f64, epoch: &Epoch) {
        let at = At { wall_time_s, step: epoch.number };
        let values = [
            Some(epoch.train_loss),
            Some(epoch.val_loss),
            Some(epoch.train_accuracy),
            Some(epoch.val_accuracy),
            epoch.val_balanced_accuracy,
            epoch.val_f1,
            epoch.val_auc,
            epoch.learning_rate,
        ];
        for (tag, value) in TAGS.into_iter().chain(["learning_rate"]).zip(values) {
            if let Some(value) = value {
                self.scalar(at, tag, value);
            }
        }
    }

    /// Shows a picture.
    pub fn image(&mut self, at: At, tag: &str, picture: &Picture) {
        let image = Message::new()
            .number(1, picture.height().into())
            .number(2, picture.width().into())
            .number(3, 3) // Red, green and blue.
            .bytes(4, &encode::png(picture));
        let metadata = metadata("images", DataClass::BlobSequence, &Message::new());
        self.value(at, &Message::new().text(1, tag).message(4, &image).message(9, &metadata));
    }

    /// Tells a text in Markdown.
    pub fn text(&mut self, at: At, tag: &str, markdown: &str) {
        let metadata = metadata("text", DataClass::Tensor, &Message::new());
        let shape = Message::new().message(2, &Message::new().number(1, 1));
        let tensor = Message::new().number(1, STRING).message(2, &shape).text(8, markdown);
        self.value(at, &Message::new().text(1, tag).message(8, &tensor).message(9, &metadata));
    }

    /// Tells how `values` are spread, in 30 bins of equal width; those that are not finite are left
    /// out, and nothing is told of none.
    pub fn histogram(&mut self, at: At, tag: &str, values: &[f32]) {
        const N_BINS: usize = 30;
        let finite = || values.iter().map(|it| f64::from(*it)).filter(|it| it.is_finite());
        let low = finite().fold(f64::INFINITY, f64::min);
        let high = finite().fold(f64::NEG_INFINITY, f64::max);
        if high < low {
            return;
        }
        let width = if low < high { (high - low) / 30.0 } else { 1.0 };
        let mut limit = low;
        let mut limits = Vec::with_capacity(N_BINS);
        for _ in 0..N_BINS {
            limit += width;
            limits.push(limit);
        }
        let mut counts = vec![0.0; N_BINS];
        for value in finite() {
            let bin = limits.iter().position(|limit| value < *limit).unwrap_or(N_BINS - 1);
            counts[bin] += 1.0;
        }
        let histogram = Message::new()
            .double(1, low)
            .double(2, high)
            .double(3, counts.iter().sum())
            .double(4, finite().sum())
            .double(5, finite().map(|it| it * it).sum())
            .doubles(6, &limits)
            .doubles(7, &counts);
        let metadata = metadata("histograms", DataClass::Tensor, &Message::new());
        self.value(at, &Message::new().text(1, tag).message(5, &histogram).message(9, &metadata));
    }

    /// Tells how the test went: scalars, the confusion matrix as a picture, and what its numbers
    /// mean as a table.
    pub fn evaluation(&mut self, at: At, classes: &[String], evaluation: &Evaluation) {
        self.scalar(at, "test/accuracy", evaluation.accuracy);
        self.scalar(at, "test/loss", evaluation.loss);
        self.scalar(at, "test/macro_f1", evaluation.macro_f1());
        self.image(at, "test/confusion", &confusion_picture(&evaluation.confusion));
        let share = |value: Option<f64>| {
            value.map_or("none".to_owned(), |it| format!("{:.1} %", it * 100.0))
        };
        let head = [
            "| number | class | precision | recall | F1 | pictures |",
            "| ---: | --- | ---: | ---: | ---: | ---: |",
        ];
        let rows =
            classes.iter().zip(&evaluation.classes).enumerate().map(|(number, (name, score))| {
                let name = name.replace('|', "\\|");
                let [precision, recall, f1] = [score.precision, score.recall, score.f1].map(share);
                format!("| {number} | {name} | {precision} | {recall} | {f1} | {} |", score.support)
            });
        let table: Vec<String> = head.into_iter().map(str::to_owned).chain(rows).collect();
        self.text(at, "test/classes", &table.join("\n"));
    }

    /// Tells what a run is made with, so that it has a row in the HPARAMS tab.
    pub fn begin_session(&mut self, wall_time_s: f64, session: &Session) {
        let at = At { wall_time_s, step: 0 };
        self.hparams(at, "_hparams_/experiment", &session.experiment(wall_time_s));
        self.hparams(at, "_hparams_/session_start_info", &session.start(wall_time_s));
    }

    /// Tells how the run ended.
    pub fn end_session(&mut self, wall_time_s: f64, end: End) {
        let at = At { wall_time_s, step: 0 };
        self.hparams(at, "_hparams_/session_end_info", &end.message(wall_time_s));
    }

    fn hparams(&mut self, at: At, tag: &str, content: &Message) {
        let metadata = metadata("hparams", DataClass::Tensor, content);
        // The plugin wants a tensor, whatever is in it: one float.
        let shape = Message::new().message(2, &Message::new().number(1, 1));
        let tensor = Message::new().number(1, 1).message(2, &shape).float(5, 0.0);
        self.value(at, &Message::new().text(1, tag).message(8, &tensor).message(9, &metadata));
    }

    fn value(&mut self, at: At, value: &Message) {
        let summary = Message::new().message(1, value);
        self.write(
            &Message::new()
                .double(1, at.wall_time_s)
                .number(2, at.step.into())
                .message(5, &summary),
        );
    }

    fn write(&mut self, event: &Message) {
        record::append(&mut self.bytes, event.as_bytes());
    }
}

/// Returns a `SummaryMetadata`: which plugin shows the value.
fn metadata(plugin: &str, class: DataClass, content: &Message) -> Message {
    let data = Message::new().text(1, plugin).bytes(2, content.as_bytes());
    let class = match class {
        DataClass::Scalar => 1,
        DataClass::Tensor => 2,
        DataClass::BlobSequence => 3,
    };
    Message::new().message(1, &data).number(4, class)
}

/// Settings by name.
type Settings = BTreeMap<String, Setting>;

#[cfg(test)]
mod tests;
