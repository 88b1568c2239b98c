//! The decoder with and without the row LSTM, against the same one in PyTorch.

use std::path::Path;

use anyhow::{Context, Result};
use burn::tensor::{Device, Tensor, activation};
use sparling_models::{DecoderConfig, Positions, RowLstmStart, pytorch};

use super::Comparison;
use super::tensors::{Group, Tensors};

/// The heads of the golden decoders, which no tensor's shape tells.
const HEADS: usize = 4;
/// The side of their pooling window, likewise.
const POOL: usize = 8;

/// Compares both decoders of `dir/decoders.safetensors`.
///
/// # Errors
///
/// If a file is missing or not of the expected layout.
pub fn compare(dir: &Path, device: &Device) -> Result<Vec<Comparison>> {
    Tensors::read(dir, "decoders.safetensors")?.open(|golden| {
        let mut comparisons = compare_decoder(&golden.group("image."), device)?;
        comparisons.extend(compare_decoder(&golden.group("audio."), device)?);
        Ok(comparisons)
    })
}

fn compare_decoder(golden: &Group<'_>, device: &Device) -> Result<Vec<Comparison>> {
    let read = |name: &str| golden.find(name);
    let decoder = pytorch::load(config(golden)?.init(device), "init.", &read)?;
    let motifs = golden.maps("m", device)?.require_grad();
    let tokens = golden.tokens("y_i", device)?;
    let [_, time] = tokens.dims();

    let encoding = decoder.encode(motifs.clone());
    let logits = decoder.decode(encoding.clone(), tokens.clone().slice_dim(1, 0..time - 1));
    let written = tokens.slice_dim(1, 1..time).unsqueeze_dim::<3>(2);
    let loss: Tensor<1> = activation::log_softmax(logits.clone(), 2)
        .gather(2, written)
        .mean()
        .neg();
    let gradients = loss.backward();
    let gradient = motifs
        .grad(&gradients)
        .context("the motifs have a gradient")?;
    Ok(vec![
        golden.compare("encoding", encoding.swap_dims(0, 1))?,
        golden.compare("logits", logits.swap_dims(0, 1))?,
        golden.compare("loss", loss)?,
        golden.compare("dm", gradient)?,
        golden.compare_gradients(pytorch::gradients(&decoder, &gradients))?,
    ])
}

fn config(golden: &Group<'_>) -> Result<DecoderConfig> {
    let (reembed, _) = golden.get("init.reembed.weight")?;
    let (output, _) = golden.get("init.output.weight")?;
    let (feed_forward, _) = golden.get("init.encoder.layers.0.linear1.weight")?;
    let layers = |part: &str| {
        let is_layer = |index: &usize| {
            golden
                .find(&format!("init.{part}.layers.{index}.norm1.weight"))
                .is_some()
        };
        (0..).take_while(is_layer).count()
    };
    Ok(DecoderConfig {
        channels: reembed[1],
        vocabulary: output[0],
        width: reembed[0],
        heads: HEADS,
        encoder_layers: layers("encoder"),
        decoder_layers: layers("decoder"),
        feed_forward: feed_forward[0],
        dropout: 0.0,
        pool: POOL,
        positions: Positions::Rows,
        row_lstm: golden
            .find("init.lstm.weight_ih_l0")
            .map(|_| RowLstmStart::default()),
    })
}
