//! Weight files as tensors with names: safetensors both ways, `PyTorch`'s own only in.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use pytorch_reader::{DType, PytorchError, PytorchReader};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::{
    graph::{
        build::TooSmall,
        names::{Array, Misfit, Tensors},
    },
    recipe::Architecture,
};

/// Why a file holds no weights we can use.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    #[error("it is no safetensors file")]
    Safetensors(#[from] safetensors::SafeTensorError),
    #[error("`{name}` holds numbers of the kind {kind}, which are not read")]
    Kind { name: String, kind: String },
    #[error("could not read {}", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error(
        "{} is {found}, not weights; give a PyTorch file (.pth) or a safetensors file",
        .path.display()
    )]
    Format { path: PathBuf, found: &'static str },
    #[error("{} is no whole PyTorch file; download it again", .path.display())]
    Pytorch { path: PathBuf, source: Box<PytorchError> },
    #[error("{} cannot be used as weights; download it again", .path.display())]
    Broken { path: PathBuf, source: Box<WeightsError> },
    #[error("no weights are published for the {architecture} network; choose {}", pretrainable())]
    NotPretrainable { architecture: Architecture },
    #[error("pictures are too small for the {architecture} network; raise `image_size` in [train]")]
    TooSmall { architecture: Architecture, source: TooSmall },
    #[error(
        "{} does not fit the {architecture} network ({misfit}); give the file published for it",
        .path.display()
    )]
    OtherNetwork { path: PathBuf, architecture: Architecture, misfit: Box<Misfit> },
}

/// Names the networks weights are published for.
fn pretrainable() -> String {
    let names = Architecture::ALL.into_iter().filter(|it| it.is_pretrainable());
    names.map(|it| it.to_string()).collect::<Vec<String>>().join(", ")
}

/// Where training scripts keep the weights among other things they save.
const NESTED: [&str; 3] = ["state_dict.", "model_state_dict.", "model."];

/// Reads all tensors of a file, whose kind is told by its first bytes.
pub(super) fn read(path: &Path) -> Result<Tensors, WeightsError> {
    let unread = |source| WeightsError::Read { path: path.to_owned(), source };
    let mut start = Vec::new();
    File::open(path).and_then(|file| file.take(265).read_to_end(&mut start)).map_err(unread)?;
    let broken = |source| WeightsError::Broken { path: path.to_owned(), source: Box::new(source) };
    match start.as_slice() {
        // A zip archive, a stream of pickles, or a tar archive: what PyTorch wrote over the years.
        [b'P', b'K', 3, 4, ..] | [0x80, 2..=5, ..] => from_pytorch(path),
        bytes if bytes.get(257..262) == Some(b"ustar") => from_pytorch(path),
        [_, _, _, _, _, 0, 0, 0, b'{', ..] => {
            from_safetensors(&fs::read(path).map_err(unread)?).map_err(broken)
        }
        bytes => {
            let found = match bytes {
                [] => "empty",
                [0x89, b'H', b'D', b'F', ..] => "a Keras file (HDF5)",
                [b'<', ..] => "a web page",
                bytes if bytes.starts_with(b"version https://git-lfs") => "a Git LFS pointer",
                _ => "of an unknown kind",
            };
            Err(WeightsError::Format { path: path.to_owned(), found })
        }
    }
}

fn from_pytorch(path: &Path) -> Result<Tensors, WeightsError> {
    let refuse = |source| WeightsError::Pytorch { path: path.to_owned(), source: Box::new(source) };
    let reader = PytorchReader::new(path).map_err(refuse)?;
    let names = reader.keys();
    let holds = |prefix: &&str| names.iter().any(|name| name.starts_with(*prefix));
    let mut prefix = NESTED.into_iter().find(holds).unwrap_or_default().to_owned();
    // What was trained on several devices at once.
    let parallel = format!("{prefix}module.");
    let mut inside = names.iter().filter(|name| name.starts_with(&prefix));
    if inside.all(|name| name.starts_with(&parallel)) {
        prefix = parallel;
    }
    let mut tensors = Tensors::new();
    for (name, tensor) in reader.tensors() {
        let Some(name) = name.strip_prefix(&prefix) else { continue };
        let bytes = tensor.read().map_err(|source| refuse(source.into()))?;
        let values = dtype(tensor.dtype()).and_then(|kind| numbers(kind, &bytes));
        let values = values.ok_or_else(|| {
            let (name, kind) = (name.to_owned(), format!("{:?}", tensor.dtype()));
            let source = Box::new(WeightsError::Kind { name, kind });
            WeightsError::Broken { path: path.to_owned(), source }
        })?;
        tensors.insert(name.to_owned(), Array { shape: tensor.shape().to_vec(), values });
    }
    Ok(tensors)
}

fn dtype(kind: DType) -> Option<Dtype> {
    Some(match kind {
        DType::F64 => Dtype::F64,
        DType::F32 => Dtype::F32,
        DType::F16 => Dtype::F16,
        DType::BF16 => Dtype::BF16,
        DType::I64 => Dtype::I64,
        DType::I32
        | DType::I16
        | DType::I8
        | DType::U64
        | DType::U32
        | DType::U16
        | DType::U8
        | DType::Bool => return None,
    })
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
    #[expect(clippy::disallowed_types, reason = "the library asks for one")]
    let metadata = std::collections::HashMap::from([("format".to_owned(), "pt".to_owned())]);
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

#[expect(clippy::wildcard_enum_match_arm, reason = "other kinds are of no use as weights")]
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

    /// Written by `tests/judges/pytorch_files.py`.
    const PYTORCH: [(&str, &[u8]); 4] = [
        ("plain", include_bytes!("../../tests/judges/pytorch/plain.pth")),
        ("legacy", include_bytes!("../../tests/judges/pytorch/legacy.pth")),
        ("checkpoint", include_bytes!("../../tests/judges/pytorch/checkpoint.pth")),
        ("half", include_bytes!("../../tests/judges/pytorch/half.pth")),
    ];

    /// Reads bytes from a file, whose path is no part of a complaint.
    fn read_bytes(bytes: &[u8]) -> Result<Tensors, String> {
        use std::io::Write as _;
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        let path = file.path().display().to_string();
        read(file.path()).map_err(|error| error.to_string().replace(&path, "file"))
    }

    #[test]
    fn files_of_pytorch_hold_the_same_tensors_however_they_are_wrapped() {
        let array = |shape: &[usize], values: &[f32]| Array {
            shape: shape.to_vec(),
            values: values.to_vec(),
        };
        let expected = Tensors::from([
            ("output.weight".to_owned(), array(&[2, 3], &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0])),
            ("output.bias".to_owned(), array(&[2], &[0.5, -0.5])),
        ]);
        for (name, bytes) in PYTORCH {
            assert_eq!(read_bytes(bytes).as_ref(), Ok(&expected), "{name}");
        }
    }

    #[test]
    fn a_file_that_holds_no_weights_is_called_what_it_is() {
        let (_, whole) = PYTORCH[0];
        let complaint = |bytes: &[u8]| read_bytes(bytes).unwrap_err();

        let complaints = [
            complaint(b""),
            complaint(b"<!doctype html>"),
            complaint(b"\x89HDF\r\n\x1a\n"),
            complaint(&whole[..whole.len() / 2]),
            complaint(b"\x09\0\0\0\0\0\0\0{\"a\": 3}x"),
        ];

        let way = "not weights; give a PyTorch file (.pth) or a safetensors file";
        let expected = [
            format!("file is empty, {way}"),
            format!("file is a web page, {way}"),
            format!("file is a Keras file (HDF5), {way}"),
            "file is no whole PyTorch file; download it again".to_owned(),
            "file cannot be used as weights; download it again".to_owned(),
        ];
        assert_eq!(complaints, expected);
        let missing = read(Path::new("no/such/file.pth")).unwrap_err();
        assert!(matches!(missing, WeightsError::Read { .. }));
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
