//! The backends compiled in, chosen by name.

use std::any::Any;
use std::fmt;
use std::panic;
use std::sync::{Arc, Mutex};

use burn::tensor::{Device, Tensor};

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

/// Why a backend cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BackendError {
    /// This program was built without it.
    #[error(
        "backend {wanted} is not compiled in (there {verb} {compiled}); run `cargo xtask {command} --backend {wanted}`, \
         or build with `cargo build --release -p sparling-train --no-default-features --features {wanted}`",
        verb = if .compiled.contains(',') { "are" } else { "is" },
        command = .command
    )]
    NotCompiled {
        /// The backend.
        wanted: Backend,
        /// Those that it was built with.
        compiled: String,
        /// What is to be done on it.
        command: &'static str,
    },
    /// This machine has no device or no driver for it.
    #[error(
        "backend {wanted} finds no device that works here ({reason}); on any processor \
         `--backend flex` works"
    )]
    NoDevice {
        /// The backend.
        wanted: Backend,
        /// What its driver said.
        reason: String,
    },
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
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
    pub(crate) const COMPILED: &[Self] = &[
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
    /// If it is not compiled in, with the command that gives it, or finds no device.
    pub(crate) fn choose(
        wanted: Option<Self>,
        command: &'static str,
    ) -> Result<Self, BackendError> {
        let wanted = match wanted {
            Some(wanted) => wanted,
            None => Self::COMPILED.first().copied().unwrap_or(Self::Flex),
        };
        if !Self::COMPILED.contains(&wanted) {
            let names: Vec<String> = Self::COMPILED.iter().map(Self::to_string).collect();
            return Err(BackendError::NotCompiled {
                wanted,
                compiled: names.join(", "),
                command,
            });
        }
        match wanted {
            Self::Flex | Self::Ndarray => {}
            Self::Wgpu | Self::Vulkan | Self::Cuda => wanted.try_device()?,
        }
        Ok(wanted)
    }

    /// Computes something: where drivers are missing, what opens devices panics, on threads of its own
    /// as well.
    fn try_device(self) -> Result<(), BackendError> {
        let first: Arc<Mutex<Option<String>>> = Arc::default();
        let heard = Arc::clone(&first);
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |panicked| {
            let mut first = heard
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner());
            first.get_or_insert_with(|| said(panicked.payload()));
        }));
        let outcome = panic::catch_unwind(|| {
            Tensor::<1>::zeros([1], &self.device()).into_data();
        });
        panic::set_hook(hook);
        outcome.map_err(|_| {
            let mut first = first
                .lock()
                .unwrap_or_else(|poisoned| poisoned.into_inner());
            BackendError::NoDevice {
                wanted: self,
                reason: first.take().unwrap_or_default(),
            }
        })
    }

    /// The backend's default device.
    ///
    /// # Panics
    ///
    /// Panics if the backend is not compiled in; `choose` only returns ones that
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

/// The beginning of what a panic says: some drivers list every name of a library that they tried.
fn said(payload: &dyn Any) -> String {
    const LENGTH: usize = 160;
    let message = match (
        payload.downcast_ref::<&str>(),
        payload.downcast_ref::<String>(),
    ) {
        (Some(message), _) => message,
        (_, Some(message)) => message.as_str(),
        _ => "",
    };
    let mut short: String = message.chars().take(LENGTH).collect();
    if short.len() < message.len() {
        short.push_str(" ...");
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_messages_are_cut() {
        assert_eq!(said(&"no driver"), "no driver");
        assert_eq!(said(&"no driver".to_owned()), "no driver");
        assert_eq!(said(&"\u{e9}".repeat(161)), "\u{e9}".repeat(160) + " ...");
        assert_eq!(said(&7), "");
    }
}
