//! All that the next epoch starts from, as bytes.

use serde::{Deserialize, Serialize};

use crate::{
    domain::{id::BlobId, learning::Epoch},
    model::{graph::names::Tensors, weights},
};

/// A training between two epochs.
#[derive(Debug, PartialEq)]
pub(super) struct Checkpoint {
    pub(super) epochs: Vec<Epoch>,
    pub(super) best_epoch: u32,
    /// The weights of the part that learns, as they are and as they were at their best.
    pub(super) now: Tensors,
    pub(super) best: Tensors,
    /// What the optimiser remembers.
    pub(super) optimizer: Vec<u8>,
}

/// What stands in front, on a line of its own.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    epochs: Vec<Epoch>,
    best_epoch: u32,
    /// Lengths of the parts behind this line, in bytes.
    lengths: [usize; 3],
    /// The digest of those parts.
    digest: BlobId,
}

impl Checkpoint {
    pub(super) fn write(&self) -> Vec<u8> {
        let parts = [
            weights::to_safetensors(&self.now),
            weights::to_safetensors(&self.best),
            self.optimizer.clone(),
        ];
        let lengths = parts.each_ref().map(Vec::len);
        let body = parts.concat();
        let digest = BlobId::of(&body);
        let (epochs, best_epoch) = (self.epochs.clone(), self.best_epoch);
        let header = Header { epochs, best_epoch, lengths, digest };
        let mut bytes = serde_json::to_vec(&header).expect("a header is plain data");
        bytes.push(b'\n');
        bytes.extend(body);
        bytes
    }

    /// Reads what [`Self::write`] wrote; `None` if it is damaged.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let header: Header = serde_json::from_slice(&bytes[..end]).ok()?;
        let body = &bytes[end + 1..];
        if BlobId::of(body) != header.digest {
            return None;
        }
        let (now, rest) = body.split_at_checked(header.lengths[0])?;
        let (best, optimizer) = rest.split_at_checked(header.lengths[1])?;
        Some(Self {
            epochs: header.epochs,
            best_epoch: header.best_epoch,
            now: weights::from_safetensors(now).ok()?,
            best: weights::from_safetensors(best).ok()?,
            optimizer: optimizer.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::graph::names::Array;

    #[test]
    fn a_checkpoint_comes_back_whole_or_not_at_all() {
        let epoch = Epoch {
            number: 1,
            train_loss: 0.1,
            train_accuracy: 0.9,
            val_loss: 0.2,
            val_accuracy: 0.8,
            val_balanced_accuracy: Some(0.7),
            val_f1: None,
            val_auc: Some(0.1 + 0.2),
            learning_rate: Some(1e-3 / 3.0),
        };
        let tensors = |value: f32| {
            Tensors::from([("a".to_owned(), Array { shape: vec![1], values: vec![value] })])
        };
        let checkpoint = Checkpoint {
            epochs: vec![epoch],
            best_epoch: 1,
            now: tensors(1.5),
            best: tensors(-0.1),
            optimizer: vec![1, 10, 3],
        };

        let bytes = checkpoint.write();

        assert_eq!(Checkpoint::read(&bytes), Some(checkpoint));
        for cut in [0, 10, bytes.len() - 1] {
            assert_eq!(Checkpoint::read(&bytes[..cut]), None, "{cut} bytes");
        }
        let mut spoiled = bytes.clone();
        *spoiled.last_mut().unwrap() ^= 1;
        assert_eq!(Checkpoint::read(&spoiled), None);
    }
}
