//! Giving a channel something else to answer to, in place.

use burn::module::{Param, RunningState};
use burn::tensor::{Tensor, TensorData};

use crate::sparling::Sparling;

/// What a channel answers to: a linear function of the motif model's
/// [features](crate::MotifModel::features), of mean 0 and variance 1 over all positions.
#[derive(Clone, Debug, PartialEq)]
pub struct Detector {
    /// The weight of each feature.
    pub weights: Vec<f32>,
    /// What is added to their sum.
    pub bias: f32,
    /// What the function exceeds where the channel is to answer.
    pub threshold: f32,
}

impl Sparling {
    /// Lets a channel answer where a detector does, at the mean scale of all channels. To the
    /// decoder it means nothing until training gives it a meaning.
    ///
    /// Waits for the device. Running statistics and thresholds are shared with the model's clones,
    /// which must not be used any more.
    ///
    /// # Panics
    ///
    /// Panics if there is no such channel, the channels share one threshold, or the detector is for
    /// another number of features.
    pub fn reassign(&mut self, channel: usize, detector: &Detector) {
        let count = self.bottleneck.sparsity.channels();
        let width = detector.weights.len();
        edit(&mut self.motif_model.conv_out.weight, |weight| {
            assert_eq!(
                weight.len(),
                count * width,
                "a detector of {width} features"
            );
            weight[channel * width..][..width].copy_from_slice(&detector.weights);
        });
        if let Some(bias) = &mut self.motif_model.conv_out.bias {
            edit(bias, |bias| bias[channel] = detector.bias);
        }

        let norm = &mut self.bottleneck.norm;
        let mut scale = 1.0;
        if let Some(gamma) = &mut norm.gamma {
            edit(gamma, |gamma| {
                scale = gamma.iter().map(|gamma| gamma.abs()).sum::<f32>() / count as f32;
                gamma[channel] = scale;
            });
        }
        if let Some(beta) = &mut norm.beta {
            edit(beta, |beta| beta[channel] = 0.0);
        }
        set(&norm.running_mean, channel, 0.0);
        set(&norm.running_var, channel, 1.0);
        let thresholds = &self.bottleneck.sparsity.thresholds;
        set(thresholds, channel, scale * detector.threshold);

        edit(self.decoder.reembed_weight(), |weight| {
            for feature in weight.chunks_mut(count) {
                feature[channel] = 0.0;
            }
        });
    }
}

fn values<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    let values = tensor.into_data_as::<f32>().try_into_vec::<f32>();
    values.expect("data converted to f32 reads as f32")
}

/// Changes a parameter's values and nothing else of it.
fn edit<const D: usize>(param: &mut Param<Tensor<D>>, change: impl FnOnce(&mut [f32])) {
    *param = param.clone().map(|tensor| {
        let (shape, device) = (tensor.shape(), tensor.device());
        let requires_gradient = tensor.is_require_grad();
        let mut values = values(tensor);
        change(&mut values);
        Tensor::from_data(TensorData::new(values, shape), &device)
            .set_require_grad(requires_gradient)
    });
}

fn set(state: &RunningState<Tensor<1>>, channel: usize, value: f32) {
    let tensor = state.value_sync();
    let (shape, device) = (tensor.shape(), tensor.device());
    let mut values = values(tensor);
    values[channel] = value;
    state.update(Tensor::from_data(TensorData::new(values, shape), &device));
}

#[cfg(test)]
mod tests {
    use burn::module::Module;
    use burn::tensor::{Device, Distribution};
    use sparling_layer::{SparseBottleneckConfig, SpatialSparsityConfig};

    use super::*;
    use crate::{DecoderConfig, MotifModelConfig, SparlingConfig};

    const CHANNELS: usize = 3;

    fn model(affine: bool, device: &Device) -> Sparling {
        let decoder = DecoderConfig {
            channels: CHANNELS,
            vocabulary: 5,
            width: 8,
            heads: 2,
            encoder_layers: 1,
            decoder_layers: 1,
            feed_forward: 8,
            dropout: 0.0,
            pool: 4,
            row_lstm: None,
        };
        let sparsity = SpatialSparsityConfig::new(CHANNELS, 0.2);
        SparlingConfig::new(
            MotifModelConfig::new(1, 2, 8, 1, CHANNELS),
            SparseBottleneckConfig::new(sparsity).with_affine(affine),
            decoder,
        )
        .init(device)
    }

    fn detector() -> Detector {
        Detector {
            weights: (0..8).map(|index| index as f32 / 8.0).collect(),
            bias: -0.5,
            threshold: 0.25,
        }
    }

    fn input(device: &Device) -> Tensor<4> {
        Tensor::random([2, 1, 8, 8], Distribution::Normal(0.0, 1.0), device)
    }

    /// `[channel][batch * position]`
    fn by_channel(tensor: Tensor<4>) -> Vec<Vec<f32>> {
        let channels = tensor.dims()[1];
        let values = values(tensor.swap_dims(0, 1));
        let size = values.len() / channels;
        values.chunks(size).map(<[f32]>::to_vec).collect()
    }

    #[test]
    fn the_channel_becomes_the_detector_and_no_other_changes() {
        let device = Device::default().autodiff();
        for affine in [true, false] {
            let mut model = model(affine, &device);
            if let Some(gamma) = &mut model.bottleneck.norm.gamma {
                edit(gamma, |gamma| gamma.copy_from_slice(&[1.0, -2.0, 3.0]));
            }
            let input = input(&device);
            model.motifs(input.clone()); // moves running statistics and thresholds
            let before = by_channel(model.valid().motifs(input.clone().inner()));

            model.reassign(1, &detector());

            let after = by_channel(model.valid().motifs(input.clone().inner()));
            assert_eq!((&after[0], &after[2]), (&before[0], &before[2]));
            let scale = if affine { 2.0 } else { 1.0 };
            let features = by_channel(model.valid().motif_model.features(input.inner()));
            for (position, motif) in after[1].iter().enumerate() {
                let products = detector().weights.into_iter().zip(&features);
                let sum: f32 = products.map(|(w, feature)| w * feature[position]).sum();
                let expected = (scale * (sum - 0.5) - scale * 0.25).max(0.0);
                assert!((motif - expected).abs() < 1e-3, "{motif} {expected}");
            }
        }
    }

    #[test]
    fn the_decoder_hears_nothing_of_it_but_can_learn_to() {
        let device = Device::default().autodiff();
        let mut model = model(true, &device);
        model.reassign(2, &detector());
        let weight = model.decoder.reembed_weight().val();
        let of_channel = values(weight.clone()).into_iter().skip(2).step_by(CHANNELS);
        assert!(of_channel.eq([0.0; 8]));

        let tokens = Tensor::zeros([2, 3], &device);
        let output = model.forward(input(&device), tokens);
        let gradients = output.slice([0..2, 0..3, 0..1]).sum().backward();
        let gradient = values(weight.grad(&gradients).expect("it is still learnt"));
        assert!(gradient.iter().skip(2).step_by(CHANNELS).any(|g| *g != 0.0));
    }

    #[test]
    #[should_panic(expected = "a detector of 3 features")]
    fn a_detector_of_other_features_panics() {
        let device = Device::default();
        let detector = Detector {
            weights: vec![1.0; 3],
            ..detector()
        };
        model(true, &device).reassign(0, &detector);
    }
}
