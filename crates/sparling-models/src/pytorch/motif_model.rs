//! Where PyTorch has the motif model's parameters: all under the same paths but those of batch norm.

use super::{InPytorch, Place};
use crate::motif_model::MotifModel;

impl InPytorch for MotifModel {
    fn place(path: &str) -> Place {
        Place::of(path.replace("gamma", "weight").replace("beta", "bias"))
    }
}
