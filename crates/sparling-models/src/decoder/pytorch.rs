//! Exchange of weights and gradients with the same decoder in PyTorch.
//!
//! The names are those of a PyTorch module with the parts `reembed` (a 1x1 convolution), `lstm`,
//! `encoder` and `decoder` (`nn.TransformerEncoder` and `nn.TransformerDecoder`), `embed` and
//! `output`. PyTorch stores a linear layer's weight transposed, packs queries, keys and values in one
//! `in_proj_weight`, and gives each direction of an LSTM its own tensors.

use std::convert::Infallible;

use burn::module::Param;
use burn::nn::{LayerNorm, Linear};
use burn::tensor::{Device, Gradients, Tensor, TensorData};

use super::attention::{CrossAttention, SelfAttention};
use super::transformer::FeedForward;
use super::{Decoder, DecoderConfig, RowLstm};

/// Finds a tensor by its full PyTorch name: its shape and its values in row-major order.
pub type Source<'a> = &'a dyn Fn(&str) -> Option<(Vec<usize>, Vec<f32>)>;

/// What PyTorch appends to the names of each direction's tensors.
const DIRECTIONS: [&str; 2] = ["_l0", "_l0_reverse"];

/// Why PyTorch weights do not make a decoder.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PytorchError {
    /// There is no tensor of this name.
    #[error("no tensor named {0}")]
    Missing(String),
    /// A tensor does not fit the configuration.
    #[error("tensor {name} has the shape {found:?}, not {expected:?}")]
    Shape {
        /// The tensor's name.
        name: String,
        /// The shape that the configuration asks for.
        expected: Vec<usize>,
        /// The tensor's shape.
        found: Vec<usize>,
    },
}

/// A decoder with the weights of a PyTorch one, whose names all start with `prefix`.
///
/// # Errors
///
/// Fails if a tensor is missing or does not have the shape that `config` asks for.
///
/// # Panics
///
/// Panics if `config` is not [valid](DecoderConfig::validate).
pub fn from_pytorch(
    config: &DecoderConfig,
    prefix: &str,
    source: Source<'_>,
    device: &Device,
) -> Result<Decoder, PytorchError> {
    let mut decoder = config.init(device);
    let mut load = Load { source, device };
    visit_decoder(&mut decoder, prefix, &mut load)?;
    Ok(decoder)
}

/// Every parameter's gradient in PyTorch's layout and under PyTorch's name; zeros where a parameter
/// took no part.
pub fn gradients_as_pytorch(decoder: &Decoder, gradients: &Gradients) -> Vec<(String, Vec<f32>)> {
    let mut collect = Collect {
        gradients,
        collected: Vec::new(),
    };
    let Ok(()) = visit_decoder(&mut decoder.clone(), "", &mut collect);
    collect.collected
}

/// One pass over the parameters and their counterparts in PyTorch.
trait Visit {
    type Error;

    /// Meets parameters and the PyTorch tensors that hold them. The values of the parameters one
    /// after the other, the last two axes swapped where `transposed`, are those of the tensors one
    /// after the other: either one tensor packs all parameters along its first axis, or there is one
    /// tensor for each index of the only parameter's first axis.
    fn meet<const D: usize>(
        &mut self,
        names: &[String],
        params: Vec<&mut Param<Tensor<D>>>,
        transposed: bool,
    ) -> Result<(), Self::Error>;
}

fn visit_decoder<V: Visit>(
    decoder: &mut Decoder,
    prefix: &str,
    visit: &mut V,
) -> Result<(), V::Error> {
    let reembed = &mut decoder.reembed;
    visit.meet(
        &[format!("{prefix}reembed.weight")],
        vec![&mut reembed.weight],
        false,
    )?;
    visit.meet(
        &[format!("{prefix}reembed.bias")],
        vec![&mut reembed.bias],
        false,
    )?;
    if let Some(lstm) = &mut decoder.row_lstm {
        visit_lstm(lstm, &format!("{prefix}lstm."), visit)?;
    }
    for (index, layer) in decoder.encoder.iter_mut().enumerate() {
        let name = format!("{prefix}encoder.layers.{index}.");
        visit_self_attention(&mut layer.attention, &format!("{name}self_attn."), visit)?;
        visit_feed_forward(&mut layer.feed_forward, &name, visit)?;
        visit_norm(&mut layer.attention_norm, &format!("{name}norm1."), visit)?;
        visit_norm(
            &mut layer.feed_forward_norm,
            &format!("{name}norm2."),
            visit,
        )?;
    }
    for (index, layer) in decoder.decoder.iter_mut().enumerate() {
        let name = format!("{prefix}decoder.layers.{index}.");
        visit_self_attention(&mut layer.attention, &format!("{name}self_attn."), visit)?;
        visit_cross_attention(&mut layer.cross, &format!("{name}multihead_attn."), visit)?;
        visit_feed_forward(&mut layer.feed_forward, &name, visit)?;
        visit_norm(&mut layer.attention_norm, &format!("{name}norm1."), visit)?;
        visit_norm(&mut layer.cross_norm, &format!("{name}norm2."), visit)?;
        visit_norm(
            &mut layer.feed_forward_norm,
            &format!("{name}norm3."),
            visit,
        )?;
    }
    let embedding = &mut decoder.embedding.weight;
    visit.meet(&[format!("{prefix}embed.weight")], vec![embedding], false)?;
    visit_linears(
        vec![&mut decoder.output],
        [&format!("{prefix}output."), ""],
        visit,
    )
}

fn visit_lstm<V: Visit>(lstm: &mut RowLstm, prefix: &str, visit: &mut V) -> Result<(), V::Error> {
    let names = |part: &str| DIRECTIONS.map(|direction| format!("{prefix}{part}{direction}"));
    visit.meet(&names("weight_ih"), vec![&mut lstm.input_weight], true)?;
    visit.meet(&names("weight_hh"), vec![&mut lstm.recurrent_weight], true)?;
    visit.meet(&names("bias_ih"), vec![&mut lstm.input_bias], false)?;
    visit.meet(&names("bias_hh"), vec![&mut lstm.recurrent_bias], false)
}

fn visit_self_attention<V: Visit>(
    attention: &mut SelfAttention,
    prefix: &str,
    visit: &mut V,
) -> Result<(), V::Error> {
    visit_linears(vec![&mut attention.projection], [prefix, "in_proj_"], visit)?;
    visit_linears(vec![&mut attention.output], [prefix, "out_proj."], visit)
}

fn visit_cross_attention<V: Visit>(
    attention: &mut CrossAttention,
    prefix: &str,
    visit: &mut V,
) -> Result<(), V::Error> {
    let packed = vec![&mut attention.query, &mut attention.key_value];
    visit_linears(packed, [prefix, "in_proj_"], visit)?;
    visit_linears(vec![&mut attention.output], [prefix, "out_proj."], visit)
}

fn visit_feed_forward<V: Visit>(
    feed_forward: &mut FeedForward,
    prefix: &str,
    visit: &mut V,
) -> Result<(), V::Error> {
    visit_linears(vec![&mut feed_forward.inner], [prefix, "linear1."], visit)?;
    visit_linears(vec![&mut feed_forward.outer], [prefix, "linear2."], visit)
}

/// Linear layers that share their inputs in PyTorch, side by side.
fn visit_linears<V: Visit>(
    linears: Vec<&mut Linear>,
    name: [&str; 2],
    visit: &mut V,
) -> Result<(), V::Error> {
    let name = name.concat();
    let (weights, biases): (Vec<_>, Vec<_>) = linears
        .into_iter()
        .map(|linear| (&mut linear.weight, linear.bias.as_mut()))
        .unzip();
    visit.meet(&[format!("{name}weight")], weights, true)?;
    visit.meet(
        &[format!("{name}bias")],
        biases.into_iter().flatten().collect(),
        false,
    )
}

fn visit_norm<V: Visit>(norm: &mut LayerNorm, prefix: &str, visit: &mut V) -> Result<(), V::Error> {
    visit.meet(&[format!("{prefix}weight")], vec![&mut norm.gamma], false)?;
    let biases = norm.beta.iter_mut().collect();
    visit.meet(&[format!("{prefix}bias")], biases, false)
}

/// The last two axes swapped, or not.
fn transpose_if<const D: usize>(tensor: Tensor<D>, transposed: bool) -> Tensor<D> {
    if transposed {
        tensor.transpose()
    } else {
        tensor
    }
}

/// Replaces each parameter's value.
struct Load<'a> {
    source: Source<'a>,
    device: &'a Device,
}

impl Load<'_> {
    /// The values of a tensor of this shape; a 1x1 convolution's trailing axes may follow.
    fn fetch(&self, name: &str, expected: &[usize]) -> Result<Vec<f32>, PytorchError> {
        let (found, values) =
            (self.source)(name).ok_or_else(|| PytorchError::Missing(name.to_owned()))?;
        let fits = found.starts_with(expected)
            && found.iter().skip(expected.len()).all(|size| *size == 1)
            && values.len() == expected.iter().product::<usize>();
        if fits {
            return Ok(values);
        }
        Err(PytorchError::Shape {
            name: name.to_owned(),
            expected: expected.to_vec(),
            found,
        })
    }
}

impl Visit for Load<'_> {
    type Error = PytorchError;

    fn meet<const D: usize>(
        &mut self,
        names: &[String],
        params: Vec<&mut Param<Tensor<D>>>,
        transposed: bool,
    ) -> Result<(), PytorchError> {
        let shapes: Vec<[usize; D]> = params
            .iter()
            .map(|param| transpose_if(param.val(), transposed).dims())
            .collect();
        let packed: usize = shapes.iter().map(|shape| shape[0]).sum();
        let expected = match names {
            [_] => [&[packed], &shapes[0][1..]].concat(),
            _ => shapes[0][1..].to_vec(),
        };
        let mut values = Vec::new();
        for name in names {
            values.extend(self.fetch(name, &expected)?);
        }

        let mut rest = values.as_slice();
        for (param, shape) in params.into_iter().zip(shapes) {
            let (part, after) = rest.split_at(shape.iter().product());
            rest = after;
            let part = Tensor::from_data(TensorData::new(part.to_vec(), shape), self.device);
            let (id, old, mapper) = param.clone().consume();
            let new = transpose_if(part, transposed).set_require_grad(old.is_require_grad());
            *param = Param::from_mapped_value(id, new, mapper);
        }
        Ok(())
    }
}

/// Collects each parameter's gradient.
struct Collect<'a> {
    gradients: &'a Gradients,
    collected: Vec<(String, Vec<f32>)>,
}

impl Visit for Collect<'_> {
    type Error = Infallible;

    fn meet<const D: usize>(
        &mut self,
        names: &[String],
        params: Vec<&mut Param<Tensor<D>>>,
        transposed: bool,
    ) -> Result<(), Infallible> {
        let mut values: Vec<f32> = Vec::new();
        for param in params {
            let param = param.val();
            let gradient = param
                .grad(self.gradients)
                .unwrap_or_else(|| param.inner().zeros_like());
            values.extend(transpose_if(gradient, transposed).into_data().iter::<f32>());
        }
        let length = values.len() / names.len();
        for (name, part) in names.iter().zip(values.chunks(length)) {
            self.collected.push((name.clone(), part.to_vec()));
        }
        Ok(())
    }
}
