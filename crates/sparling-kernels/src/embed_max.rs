//! Embedding of few active values position by position, then max pooling.
//!
//! On Flex and on GPUs the two are one operator, whose cost follows the active values. The
//! embedding of all positions, which would be a large tensor, is never kept, neither there nor by
//! the twin.

#[cfg(feature = "flex")]
mod cpu;
#[cfg(feature = "cube")]
mod cube;
#[cfg(any(feature = "flex", feature = "cube"))]
mod operator;
#[cfg(any(feature = "flex", feature = "cube"))]
mod shape;

use burn::tensor::{Int, Tensor, assert_shape};

/// Embeds each position and keeps each feature's maximum over each window; positions that do not fill a
/// window are left out. Of equal maxima the first in row-major order gets the gradient, as in PyTorch.
///
/// # Shapes
///
/// - motifs: `[batch, channels, height, width]`
/// - weight: `[features, channels]`
/// - bias: `[features]`
/// - output: `[batch, rows, columns, features]`
///
/// # Panics
///
/// Panics if the motifs do not have the weight's channels or are smaller than the window.
pub fn embed_max(
    motifs: Tensor<4>,
    weight: Tensor<2>,
    bias: Tensor<1>,
    window: [usize; 2],
) -> Tensor<4> {
    let [_, channels] = weight.dims();
    assert_shape!(motifs, [_, channels, _, _]);
    let [_, _, height, width] = motifs.dims();
    assert!(
        height >= window[0] && width >= window[1],
        "motifs of {height}x{width} are smaller than the pooling window of {}x{}",
        window[0],
        window[1],
    );
    #[cfg(any(feature = "flex", feature = "cube"))]
    if operator::takes(&motifs) {
        use burn::backend::Dispatch;
        use operator::EmbedMax;
        return Tensor::from_dispatch(Dispatch::embed_max(
            motifs.into_dispatch(),
            weight.into_dispatch(),
            bias.into_dispatch(),
            window,
        ));
    }
    twin(motifs, weight, bias, window)
}

/// The maxima's places are found first, then the motifs there are embedded once more, and gradients flow
/// through that.
fn twin(motifs: Tensor<4>, weight: Tensor<2>, bias: Tensor<1>, window: [usize; 2]) -> Tensor<4> {
    let [features, channels] = weight.dims();
    let (windows, [rows, columns]) = windows(motifs, window);
    let [batch, _, cells, area] = windows.dims();

    let winners = winners(windows.clone().detach(), weight.clone().detach());
    let winners = winners
        .unsqueeze_dim::<4>(1)
        .expand([batch, channels, features, cells])
        .reshape([batch * channels, features * cells]);
    let won = windows
        .reshape([batch * channels, cells * area])
        .gather(1, winners)
        .reshape([batch, channels, features, cells]);
    let weight = weight.transpose().reshape([1, channels, features, 1]);
    let pooled = (won * weight).sum_dim(1); // [batch, 1, features, cells]

    pooled
        .reshape([batch, features, rows, columns])
        .permute([0, 2, 3, 1])
        + bias.unsqueeze()
}

/// Gathers the positions of each window, and tells how many windows there are along each axis.
///
/// # Shapes
///
/// - motifs: `[batch, channels, height, width]`
/// - output: `[batch, channels, rows * columns, area]`
fn windows(motifs: Tensor<4>, window: [usize; 2]) -> (Tensor<4>, [usize; 2]) {
    let [batch, channels, height, width] = motifs.dims();
    let [rows, columns] = [height / window[0], width / window[1]];
    let used = [rows * window[0], columns * window[1]];
    let motifs = if used == [height, width] {
        motifs
    } else {
        motifs.slice([0..batch, 0..channels, 0..used[0], 0..used[1]])
    };
    let windows = motifs
        .reshape([batch, channels, rows, window[0], columns, window[1]])
        .swap_dims(3, 4)
        .reshape([batch, channels, rows * columns, window[0] * window[1]]);
    (windows, [rows, columns])
}

/// Where each feature is largest in each window, as an index into all windows' positions.
///
/// # Shapes
///
/// - windows: `[batch, channels, cells, area]`
/// - weight: `[features, channels]`
/// - output: `[batch, features, cells]`
fn winners(windows: Tensor<4>, weight: Tensor<2>) -> Tensor<3, Int> {
    let [batch, channels, cells, area] = windows.dims();
    let [features, _] = weight.dims();

    let winners = weight
        .unsqueeze::<3>()
        .matmul(windows.reshape([batch, channels, cells * area]))
        .reshape([batch, features, cells, area])
        .argmax(3)
        .squeeze_dim::<3>(3);
    let starts = 0..(cells * area) as i64;
    let starts = Tensor::<1, Int>::arange_step(starts, area, &winners.device());
    winners + starts.unsqueeze()
}

#[cfg(test)]
mod tests {
    use burn::tensor::module::{conv2d, max_pool2d};
    use burn::tensor::ops::{ConvOptions, MaxPoolOptions};
    use burn::tensor::{Device, Distribution, Tolerance};

    use super::*;

    /// Weight and bias.
    type Parameters = (Tensor<2>, Tensor<1>);

    fn reference(parameters: &Parameters, motifs: Tensor<4>, window: [usize; 2]) -> Tensor<4> {
        let (weight, bias) = parameters.clone();
        let options = ConvOptions::new([1, 1], [0, 0], [1, 1], 1);
        let embedded = conv2d(motifs, weight.unsqueeze_dims(&[2, 3]), Some(bias), options);
        max_pool2d(embedded, MaxPoolOptions::new(window)).permute([0, 2, 3, 1])
    }

    fn assert_close<const D: usize>(actual: Tensor<D>, expected: Tensor<D>) {
        actual
            .into_data()
            .assert_approx_eq::<f32>(&expected.into_data(), Tolerance::absolute(1e-5));
    }

    /// From all positions active to most windows empty, with windows that do not fill the map.
    #[test]
    fn equals_a_convolution_and_max_pooling() {
        for device in devices() {
            let (weight, bias) = parameters(3, 21, &device);
            let parameters = (weight.require_grad(), bias.require_grad());
            for (size, window) in [([8, 12], [4, 4]), ([11, 9], [4, 4]), ([13, 1], [4, 1])] {
                for mean in [3.0, -1.0, -2.5] {
                    let normal = Distribution::Normal(mean, 1.0);
                    let motifs = Tensor::<4>::random([2, 3, size[0], size[1]], normal, &device);
                    let motifs = motifs.clamp_min(0.0).detach().require_grad();
                    let ways: [fn(_, _, _, _) -> Tensor<4>; 2] = [embed_max, twin];
                    for way in ways {
                        let (weight, bias) = parameters.clone();
                        let actual = way(motifs.clone(), weight, bias, window);
                        assert_equal_with_gradients(&parameters, &motifs, window, actual);
                    }
                }
            }
        }
    }

    fn parameters(channels: usize, features: usize, device: &Device) -> Parameters {
        let uniform = Distribution::Uniform(-0.6, 0.6);
        (
            Tensor::random([features, channels], uniform, device),
            Tensor::random([features], uniform, device),
        )
    }

    fn devices() -> Vec<Device> {
        let devices = [
            Device::default(),
            #[cfg(feature = "wgpu")]
            Device::wgpu(burn::tensor::DeviceKind::DefaultDevice),
        ];
        devices.into_iter().map(Device::autodiff).collect()
    }

    fn assert_equal_with_gradients(
        (weight, bias): &Parameters,
        motifs: &Tensor<4>,
        window: [usize; 2],
        actual: Tensor<4>,
    ) {
        let parameters = (weight.clone(), bias.clone());
        let expected = reference(&parameters, motifs.clone(), window);
        assert_close(actual.clone(), expected.clone());
        let cotangent = actual.random_like(Distribution::Normal(0.0, 1.0)).detach();
        let actual = (actual * cotangent.clone()).sum().backward();
        let expected = (expected * cotangent).sum().backward();
        assert_close(
            motifs.grad(&actual).unwrap(),
            motifs.grad(&expected).unwrap(),
        );
        assert_close(
            weight.grad(&actual).unwrap(),
            weight.grad(&expected).unwrap(),
        );
        assert_close(bias.grad(&actual).unwrap(), bias.grad(&expected).unwrap());
    }

    #[test]
    #[should_panic(expected = "smaller than the pooling window")]
    fn motifs_smaller_than_a_window_panic() {
        let device = Device::default();
        let (weight, bias) = parameters(1, 2, &device);
        embed_max(Tensor::zeros([1, 1, 7, 8], &device), weight, bias, [8, 8]);
    }
}
