//! Clipping the norm of the whole gradient, as `torch.nn.utils.clip_grad_norm_` does.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

/// Scales all gradients by one factor so that their joint norm is at most `max_norm`.
///
/// Nothing is read back to the host. Parameters are visited in the module's order, so that the sum
/// is the same in every run.
pub fn clip_global_norm<M: Module>(
    module: &M,
    gradients: GradientsParams,
    max_norm: f64,
) -> GradientsParams {
    let mut norm = Norm {
        gradients: &gradients,
        squares: Vec::new(),
    };
    module.visit(&mut norm);
    if norm.squares.is_empty() {
        return gradients;
    }
    let norm = Tensor::cat(norm.squares, 0).sum().sqrt();
    let factor = norm
        .add_scalar(1e-6)
        .recip()
        .mul_scalar(max_norm)
        .clamp_max(1.0);
    let mut scale = Scale { gradients, factor };
    module.visit(&mut scale);
    scale.gradients
}

struct Norm<'a> {
    gradients: &'a GradientsParams,
    squares: Vec<Tensor<1>>,
}

impl ModuleVisitor for Norm<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            self.squares.push(gradient.square().sum());
        }
    }
}

struct Scale {
    gradients: GradientsParams,
    factor: Tensor<1>,
}

impl ModuleVisitor for Scale {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.remove::<D>(param.id) {
            let scaled = gradient * self.factor.clone().reshape([1; D]);
            self.gradients.register(param.id, scaled);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::nn::LinearConfig;
    use burn::tensor::Device;

    fn gradients(max_norm: f64) -> Vec<f32> {
        let device = Device::default().autodiff();
        let layer = LinearConfig::new(2, 1).init(&device);
        let input = Tensor::<2>::from_floats([[3.0, 4.0]], &device);
        let gradients = layer.forward(input).sum().backward();
        // The weight's gradient is the input, the bias's is 1.
        let gradients = GradientsParams::from_grads(gradients, &layer);
        let clipped = clip_global_norm(&layer, gradients, max_norm);
        let weight = clipped
            .get::<2>(layer.weight.id)
            .unwrap()
            .flatten::<1>(0, 1);
        let bias = clipped.get::<1>(layer.bias.as_ref().unwrap().id).unwrap();
        Tensor::cat(vec![weight, bias], 0)
            .into_data()
            .try_into_vec()
            .unwrap()
    }

    #[test]
    fn the_norm_is_taken_over_all_parameters() {
        let norm = 26.0_f32.sqrt();
        for (value, expected) in gradients(1.0).iter().zip([3.0, 4.0, 1.0]) {
            assert!((value - expected / norm).abs() < 1e-5);
        }
    }

    #[test]
    fn a_small_gradient_stays() {
        assert_eq!(gradients(10.0), [3.0, 4.0, 1.0]);
    }
}
