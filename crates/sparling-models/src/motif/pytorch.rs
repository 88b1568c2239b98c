//! The motif model's parameters under PyTorch's names, to compare with models trained there.
//!
//! Only names differ: `norm1.gamma` is `norm1.weight`, `norm1.beta` is `norm1.bias`, and the
//! kernels of one-dimensional convolutions lack the axis of length 1.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor, TensorData};

use super::MotifModel;

/// Replaces every parameter and running statistic by what `read` returns for its PyTorch name,
/// row-major. What it has no value for stays.
pub fn load(model: MotifModel, read: &dyn Fn(&str) -> Option<Vec<f32>>) -> MotifModel {
    model.map(&mut Loader {
        path: Path::default(),
        read,
    })
}

/// The gradient of every parameter that has one, by PyTorch name, row-major.
pub fn gradients(model: &MotifModel, gradients: &Gradients) -> Vec<(String, Vec<f32>)> {
    let mut collector = Collector {
        path: Path::default(),
        gradients,
        found: Vec::new(),
    };
    model.visit(&mut collector);
    collector.found
}

#[derive(Default)]
struct Path(Vec<String>);

impl Path {
    fn pytorch_name(&self) -> String {
        let name = self.0.join(".");
        name.replace("gamma", "weight").replace("beta", "bias")
    }
}

struct Loader<'a> {
    path: Path,
    read: &'a dyn Fn(&str) -> Option<Vec<f32>>,
}

impl ModuleMapper for Loader<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.0.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.0.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(values) = (self.read)(&self.path.pytorch_name()) else {
            return param;
        };
        let (id, tensor, mapper) = param.consume();
        let data = TensorData::new(values, tensor.shape());
        let loaded =
            Tensor::from_data(data, &tensor.device()).set_require_grad(tensor.is_require_grad());
        Param::from_mapped_value(id, loaded, mapper)
    }
}

struct Collector<'a> {
    path: Path,
    gradients: &'a Gradients,
    found: Vec<(String, Vec<f32>)>,
}

impl ModuleVisitor for Collector<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.0.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.0.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = param.val().grad(self.gradients) {
            let values = gradient.into_data_as::<f32>().try_into_vec();
            let values = values.expect("data converted to f32 reads as f32");
            self.found.push((self.path.pytorch_name(), values));
        }
    }
}
