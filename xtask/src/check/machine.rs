//! What this machine has that some checks need.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::cargo::cargo;

/// What some checks need.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Machine {
    /// Whether cargo-deny is installed.
    pub deny: bool,
    /// Whether to train on wgpu: asked for, and a Vulkan driver is installed (Mesa's software one
    /// will do).
    pub wgpu: bool,
    /// Whether to compile for CUDA.
    pub cuda: bool,
    /// Whether chromedriver and Chromium are installed.
    pub browser: bool,
    /// Golden values of other implementations.
    pub golden: Option<PathBuf>,
}

impl Machine {
    /// Looks around.
    ///
    /// # Errors
    ///
    /// If a variable names a folder that is not there.
    pub fn probe() -> Result<Self> {
        Ok(Self {
            deny: has_deny(),
            wgpu: is_asked_for("SPARLING_CHECK_WGPU") && has_vulkan(),
            cuda: is_asked_for("SPARLING_CHECK_CUDA"),
            browser: answers("chromedriver"),
            golden: golden()?,
        })
    }
}

fn is_asked_for(variable: &str) -> bool {
    env::var_os(variable).is_some_and(|value| value == "1")
}

fn has_deny() -> bool {
    cargo()
        .args(["deny", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Whether a program says its version.
fn answers(program: &str) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdout(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Where the Vulkan loader looks for drivers.
fn has_vulkan() -> bool {
    let named = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"];
    let folders = [
        "/usr/share/vulkan/icd.d",
        "/usr/local/share/vulkan/icd.d",
        "/etc/vulkan/icd.d",
    ];
    let has_file = |folder| {
        Path::new(folder)
            .read_dir()
            .is_ok_and(|mut files| files.next().is_some())
    };
    named.iter().any(|name| env::var_os(name).is_some()) || folders.into_iter().any(has_file)
}

/// The folder's absolute path.
fn golden() -> Result<Option<PathBuf>> {
    let Some(folder) = env::var_os("SPARLING_GOLDEN") else {
        return Ok(None);
    };
    let folder = Path::new(&folder);
    let absolute = folder
        .canonicalize()
        .with_context(|| format!("SPARLING_GOLDEN is {}", folder.display()))?;
    Ok(Some(absolute))
}
