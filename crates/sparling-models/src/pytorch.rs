//! Exchange of weights and gradients with the same models in PyTorch.
//!
//! A parameter has a path here and one or more names there. PyTorch stores a linear layer's weight
//! transposed, packs queries, keys and values in one tensor, and gives each direction of an LSTM
//! its own tensors: what is where is a model's [`Place`]s.

mod decoder;
mod motif_model;

use std::ops::Range;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor, TensorData};

/// A model that there is in PyTorch, too.
pub trait InPytorch: Module {
    /// Where the parameter or statistic of this path is there.
    fn place(path: &str) -> Place;
}

/// Where PyTorch has a parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    /// The tensor's name; of several tensors, each holds an index of the parameter's first axis.
    pub names: Vec<String>,
    /// Whether the last two axes are swapped there.
    pub transposed: bool,
    /// The parameter's parts among those that the tensor packs along its first axis, all equally large.
    pub parts: Range<usize>,
    /// How many parts it packs.
    pub packed: usize,
}

/// Finds a tensor by its full PyTorch name: its shape and its values in row-major order.
pub type Source<'a> = &'a dyn Fn(&str) -> Option<(Vec<usize>, Vec<f32>)>;

/// Why PyTorch weights do not make a model.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PytorchError {
    /// There is no tensor of this name.
    #[error("no tensor named {0}")]
    Missing(String),
    /// A tensor does not fit the model.
    #[error("tensor {name} has the shape {found:?}, not {expected:?}")]
    Shape {
        /// The tensor's name.
        name: String,
        /// The shape that the model asks for.
        expected: Vec<usize>,
        /// The tensor's shape.
        found: Vec<usize>,
    },
}

/// The model with the weights and running statistics of a PyTorch one, whose names all start with
/// `prefix`.
///
/// # Errors
///
/// Fails if a tensor is missing or does not have the shape that the model asks for, but for axes of
/// length 1.
pub fn load<M: InPytorch>(model: M, prefix: &str, source: Source<'_>) -> Result<M, PytorchError> {
    let mut loader = Loader {
        path: Vec::new(),
        place: M::place,
        prefix,
        source,
        error: None,
    };
    let model = model.map(&mut loader);
    loader.error.map_or(Ok(model), Err)
}

/// Every parameter's gradient in PyTorch's layout and under PyTorch's name; zeros where a parameter
/// took no part.
pub fn gradients<M: InPytorch>(model: &M, gradients: &Gradients) -> Vec<(String, Vec<f32>)> {
    let mut collector = Collector {
        path: Vec::new(),
        place: M::place,
        gradients,
        collected: Vec::new(),
    };
    model.visit(&mut collector);
    collector.collected
}

impl Place {
    /// A tensor that holds the parameter alone, axis for axis.
    fn of(name: String) -> Self {
        Self {
            names: vec![name],
            transposed: false,
            parts: 0..1,
            packed: 1,
        }
    }

    /// From one layout to the other.
    fn turn<const D: usize>(&self, tensor: Tensor<D>) -> Tensor<D> {
        if self.transposed {
            tensor.transpose()
        } else {
            tensor
        }
    }

    /// The shape of each tensor, if the parameter's is `shape` in PyTorch's layout.
    fn tensor_shape(&self, shape: &[usize]) -> Vec<usize> {
        match (self.names.as_slice(), shape) {
            ([_], [first, rest @ ..]) => [&[first * self.packed / self.parts.len()], rest].concat(),
            (_, [_, rest @ ..]) => rest.to_vec(),
            (_, []) => Vec::new(),
        }
    }
}

/// Replaces each parameter's value.
struct Loader<'a> {
    path: Vec<String>,
    place: fn(&str) -> Place,
    prefix: &'a str,
    source: Source<'a>,
    /// The first.
    error: Option<PytorchError>,
}

impl Loader<'_> {
    fn fetch(&self, place: &Place, shape: &[usize]) -> Result<Vec<f32>, PytorchError> {
        let expected = place.tensor_shape(shape);
        let mut values = Vec::new();
        for name in &place.names {
            values.extend(self.fetch_tensor(name, &expected)?);
        }
        let part = values.len() / place.packed;
        Ok(values[place.parts.start * part..place.parts.end * part].to_vec())
    }

    fn fetch_tensor(&self, name: &str, expected: &[usize]) -> Result<Vec<f32>, PytorchError> {
        let name = format!("{}{name}", self.prefix);
        let Some((found, values)) = (self.source)(&name) else {
            return Err(PytorchError::Missing(name));
        };
        let long = |shape: &[usize]| -> Vec<usize> {
            shape.iter().copied().filter(|size| *size != 1).collect()
        };
        if long(&found) == long(expected) && values.len() == expected.iter().product::<usize>() {
            return Ok(values);
        }
        Err(PytorchError::Shape {
            name,
            expected: expected.to_vec(),
            found,
        })
    }
}

impl ModuleMapper for Loader<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let place = (self.place)(&self.path.join("."));
        let shape = place.turn(param.val()).dims();
        match self.fetch(&place, &shape) {
            Ok(values) => {
                let (id, old, mapper) = param.consume();
                let new = Tensor::from_data(TensorData::new(values, shape), &old.device());
                let new = place.turn(new).set_require_grad(old.is_require_grad());
                Param::from_mapped_value(id, new, mapper)
            }
            Err(error) => {
                self.error.get_or_insert(error);
                param
            }
        }
    }
}

/// Collects each parameter's gradient.
struct Collector<'a> {
    path: Vec<String>,
    place: fn(&str) -> Place,
    gradients: &'a Gradients,
    collected: Vec<(String, Vec<f32>)>,
}

impl ModuleVisitor for Collector<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val();
        if !value.is_require_grad() {
            return; // a statistic
        }
        let place = (self.place)(&self.path.join("."));
        let gradient = value
            .grad(self.gradients)
            .unwrap_or_else(|| value.inner().zeros_like());
        let values: Vec<f32> = place.turn(gradient).into_data().iter().collect();
        let each = values.len() / place.names.len();
        for (name, part) in place.names.into_iter().zip(values.chunks(each)) {
            match self.collected.iter_mut().find(|(met, _)| *met == name) {
                // What one tensor packs is met part after part.
                Some((_, values)) => values.extend(part),
                None => self.collected.push((name, part.to_vec())),
            }
        }
    }
}
