//! A model's weights as safetensors.

use burn::store::{ModuleSnapshot, SafetensorsStore};
use burn::tensor::{bf16, f16};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors, serialize};
use sparling_models::Sparling;

/// All weights, thresholds and running statistics.
pub(super) fn of(model: &Sparling) -> Vec<u8> {
    // One entry alone: Burn's own come in another order each time, and so would the file.
    let mut store = SafetensorsStore::from_bytes(None)
        .clear_metadata()
        .metadata("format", "safetensors");
    model
        .save_into(&mut store)
        .expect("tensors in memory serialise");
    store
        .get_bytes()
        .expect("the store holds what was just saved")
}

/// The first tensor of a model's that is not finite, if there is one.
pub(super) fn not_finite(bytes: &[u8]) -> Option<String> {
    let tensors = SafeTensors::deserialize(bytes).expect("what was just written reads");
    let finite = |tensor: &TensorView| {
        floats(tensor).is_none_or(|values| values.iter().all(|value| value.is_finite()))
    };
    let found = tensors.iter().find(|(_, tensor)| !finite(tensor));
    found.map(|(name, _)| name.to_owned())
}

/// Puts weights into a model of the same configuration; those of another precision are converted.
///
/// # Errors
///
/// If the bytes are no safetensors or of another model, or a tensor is not finite.
pub(super) fn put(bytes: Vec<u8>, mut model: Sparling) -> Result<Sparling, String> {
    let mut store = SafetensorsStore::from_bytes(Some(in_single_precision(bytes)?));
    let result = model.load_from(&mut store);
    let result = result.map_err(|error| error.to_string())?;
    match result.unused.first() {
        Some(name) => Err(format!("the configured model has no `{name}`")),
        None => Ok(model),
    }
}

/// Checks that all tensors are finite, and converts those that are no 32-bit floats.
fn in_single_precision(bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    let tensors = SafeTensors::deserialize(&bytes).map_err(|error| error.to_string())?;
    let mut converted = Vec::new();
    for (name, tensor) in tensors.iter() {
        let values = floats(&tensor).ok_or_else(|| {
            format!(
                "`{name}` is of type {:?}, and no floating-point one",
                tensor.dtype()
            )
        })?;
        if !values.iter().all(|value| value.is_finite()) {
            return Err(format!(
                "`{name}` is not finite; use another checkpoint of this run"
            ));
        }
        let bytes: Vec<u8> = values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect();
        converted.push((name, tensor.shape().to_vec(), bytes));
    }
    if tensors
        .iter()
        .all(|(_, tensor)| tensor.dtype() == Dtype::F32)
    {
        return Ok(bytes);
    }
    let views = converted.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes);
        (*name, view.expect("as many values as before"))
    });
    serialize(views, None).map_err(|error| error.to_string())
}

/// The values of a tensor, if they are floats.
fn floats(tensor: &TensorView) -> Option<Vec<f32>> {
    let data = tensor.data();
    Some(match tensor.dtype() {
        Dtype::F32 => each(data, f32::from_le_bytes),
        Dtype::F64 => each(data, |bytes| f64::from_le_bytes(bytes) as f32),
        Dtype::F16 => each(data, |bytes| f16::from_le_bytes(bytes).to_f32()),
        Dtype::BF16 => each(data, |bytes| bf16::from_le_bytes(bytes).to_f32()),
        _ => return None,
    })
}

fn each<const N: usize>(data: &[u8], value: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    let (values, _) = data.as_chunks::<N>();
    values.iter().map(|bytes| value(*bytes)).collect()
}
