//! Batch norm and the spatial sparsity layer over six training batches, against the authors' code.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use burn::module::{Module, Param};
use burn::tensor::Device;
use serde::Deserialize;
use sparling_layer::{
    BatchNormConfig, SparseBottleneck, SparseBottleneckConfig, SpatialSparsityConfig,
    ThresholdScope,
};

use super::Comparison;
use super::quantile::read_meta;
use super::tensors::{Group, Tensors};

#[derive(Deserialize)]
struct Meta {
    sparse_layers: BTreeMap<String, Case>,
}

#[derive(Deserialize)]
struct Case {
    sparsity: f64,
    /// The weight of the newest batch: PyTorch's convention.
    momentum: f64,
    affine: bool,
    bn_eps: f64,
    bn_momentum: f64,
    accumulate_motifs: Option<f64>,
}

/// Compares every layer of `dir/sparse_layers.safetensors`.
///
/// # Errors
///
/// If a file is missing or not of the expected layout.
pub fn compare(dir: &Path, device: &Device) -> Result<Vec<Comparison>> {
    let meta: Meta = read_meta(dir)?;
    Tensors::read(dir, "sparse_layers.safetensors")?.open(|golden| {
        let mut comparisons = Vec::new();
        for (name, case) in &meta.sparse_layers {
            let scope = match name.split('.').next() {
                Some("single") => ThresholdScope::Single,
                _ => ThresholdScope::PerChannel,
            };
            let layer = golden.group(&format!("{name}."));
            comparisons.extend(compare_layer(&layer, case, scope, device)?);
        }
        Ok(comparisons)
    })
}

fn compare_layer(
    golden: &Group<'_>,
    case: &Case,
    scope: ThresholdScope,
    device: &Device,
) -> Result<Vec<Comparison>> {
    let bottleneck = build(golden, case, scope, device)?;
    let batches = (0..)
        .take_while(|index| golden.find(&format!("x{index}")).is_some())
        .count();
    let mut comparisons = Vec::new();
    for index in 0..batches {
        let input = golden
            .tensor::<4>(&format!("x{index}"), device)?
            .require_grad();
        let cotangent = golden.tensor::<4>(&format!("w{index}"), device)?;
        let output = bottleneck.forward(input.clone());
        let gradients = (output.clone() * cotangent).sum().backward();
        let gradient = input.grad(&gradients).context("the input has a gradient")?;
        let thresholds = bottleneck.sparsity.thresholds.value_sync();
        comparisons.push(golden.compare(&format!("y{index}"), output)?);
        comparisons.push(golden.compare(&format!("dx{index}"), gradient)?);
        comparisons.push(golden.compare(&format!("thresholds{index}"), thresholds)?);
    }
    let evaluated = bottleneck.valid();
    let input = golden.tensor::<4>("x_eval", &device.clone().inner())?;
    comparisons.push(golden.compare("y_eval", evaluated.forward(input))?);
    let norm = evaluated.norm.expect("built with one");
    comparisons.push(golden.compare("running_mean", norm.running_mean.value_sync())?);
    comparisons.push(golden.compare("running_var", norm.running_var.value_sync())?);
    Ok(comparisons)
}

fn build(
    golden: &Group<'_>,
    case: &Case,
    scope: ThresholdScope,
    device: &Device,
) -> Result<SparseBottleneck> {
    let channels = golden.get("x0")?.0[1];
    let sparsity = SpatialSparsityConfig::new(channels, 1.0 - case.sparsity)
        .with_scope(scope)
        .with_momentum(1.0 - case.momentum)
        .with_accumulate(case.accumulate_motifs);
    let norm = BatchNormConfig::new(channels)
        .with_affine(case.affine)
        .with_epsilon(case.bn_eps)
        .with_momentum(case.bn_momentum);
    let mut norm = norm.init(device);
    if case.affine {
        norm.gamma = Some(Param::from_tensor(golden.tensor("gamma", device)?));
        norm.beta = Some(Param::from_tensor(golden.tensor("beta", device)?));
    }
    let mut bottleneck = SparseBottleneckConfig::new(sparsity).init(device);
    bottleneck.norm = Some(norm);
    Ok(bottleneck)
}
