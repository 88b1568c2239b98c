//! Golden tensors, by name.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, ensure};
use burn::tensor::{Device, Int, Tensor, TensorData};
use safetensors::{Dtype, SafeTensors};

use super::{Comparison, TOLERANCE};
use crate::host::values;

/// The tensors of one safetensors file.
pub struct Tensors {
    path: PathBuf,
    bytes: Vec<u8>,
}

/// Those of them whose names start with a prefix.
pub struct Group<'a> {
    path: &'a Path,
    tensors: &'a SafeTensors<'a>,
    prefix: String,
}

impl Tensors {
    /// Reads `dir/file`.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn read(dir: &Path, file: &str) -> Result<Self> {
        let path = dir.join(file);
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self { path, bytes })
    }

    /// Parses the file and hands out its tensors.
    ///
    /// # Errors
    ///
    /// If it is no safetensors file, or what `with` says.
    pub fn open<T>(&self, with: impl FnOnce(&Group<'_>) -> Result<T>) -> Result<T> {
        let parsed = SafeTensors::deserialize(&self.bytes)
            .with_context(|| format!("cannot parse {}", self.path.display()))?;
        with(&Group {
            path: &self.path,
            tensors: &parsed,
            prefix: String::new(),
        })
        .with_context(|| self.path.display().to_string())
    }
}

impl<'a> Group<'a> {
    /// The tensors whose names go on with `prefix`, which is left out of their names.
    pub fn group(&self, prefix: &str) -> Group<'a> {
        Group {
            prefix: format!("{}{prefix}", self.prefix),
            ..*self
        }
    }

    /// The names, sorted.
    pub fn names(&self) -> Vec<String> {
        let names = self.tensors.names().into_iter();
        let mut names: Vec<String> = names
            .filter_map(|name| name.strip_prefix(&self.prefix))
            .map(str::to_owned)
            .collect();
        names.sort();
        names
    }

    /// The shape and the values of a tensor, if there is one of that name.
    pub fn find(&self, name: &str) -> Option<(Vec<usize>, Vec<f32>)> {
        let tensor = self
            .tensors
            .tensor(&format!("{}{name}", self.prefix))
            .ok()?;
        let values = match tensor.dtype() {
            Dtype::F32 => tensor
                .data()
                .as_chunks()
                .0
                .iter()
                .map(|bytes| f32::from_le_bytes(*bytes))
                .collect(),
            Dtype::I64 => tensor
                .data()
                .as_chunks()
                .0
                .iter()
                .map(|bytes| i64::from_le_bytes(*bytes) as f32)
                .collect(),
            _ => return None,
        };
        Some((tensor.shape().to_vec(), values))
    }

    /// The shape and the values of a tensor.
    ///
    /// # Errors
    ///
    /// If there is none of that name.
    pub fn get(&self, name: &str) -> Result<(Vec<usize>, Vec<f32>)> {
        self.find(name).ok_or_else(|| {
            anyhow!(
                "{}: no f32 tensor {}{name}",
                self.path.display(),
                self.prefix
            )
        })
    }

    /// A tensor of known rank.
    ///
    /// # Errors
    ///
    /// If there is none of that name and rank.
    pub fn tensor<const D: usize>(&self, name: &str, device: &Device) -> Result<Tensor<D>> {
        let (shape, values) = self.get(name)?;
        ensure!(
            shape.len() == D,
            "{}{name}: expected rank {D}, got {shape:?}",
            self.prefix
        );
        Ok(Tensor::from_data(TensorData::new(values, shape), device))
    }

    /// Inputs or motifs, `[batch, channels, height, width]`, or `[batch, channels, width]` in the file.
    ///
    /// # Errors
    ///
    /// If there is none of that name and rank.
    pub fn maps(&self, name: &str, device: &Device) -> Result<Tensor<4>> {
        match self.get(name)?.0.len() {
            3 => Ok(self.tensor::<3>(name, device)?.unsqueeze_dim(2)),
            _ => self.tensor(name, device),
        }
    }

    /// A tensor of tokens, `[time, batch]` in the file and `[batch, time]` here.
    ///
    /// # Errors
    ///
    /// If there is none of that name and rank.
    pub fn tokens(&self, name: &str, device: &Device) -> Result<Tensor<2, Int>> {
        Ok(self.tensor::<2>(name, device)?.swap_dims(0, 1).int())
    }

    /// Compares a computed tensor with the one of the same name.
    ///
    /// # Errors
    ///
    /// If there is none of that name.
    pub fn compare<const D: usize>(&self, name: &str, actual: Tensor<D>) -> Result<Comparison> {
        let (_, expected) = self.get(name)?;
        Ok(self.compared(name, &values(actual), &expected, TOLERANCE))
    }

    /// As [`compare`](Self::compare), but no difference passes.
    ///
    /// # Errors
    ///
    /// If there is none of that name.
    pub fn compare_exactly<const D: usize>(
        &self,
        name: &str,
        actual: Tensor<D>,
    ) -> Result<Comparison> {
        let (_, expected) = self.get(name)?;
        Ok(self.compared(name, &values(actual), &expected, 0.0))
    }

    /// Compares all gradients of a model at once, so that one that is zero but for rounding is
    /// judged by the size of the others.
    ///
    /// # Errors
    ///
    /// If one is missing on either side.
    pub fn compare_gradients(&self, actual: Vec<(String, Vec<f32>)>) -> Result<Comparison> {
        let names = self.group("grad.").names();
        ensure!(
            names.len() == actual.len(),
            "{}grad: expected {} gradients, got {}",
            self.prefix,
            names.len(),
            actual.len()
        );
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for (name, gradient) in actual {
            let (_, expected) = self.get(&format!("grad.{name}"))?;
            ensure!(
                expected.len() == gradient.len(),
                "{}grad.{name}: other size",
                self.prefix
            );
            ours.extend(gradient);
            theirs.extend(expected);
        }
        let name = format!("{} gradients", names.len());
        Ok(self.compared(&name, &ours, &theirs, TOLERANCE))
    }

    fn compared(&self, name: &str, actual: &[f32], expected: &[f32], tolerance: f64) -> Comparison {
        let wide = |values: &[f32]| {
            values
                .iter()
                .map(|value| f64::from(*value))
                .collect::<Vec<_>>()
        };
        Comparison::of(
            format!("{}{name}", self.prefix),
            &wide(actual),
            &wide(expected),
            tolerance,
        )
    }
}
