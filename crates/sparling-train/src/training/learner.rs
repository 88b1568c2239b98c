//! One step of training: loss, gradients, update.

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor};
use sparling_data::{Batch, Domain};
use sparling_models::Sparling;

use crate::config::{RunConfig, TrainingSection};
use crate::host::maps;
use crate::training::adam::Adam;
use crate::training::clip::clip_global_norm;
use crate::training::loss::Targets;

/// A model in training and its optimiser.
pub struct Learner {
    /// The model, on the autodiff device.
    pub model: Sparling,
    /// Its optimiser.
    pub optimizer: ModuleOptimizer,
    device: Device,
    gradient_clip_norm: Option<f64>,
}

impl Learner {
    /// Initialises the model from the configuration's seed, on a device with autodiff.
    pub fn new(config: &RunConfig, domain: &dyn Domain, device: Device) -> Self {
        device.seed(config.seed);
        let training = &config.training;
        Self {
            model: number_parameters(config.model(domain).init(&device)),
            optimizer: optimizer(training),
            device,
            gradient_clip_norm: training.gradient_clip_norm,
        }
    }

    /// Keeps the motif model and the normalisation as they are from now on.
    pub(crate) fn freeze_motifs(&mut self) {
        let Sparling {
            motif_model,
            bottleneck,
            decoder,
            offsets,
        } = self.model.clone();
        self.model = Sparling {
            motif_model: motif_model.freeze(),
            bottleneck: bottleneck.freeze(),
            decoder,
            offsets,
        };
    }

    /// Where the model is.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// The batch's loss, with the bottleneck's penalty if it has one.
    pub fn loss(&self, batch: Batch, domain: &dyn Domain) -> Tensor<1> {
        let targets = Targets::new(&batch.tokens, domain.vocabulary(), &self.device);
        let read = targets.read.clone();
        let input = maps(batch.inputs, domain.input_shape(), &self.device);
        let (logits, penalty) = self.model.forward_with_penalty(input, read);
        let loss = targets.cross_entropy(logits);
        match penalty {
            Some(penalty) => loss + penalty,
            None => loss,
        }
    }

    /// The gradients of a loss.
    pub fn gradients(&self, loss: &Tensor<1>) -> GradientsParams {
        GradientsParams::from_grads(loss.backward(), &self.model)
    }

    /// Clips the gradients and takes the optimiser's step.
    pub fn update(&mut self, gradients: GradientsParams, learning_rate: f64) {
        let gradients = match self.gradient_clip_norm {
            Some(norm) => clip_global_norm(&self.model, gradients, norm),
            None => gradients,
        };
        self.model = self
            .optimizer
            .step(learning_rate, self.model.clone(), gradients);
    }
}

/// Adam, as a configuration asks for it.
pub(crate) fn optimizer(training: &TrainingSection) -> ModuleOptimizer {
    let TrainingSection {
        beta_1,
        beta_2,
        epsilon,
        ..
    } = *training;
    Adam::new(beta_1 as f32, beta_2 as f32, epsilon as f32).into()
}

/// Numbers the parameters in the module's order, so that an optimiser's record fits the model that
/// another process builds from the same configuration.
pub(crate) fn number_parameters<M: Module>(module: M) -> M {
    module.map(&mut Numbering { next: 1 })
}

struct Numbering {
    next: u64,
}

impl ModuleMapper for Numbering {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (_, tensor, mapper) = param.consume();
        let id = ParamId::from(self.next);
        self.next += 1;
        Param::from_mapped_value(id, tensor, mapper)
    }
}
