//! Thresholds are saved and loaded with the weights.

use burn::module::Module;
use burn::store::{ModuleSnapshot, SafetensorsStore};
use burn::tensor::{Device, Distribution, Tensor};
use sparling_layer::{
    SparseBottleneck, SparseBottleneckConfig, SpatialSparsityConfig, ThresholdScope,
};

fn config(scope: ThresholdScope) -> SparseBottleneckConfig {
    SparseBottleneckConfig::new(SpatialSparsityConfig::new(3, 0.1).with_scope(scope))
}

fn trained(scope: ThresholdScope) -> SparseBottleneck {
    let device = Device::default().autodiff();
    let bottleneck = config(scope).init(&device);
    for _ in 0..10 {
        bottleneck.forward(random(&device));
    }
    bottleneck
}

fn random(device: &Device) -> Tensor<4> {
    Tensor::random([4, 3, 9, 9], Distribution::Normal(2.0, 3.0), device)
}

fn bits<const D: usize>(tensor: Tensor<D>) -> Vec<u32> {
    let values: Result<Vec<f32>, _> = tensor.into_data_as::<f32>().try_into_vec();
    let values = values.expect("data converted to f32 reads as f32");
    values.into_iter().map(f32::to_bits).collect()
}

/// The same thresholds and the same output, bit by bit.
fn assert_same(loaded: &SparseBottleneck, saved: &SparseBottleneck) {
    let thresholds = |bottleneck: &SparseBottleneck| {
        let thresholds = bottleneck.sparsity.thresholds.value_sync();
        assert!(thresholds.clone().abs().min().into_scalar::<f32>() > 0.1);
        bits(thresholds)
    };
    assert_eq!(thresholds(loaded), thresholds(saved));
    let input = random(&Device::default());
    let output = loaded.forward(input.clone());
    assert_eq!(bits(output), bits(saved.forward(input)));
}

#[test]
fn safetensors_keep_the_thresholds() {
    for scope in [ThresholdScope::PerChannel, ThresholdScope::Single] {
        let saved = trained(scope).valid();
        let mut store = SafetensorsStore::from_bytes(None);
        saved.save_into(&mut store).unwrap();
        let bytes = store.get_bytes().unwrap();

        let mut loaded = config(scope).init(&Device::default());
        let mut store = SafetensorsStore::from_bytes(Some(bytes));
        let result = loaded.load_from(&mut store).unwrap();
        assert!(result.unused.is_empty() && result.missing.is_empty());
        assert_same(&loaded, &saved);
    }
}

#[test]
fn records_keep_the_thresholds() {
    for scope in [ThresholdScope::PerChannel, ThresholdScope::Single] {
        let saved = trained(scope).valid();
        let fresh = config(scope).init(&Device::default());
        let loaded = fresh.load_record(saved.clone().into_record());
        assert_same(&loaded, &saved);
    }
}

#[test]
fn what_is_loaded_goes_on_from_its_thresholds() {
    let saved = trained(ThresholdScope::PerChannel);
    let device = Device::default().autodiff();
    let fresh = config(ThresholdScope::PerChannel).init(&device);
    let loaded = fresh.load_record(saved.valid().into_record());
    let input = random(&device);
    let output = loaded.forward(input.clone());
    assert_eq!(bits(output), bits(saved.forward(input)));
    assert_same(&loaded.valid(), &saved.valid());
}

#[test]
fn a_configuration_survives_serialisation() {
    let config = SparseBottleneckConfig::new(
        SpatialSparsityConfig::new(7, 4.5e-5)
            .with_scope(ThresholdScope::Single)
            .with_accumulate(Some(10.0)),
    )
    .with_affine(false);
    let json = serde_json::to_string(&config).unwrap();
    assert_eq!(
        serde_json::from_str::<SparseBottleneckConfig>(&json).unwrap(),
        config
    );
}
