//! The motif model of images and of sequences, against the same one in PyTorch.

use std::path::Path;

use anyhow::{Context, Result};
use burn::module::Module;
use burn::tensor::Device;
use sparling_models::{MotifModel, MotifModelConfig, pytorch};

use super::Comparison;
use super::tensors::{Group, Tensors};

/// Compares both models of `dir/motif_models.safetensors`.
///
/// # Errors
///
/// If a file is missing or not of the expected layout.
pub fn compare(dir: &Path, device: &Device) -> Result<Vec<Comparison>> {
    Tensors::read(dir, "motif_models.safetensors")?.open(|golden| {
        let mut comparisons = compare_model(&golden.group("g2d."), 2, device)?;
        comparisons.extend(compare_model(&golden.group("g1d."), 1, device)?);
        Ok(comparisons)
    })
}

fn compare_model(
    golden: &Group<'_>,
    dimensions: usize,
    device: &Device,
) -> Result<Vec<Comparison>> {
    let model = build(golden, dimensions, device)?;
    let input = golden.maps("x", device)?.require_grad();
    let cotangent = golden.maps("w", device)?;
    let output = model.forward(input.clone());
    let gradients = (output.clone() * cotangent).sum().backward();
    let gradient = input.grad(&gradients).context("the input has a gradient")?;
    let evaluated = model.valid().forward(input.inner());
    Ok(vec![
        golden.compare("y_train", output)?,
        golden.compare("dx", gradient)?,
        golden.compare_gradients(pytorch::gradients(&model, &gradients))?,
        golden.compare("y_eval_after_one_train_step", evaluated)?,
    ])
}

fn build(golden: &Group<'_>, dimensions: usize, device: &Device) -> Result<MotifModel> {
    let (first, _) = golden.get("init.conv_in.weight")?;
    let (last, _) = golden.get("init.conv_out.weight")?;
    let is_unit = |index: &usize| {
        golden
            .find(&format!("init.units.{index}.conv1.weight"))
            .is_some()
    };
    let units = (0..).take_while(is_unit).count();
    let config = MotifModelConfig::new(first[1], dimensions, first[0], units, last[0]);
    let read = |name: &str| golden.find(name);
    Ok(pytorch::load(config.init(device), "init.", &read)?)
}
