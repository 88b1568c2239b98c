//! The decoder against golden values computed with PyTorch.
//!
//! `SPARLING_GOLDEN` names the folder that holds `decoders.safetensors`; without it nothing is tested.

#![expect(clippy::unwrap_used, reason = "helpers of a test")]

use std::path::Path;

use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};
use safetensors::{Dtype, SafeTensors};
use sparling_models::decoder::pytorch::{from_pytorch, gradients_as_pytorch};
use sparling_models::{Decoder, DecoderConfig};

/// Largest difference allowed, relative to the largest magnitude of the tensor compared.
const TOLERANCE: f32 = 1e-4;

struct Golden<'a> {
    tensors: &'a SafeTensors<'a>,
    model: &'a str,
}

impl Golden<'_> {
    fn get(&self, name: &str) -> Option<(Vec<usize>, Vec<f32>)> {
        let view = self
            .tensors
            .tensor(&format!("{}.{name}", self.model))
            .ok()?;
        assert_eq!(view.dtype(), Dtype::F32, "{name}");
        let values = view.data().as_chunks::<4>().0;
        let values = values.iter().map(|bytes| f32::from_le_bytes(*bytes));
        Some((view.shape().to_vec(), values.collect()))
    }

    fn float<const D: usize>(&self, name: &str, device: &Device) -> Tensor<D> {
        let (shape, values) = self.get(name).unwrap();
        Tensor::from_data(TensorData::new(values, shape), device)
    }

    /// The tokens, batch first.
    fn tokens(&self, device: &Device) -> Tensor<2, Int> {
        let view = self.tensors.tensor(&format!("{}.y_i", self.model)).unwrap();
        let values = view.data().as_chunks::<8>().0;
        let values: Vec<i64> = values
            .iter()
            .map(|bytes| i64::from_le_bytes(*bytes))
            .collect();
        let data = TensorData::new(values, view.shape().to_vec());
        Tensor::<2, Int>::from_data(data, device).transpose()
    }

    /// The largest difference relative to the largest magnitude.
    fn error(&self, name: &str, actual: &[f32]) -> f32 {
        let (_, expected) = self.get(name).unwrap_or_else(|| panic!("no {name}"));
        assert_eq!(actual.len(), expected.len(), "{name}");
        let largest = expected.iter().fold(0.0_f32, |a, x| a.max(x.abs()));
        let pairs = actual.iter().zip(&expected);
        let difference = pairs.fold(0.0_f32, |a, (x, y)| a.max((x - y).abs()));
        let error = if difference == 0.0 {
            0.0
        } else {
            difference / largest
        };
        assert!(error <= TOLERANCE, "{} {name}: error {error:e}", self.model);
        error
    }

    fn check<const D: usize>(&self, name: &str, actual: Tensor<D>) {
        let values: Vec<f32> = actual.into_data().iter::<f32>().collect();
        println!("{} {name}: {:.1e}", self.model, self.error(name, &values));
    }
}

fn config(row_lstm: bool) -> DecoderConfig {
    DecoderConfig {
        channels: 5,
        vocabulary: 7,
        width: 16,
        heads: 4,
        encoder_layers: 2,
        decoder_layers: 2,
        feed_forward: 64,
        dropout: 0.0,
        pool: 8,
        row_lstm,
    }
}

/// Mean cross-entropy over all positions and examples.
fn cross_entropy(logits: Tensor<3>, targets: Tensor<2, Int>) -> Tensor<1> {
    log_softmax(logits, 2)
        .gather(2, targets.unsqueeze_dim(2))
        .mean()
        .neg()
}

fn compare<const D: usize>(golden: &Golden<'_>, row_lstm: bool, device: &Device) {
    let decoder: Decoder =
        from_pytorch(&config(row_lstm), "init.", &|name| golden.get(name), device).unwrap();
    let motifs = golden.float::<D>("m", device).require_grad();
    let tokens = golden.tokens(device);
    let [_, time] = tokens.dims();

    let memory = decoder.encode(motifs.clone());
    golden.check("encoding", memory.clone().swap_dims(0, 1));
    let logits = decoder.decode(memory, tokens.clone().slice_dim(1, 0..time - 1));
    golden.check("logits", logits.clone().swap_dims(0, 1));
    let loss = cross_entropy(logits, tokens.slice_dim(1, 1..time));
    golden.check("loss", loss.clone());

    let gradients = loss.backward();
    golden.check("dm", motifs.grad(&gradients).unwrap());
    let gradients = gradients_as_pytorch(&decoder, &gradients);
    let prefix = format!("{}.grad.", golden.model);
    let names = golden.tensors.names();
    let expected = names
        .iter()
        .filter(|name| name.starts_with(&prefix))
        .count();
    assert_eq!(gradients.len(), expected, "parameters compared");
    let mut worst = (0.0, String::new());
    for (name, gradient) in gradients {
        let error = golden.error(&format!("grad.{name}"), &gradient);
        if error > worst.0 {
            worst = (error, name);
        }
    }
    println!(
        "{} worst of {expected} gradients: {:.1e} {}",
        golden.model, worst.0, worst.1
    );
}

fn compare_all(device: &Device) {
    let Some(folder) = std::env::var_os("SPARLING_GOLDEN") else {
        eprintln!("skipped: SPARLING_GOLDEN names no folder of golden values");
        return;
    };
    let bytes = std::fs::read(Path::new(&folder).join("decoders.safetensors")).unwrap();
    let tensors = &SafeTensors::deserialize(&bytes).unwrap();
    let image = Golden {
        tensors,
        model: "image",
    };
    let audio = Golden {
        tensors,
        model: "audio",
    };
    compare::<4>(&image, true, device);
    compare::<3>(&audio, false, device);
}

#[cfg(feature = "flex")]
#[test]
fn flex_agrees() {
    compare_all(&Device::flex().autodiff());
}

#[cfg(feature = "ndarray")]
#[test]
fn ndarray_agrees() {
    compare_all(&Device::ndarray().autodiff());
}
