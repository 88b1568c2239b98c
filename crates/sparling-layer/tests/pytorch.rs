//! One training batch through batch norm and layer, against PyTorch and the authors' own code.
//!
//! `data/README.md` says how the numbers were made.

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use serde::Deserialize;
use sparling_layer::{
    SparseBottleneck, SparseBottleneckConfig, SpatialSparsityConfig, ThresholdScope,
};

#[derive(Deserialize)]
struct Golden {
    shape: [usize; 4],
    /// Of outputs and gradients, every `stride`-th value was kept.
    stride: usize,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    scope: ThresholdScope,
    density: f64,
    momentum: f64,
    gamma: Option<Vec<f32>>,
    beta: Option<Vec<f32>>,
    x: Vec<f32>,
    thresholds: Vec<f32>,
    y: Vec<f32>,
    /// The loss is the sum of `y * w`.
    w: Option<Vec<f32>>,
    dx: Option<Vec<f32>>,
}

impl Case {
    fn bottleneck(&self, channels: usize, device: &Device) -> SparseBottleneck {
        let sparsity = SpatialSparsityConfig::new(channels, self.density)
            .with_scope(self.scope)
            .with_momentum(self.momentum);
        let affine = self.gamma.is_some();
        let mut bottleneck = SparseBottleneckConfig::new(sparsity)
            .with_affine(affine)
            .init(device);
        let param =
            |values: &Vec<f32>| Param::from_tensor(Tensor::from_floats(values.as_slice(), device));
        let norm = bottleneck.norm.as_mut().expect("there is one by default");
        norm.gamma = self.gamma.as_ref().map(param);
        norm.beta = self.beta.as_ref().map(param);
        bottleneck
    }
}

fn assert_close<const D: usize>(case: &str, ours: Tensor<D>, stride: usize, expected: &[f32]) {
    let ours: Result<Vec<f32>, _> = ours.into_data_as::<f32>().try_into_vec();
    let ours = ours.expect("data converted to f32 reads as f32");
    let ours: Vec<f32> = ours.into_iter().step_by(stride).collect();
    assert_eq!(ours.len(), expected.len(), "{case}");
    for (index, (ours, expected)) in ours.iter().zip(expected).enumerate() {
        let bound = 1e-5 * (1.0 + expected.abs());
        assert!(
            (ours - expected).abs() <= bound,
            "{case}, value {index}: {ours}, not {expected}"
        );
    }
}

#[test]
fn thresholds_outputs_and_gradients_are_pytorchs() {
    let golden: Golden = serde_json::from_str(include_str!("data/pytorch.json")).unwrap();
    let device = Device::default().autodiff();
    let tensor = |values: &Vec<f32>| -> Tensor<4> {
        Tensor::from_data(TensorData::new(values.clone(), golden.shape), &device)
    };
    for case in &golden.cases {
        let bottleneck = case.bottleneck(golden.shape[1], &device);
        let input = tensor(&case.x).require_grad();
        let output = bottleneck.forward(input.clone());
        let thresholds = bottleneck.sparsity.thresholds.value_sync();
        assert_close(&case.name, thresholds, 1, &case.thresholds);
        assert_close(&case.name, output.clone(), golden.stride, &case.y);
        // Gradients are there in one case alone.
        if let (Some(w), Some(dx)) = (&case.w, &case.dx) {
            let gradients = (output * tensor(w)).sum().backward();
            let gradient = input.grad(&gradients).unwrap();
            assert_close(&case.name, gradient, golden.stride, dx);
        }
    }
}
