//! Weight files as tensors with names: safetensors both ways, `PyTorch`'s own only in.

use std::collections::HashMap;

use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::graph::names::{Array, Tensors};

/// Why a file holds no weights we can use.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    #[error("it is no safetensors file")]
    Safetensors(#[from] safetensors::SafeTensorError),
    #[error("`{name}` holds numbers of the kind {kind}, which are not read")]
    Kind { name: String, kind: String },
}

/// Writes tensors as 32-bit numbers; equal tensors give equal bytes.
pub(super) fn to_safetensors(tensors: &Tensors) -> Vec<u8> {
    let bytes = |array: &Array| -> Vec<u8> {
        array.values.iter().flat_map(|value| value.to_le_bytes()).collect()
    };
    let held: Vec<(&String, &Array, Vec<u8>)> =
        tensors.iter().map(|(name, array)| (name, array, bytes(array))).collect();
    let views = held.iter().map(|(name, array, bytes)| {
        let view = TensorView::new(Dtype::F32, array.shape.clone(), bytes);
        (name.as_str(), view.expect("an array has as many numbers as its shape says"))
    });
    // One entry at most: several would be written in no fixed order.
    let metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    safetensors::serialize(views, Some(metadata)).expect("names and shapes are plain data")
}

/// Reads all tensors of numbers.
pub(super) fn from_safetensors(bytes: &[u8]) -> Result<Tensors, WeightsError> {
    let file = SafeTensors::deserialize(bytes)?;
    file.iter()
        .map(|(name, view)| {
            let values = numbers(view.dtype(), view.data()).ok_or_else(|| WeightsError::Kind {
                name: name.to_owned(),
                kind: view.dtype().to_string(),
            })?;
            Ok((name.to_owned(), Array { shape: view.shape().to_vec(), values }))
        })
        .collect()
}

fn numbers(kind: Dtype, bytes: &[u8]) -> Option<Vec<f32>> {
    Some(match kind {
        Dtype::F32 => bytes.as_chunks().0.iter().map(|it| f32::from_le_bytes(*it)).collect(),
        Dtype::F64 => {
            bytes.as_chunks().0.iter().map(|it| narrow(f64::from_le_bytes(*it))).collect()
        }
        Dtype::F16 => bytes.as_chunks().0.iter().map(|it| half(u16::from_le_bytes(*it))).collect(),
        Dtype::BF16 => {
            let wide = |it: &[u8; 2]| f32::from_bits(u32::from(u16::from_le_bytes(*it)) << 16);
            bytes.as_chunks().0.iter().map(wide).collect()
        }
        Dtype::I64 => {
            #[expect(clippy::cast_precision_loss, reason = "counts of batches, which nobody reads")]
            let wide = |it: &[u8; 8]| i64::from_le_bytes(*it) as f32;
            bytes.as_chunks().0.iter().map(wide).collect()
        }
        _ => return None,
    })
}

/// Widens a number of 16 bits (IEEE 754 binary16).
fn half(bits: u16) -> f32 {
    let sign = u32::from(bits >> 15) << 31;
    let (exponent, fraction) = (u32::from(bits >> 10) & 31, u32::from(bits) & 1023);
    match (exponent, fraction) {
        (0, _) => {
            // Below the least normal number: so many 2^-24.
            let size = f32::from(bits & 1023) / 16_777_216.0;
            if sign == 0 { size } else { -size }
        }
        (31, _) => f32::from_bits(sign | 0x7f80_0000 | (fraction << 13)),
        _ => f32::from_bits(sign | ((exponent + 112) << 23) | (fraction << 13)),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the network computes in this precision")]
fn narrow(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these numbers come out exactly")]
mod tests {
    use super::*;

    #[test]
    fn tensors_come_back_as_written() {
        let array = |shape: &[usize], values: &[f32]| Array {
            shape: shape.to_vec(),
            values: values.to_vec(),
        };
        let tensors = Tensors::from([
            ("b".to_owned(), array(&[2, 1], &[1.5, -2.0])),
            ("a".to_owned(), array(&[3], &[0.0, 1e-30, f32::MAX])),
        ]);

        let bytes = to_safetensors(&tensors);

        assert_eq!(from_safetensors(&bytes).unwrap(), tensors);
        assert_eq!(to_safetensors(&tensors), bytes);
    }

    #[test]
    fn short_numbers_are_widened_exactly() {
        let cases = [
            (0x0000, 0.0),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0001, 5.960_464_5e-8),
            (0x8400, -6.103_515_6e-5),
            (0x3555, 0.333_251_95),
            (0x7c00, f32::INFINITY),
        ];
        for (bits, expected) in cases {
            assert_eq!(half(bits), expected, "{bits:#06x}");
        }
    }
}
