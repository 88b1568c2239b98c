//! The k-th smallest values, against `torch.kthvalue`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use burn::tensor::Device;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sparling_layer::quantile::threshold_rank;
use sparling_layer::{ThresholdScope, kth_smallest};

use super::Comparison;
use super::tensors::Tensors;

#[derive(Deserialize)]
struct Meta {
    kth: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    n: usize,
    channels: usize,
    sparsity: f64,
    k: usize,
}

/// Compares every case of `dir/kth.safetensors`, exactly.
///
/// # Errors
///
/// If a file is missing or not of the expected layout.
pub fn compare(dir: &Path, device: &Device) -> Result<Vec<Comparison>> {
    let meta: Meta = read_meta(dir)?;
    Tensors::read(dir, "kth.safetensors")?.open(|golden| {
        let mut comparisons = Vec::new();
        for (index, case) in meta.kth.iter().enumerate() {
            let input = golden.tensor::<2>(&format!("x{index}"), device)?;
            let density = 1.0 - case.sparsity;
            let k = threshold_rank(case.n, density);
            comparisons.push(Comparison::of(
                format!("kth.rank{index}"),
                &[k as f64],
                &[case.k as f64],
                0.0,
            ));
            let kth = kth_smallest(input.clone(), k, ThresholdScope::PerChannel);
            comparisons.push(golden.compare_exactly(&format!("kth{index}"), kth)?);
            let k = threshold_rank(case.n * case.channels, density);
            let single = kth_smallest(input, k, ThresholdScope::Single);
            comparisons.push(golden.compare_exactly(&format!("single{index}"), single)?);
        }
        Ok(comparisons)
    })
}

/// Reads the part of `dir/meta.json` that `T` describes.
pub(super) fn read_meta<T: DeserializeOwned>(dir: &Path) -> Result<T> {
    let path = dir.join("meta.json");
    let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("cannot parse {}", path.display()))
}
