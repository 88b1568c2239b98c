//! The backends compiled in, chosen by name.

use std::fmt;

use burn::tensor::Device;

/// A backend, by the name of its Cargo feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// Burn's own CPU backend, in pure Rust.
    Flex,
    /// The older CPU backend on the ndarray crate.
    Ndarray,
    /// Any GPU through wgpu: Vulkan, Metal, DirectX 12 or WebGPU, with WGSL shaders.
    Wgpu,
    /// Vulkan GPUs through wgpu, with SPIR-V shaders.
    Vulkan,
    /// NVIDIA GPUs.
    Cuda,
}

/// A backend that this program was built without.
#[derive(Debug, thiserror::Error)]
#[error(
    "backend {wanted} is not compiled in (there {verb} {compiled}); run `cargo xtask {command} --backend {wanted}`, \
     or build with `cargo build --release -p sparling-train --no-default-features --features {wanted}`",
    verb = if .compiled.contains(',') { "are" } else { "is" },
    command = .command
)]
pub struct MissingBackend {
    wanted: Backend,
    compiled: String,
    command: &'static str,
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flex => "flex",
            Self::Ndarray => "ndarray",
            Self::Wgpu => "wgpu",
            Self::Vulkan => "vulkan",
            Self::Cuda => "cuda",
        })
    }
}

impl Backend {
    /// Those compiled in, the default first.
    pub const COMPILED: &[Self] = &[
        #[cfg(feature = "flex")]
        Self::Flex,
        #[cfg(feature = "ndarray")]
        Self::Ndarray,
        #[cfg(feature = "wgpu")]
        Self::Wgpu,
        #[cfg(feature = "vulkan")]
        Self::Vulkan,
        #[cfg(feature = "cuda")]
        Self::Cuda,
    ];

    /// The backend asked for or, without one, the first compiled in.
    ///
    /// # Errors
    ///
    /// If it is not compiled in, with the command that gives it.
    pub fn choose(wanted: Option<Self>, command: &'static str) -> Result<Self, MissingBackend> {
        let wanted = match wanted {
            Some(wanted) => wanted,
            None => Self::COMPILED.first().copied().unwrap_or(Self::Flex),
        };
        if Self::COMPILED.contains(&wanted) {
            return Ok(wanted);
        }
        let names: Vec<String> = Self::COMPILED.iter().map(Self::to_string).collect();
        Err(MissingBackend {
            wanted,
            compiled: names.join(", "),
            command,
        })
    }

    /// The backend's default device.
    ///
    /// # Panics
    ///
    /// Panics if the backend is not compiled in; [`choose`](Self::choose) only returns ones that
    /// are.
    pub fn device(self) -> Device {
        match self {
            #[cfg(feature = "flex")]
            Self::Flex => Device::flex(),
            #[cfg(feature = "ndarray")]
            #[expect(deprecated, reason = "kept selectable, to check flex against")]
            Self::Ndarray => Device::ndarray(),
            #[cfg(feature = "wgpu")]
            Self::Wgpu => Device::wgpu(burn::tensor::DeviceKind::DefaultDevice),
            #[cfg(feature = "vulkan")]
            Self::Vulkan => Device::vulkan(burn::tensor::DeviceKind::DefaultDevice),
            #[cfg(feature = "cuda")]
            Self::Cuda => Device::cuda(0_usize),
            #[cfg(not(all(
                feature = "flex",
                feature = "ndarray",
                feature = "wgpu",
                feature = "vulkan",
                feature = "cuda"
            )))]
            other => panic!("backend {other} is not compiled in"),
        }
    }
}
