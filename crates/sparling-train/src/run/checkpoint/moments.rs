//! Adam's moments as Burn saves them.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{ModuleOptimizer, OptimizerRecord};
use burn::tensor::{Bytes, Tensor};
use sparling_models::Sparling;

/// All moments of an optimiser.
pub(super) fn of(optimizer: &ModuleOptimizer) -> Vec<u8> {
    let bytes = optimizer.to_record().into_bytes();
    bytes.expect("an optimiser's record serialises").to_vec()
}

/// Puts moments into an optimiser of this model.
///
/// # Errors
///
/// If the bytes are no record of an optimiser's, a moment is of another shape than its parameter, or not
/// finite.
pub(super) fn put(
    bytes: Vec<u8>,
    optimizer: ModuleOptimizer,
    model: &Sparling,
) -> Result<ModuleOptimizer, String> {
    let mut shapes = Shapes::default();
    model.visit(&mut shapes);
    let reader = burn_pack::Reader::from_bytes(Bytes::from_bytes_vec(bytes.clone()))
        .map_err(|error| error.to_string())?;
    for tensor in reader.into_tensors().map_err(|error| error.to_string())? {
        let (name, kind, shape, parameter, values) =
            tensor.into_parts().map_err(|error| error.to_string())?;
        let expected = parameter.and_then(|parameter| shapes.0.get(&parameter));
        let Some(expected) = expected else {
            return Err(format!("`{name}` belongs to no parameter of the model"));
        };
        if shape.to_vec() != *expected {
            return Err(format!(
                "`{name}` is of shape {:?}, but its parameter of {expected:?}",
                shape.to_vec()
            ));
        }
        let (values, _) = values.as_chunks::<4>();
        if kind != burn::tensor::DType::F32
            || !values
                .iter()
                .all(|value| f32::from_le_bytes(*value).is_finite())
        {
            return Err(format!("`{name}` is not finite"));
        }
    }
    let record = OptimizerRecord::from_bytes(Bytes::from_bytes_vec(bytes));
    let record = record.map_err(|error| error.to_string())?;
    Ok(optimizer.load_record(record))
}

/// The shapes of a model's parameters, by their numbers.
#[derive(Default)]
struct Shapes(BTreeMap<u64, Vec<usize>>);

impl ModuleVisitor for Shapes {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.insert(param.id.val(), param.val().dims().to_vec());
    }
}
