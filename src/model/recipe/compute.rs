//! What computes a training.

use std::{fmt, panic};

use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::RecipeError;

/// What computes a training; the model it gives can be asked anywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Compute {
    /// All cores of the processor.
    #[default]
    Cpu,
    /// The first graphics card of NVIDIA; in programs built with the feature `cuda`.
    Cuda,
    /// Any graphics card, through Vulkan, Metal or `DirectX`; in programs built with the feature
    /// `wgpu`.
    Wgpu,
}

impl fmt::Display for Compute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::Wgpu => "wgpu",
        })
    }
}

impl Compute {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "it is called by a derived writer")]
    pub(super) fn is_cpu(&self) -> bool {
        *self == Self::Cpu
    }

    /// Returns the device, if this program was built for it.
    fn device(self) -> Option<Device> {
        match self {
            Self::Cpu => Some(Device::flex()),
            #[cfg(feature = "cuda")]
            Self::Cuda => Some(Device::cuda(0)),
            #[cfg(feature = "wgpu")]
            Self::Wgpu => Some(Device::wgpu(burn::tensor::DeviceKind::DefaultDevice)),
            #[cfg(not(feature = "cuda"))]
            Self::Cuda => None,
            #[cfg(not(feature = "wgpu"))]
            Self::Wgpu => None,
        }
    }

    pub(super) fn check(self) -> Result<(), RecipeError> {
        self.device().map(|_| ()).ok_or(RecipeError::NotBuiltFor { device: self })
    }

    /// Returns the device once it has computed something.
    pub(in crate::model) fn ready(self) -> Result<Device, RecipeError> {
        let device = self.device().ok_or(RecipeError::NotBuiltFor { device: self })?;
        let trial = device.clone();
        // The library knows no other way to say that there is no such device.
        let two =
            panic::catch_unwind(move || Tensor::<1>::ones([2], &trial).sum().into_scalar::<f32>());
        match two {
            Ok(2.0) => Ok(device),
            Ok(_) | Err(_) => Err(RecipeError::NoSuchDevice { device: self }),
        }
    }
}
