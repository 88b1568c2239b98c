//! Parting a channel that stands for two symbols.

use burn::module::{Param, RunningState};
use burn::tensor::{Tensor, TensorData};

use crate::sparling::Sparling;

/// A channel's detector parted in two: with `z` what it says of a position's features `f`, it says
/// `z + (direction * f - offset)` from now on, and a spare channel `z - (direction * f - offset)`.
#[derive(Clone, Debug, PartialEq)]
pub struct ChannelSplit {
    /// The channel to part.
    pub channel: usize,
    /// The channel that is given up for it.
    pub spare: usize,
    /// One value per feature of the motif model's last layer.
    pub direction: Vec<f32>,
    /// Where the two agree, along the direction.
    pub offset: f32,
}

impl Sparling {
    /// Parts a channel; to the decoder both parts mean what the whole did.
    ///
    /// # Panics
    ///
    /// Panics if a channel is out of range or the direction has not one value per feature.
    pub fn split(&mut self, split: &ChannelSplit) {
        let ChannelSplit {
            channel,
            spare,
            direction,
            offset,
        } = split;
        let (channel, spare) = (*channel, *spare);
        let features = self.motif_model.conv_out.weight.dims()[1];
        assert_eq!(direction.len(), features, "one value per feature");
        edit(&mut self.motif_model.conv_out.weight, |weight| {
            for (feature, part) in direction.iter().enumerate() {
                let whole = weight[channel * features + feature];
                weight[channel * features + feature] = whole + part;
                weight[spare * features + feature] = whole - part;
            }
        });
        if let Some(bias) = &mut self.motif_model.conv_out.bias {
            edit(bias, |bias| {
                bias[spare] = bias[channel] + offset;
                bias[channel] -= offset;
            });
        }
        let copy = |values: &mut [f32]| values[spare] = values[channel];
        if let Some(norm) = &mut self.bottleneck.norm {
            for parameter in [&mut norm.gamma, &mut norm.beta].into_iter().flatten() {
                edit(parameter, copy);
            }
            for statistics in [&norm.running_mean, &norm.running_var] {
                update(statistics, copy);
            }
        }
        let thresholds = &self.bottleneck.sparsity.thresholds;
        let channels = self.bottleneck.sparsity.channels();
        if thresholds.value_sync().dims()[0] == channels {
            update(thresholds, copy);
        }
        edit(&mut self.decoder.reembed.weight, |weight| {
            for row in weight.chunks_mut(channels) {
                row[spare] = row[channel];
            }
        });
    }
}

fn edit<const D: usize>(parameter: &mut Param<Tensor<D>>, change: impl FnOnce(&mut [f32])) {
    *parameter = parameter.clone().map(|tensor| {
        let tracked = tensor.is_require_grad();
        edited(tensor, change).set_require_grad(tracked)
    });
}

fn update(state: &RunningState<Tensor<1>>, change: impl FnOnce(&mut [f32])) {
    state.update(edited(state.value_sync(), change));
}

fn edited<const D: usize>(tensor: Tensor<D>, change: impl FnOnce(&mut [f32])) -> Tensor<D> {
    let (device, shape) = (tensor.device(), tensor.shape());
    let values = tensor.into_data_as::<f32>().try_into_vec::<f32>();
    let mut values = values.expect("data converted to f32 reads as f32");
    change(&mut values);
    Tensor::from_data(TensorData::new(values, shape), &device)
}
