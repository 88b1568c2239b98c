//! The spatial sparsity layer (paper, section 4.1).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use burn::config::Config;
use burn::module::{Flag, Module, Param, RunningState};
use burn::tensor::{Device, Tensor, activation};

use crate::accumulate::{Gathered, Pending, PendingError, Update};
use crate::competition::Competition;
use crate::density::{DensityError, DensityHandle};
#[cfg(feature = "flex")]
use crate::quantile::threshold_rank;
use crate::quantile::{ThresholdScope, Tracker};

/// Configures a [`SpatialSparsity`] layer.
#[derive(Config, Debug, PartialEq)]
pub struct SpatialSparsityConfig {
    /// The number of channels.
    pub channels: usize,
    /// The share of activations let through, in `(0, 1]`.
    pub density: f64,
    /// One threshold per channel (MT), one for all (ST), or one per group of channels.
    #[config(default = "ThresholdScope::PerChannel")]
    pub scope: ThresholdScope,
    /// How much of the old threshold each update keeps, in `[0, 1)`: the paper's mu.
    #[config(default = 0.9)]
    pub momentum: f64,
    /// Gather batches until this many activations are expected above each threshold, and only
    /// then update it (paper, footnote 3, which uses 10). `None` updates on every batch.
    #[config(default = "None")]
    pub accumulate: Option<f64>,
    /// Let only the strongest activation of each neighbourhood through in some training examples
    /// (not in the paper). `None` never does.
    #[config(default = "None")]
    pub competition: Option<Competition>,
}

/// What a layer keeps between batches besides its thresholds.
#[derive(Debug, Default)]
struct Memory {
    tracker: Tracker,
    gathered: Gathered,
    /// How many thresholds were left as they were because their quantile was NaN, `[1]`.
    skipped: Option<Tensor<1>>,
}

/// Lets through what exceeds a threshold that follows the batches: `relu(z - t)`.
///
/// The threshold is updated in training mode alone, that is when the input's device is autodiff
/// and the layer is not frozen; it gets no gradient. Built by [`SpatialSparsityConfig::init`].
#[derive(Module, Debug)]
pub struct SpatialSparsity {
    /// The thresholds, `[channels]`, `[groups]` or `[1]`; saved and loaded with the weights.
    pub thresholds: RunningState<Tensor<1>>,
    /// Whether training behaviour is enabled.
    pub training: Param<Flag>,
    #[module(skip)]
    density: DensityHandle,
    #[module(skip)]
    scope: ThresholdScope,
    #[module(skip)]
    momentum: f64,
    #[module(skip)]
    accumulate: Option<f64>,
    #[module(skip)]
    competition: Option<Competition>,
    /// Shared by clones, as the thresholds are.
    #[module(skip)]
    memory: Arc<Mutex<Memory>>,
    #[module(skip)]
    channels: usize,
}

impl SpatialSparsityConfig {
    /// Initialises the layer with thresholds of 0.
    ///
    /// # Panics
    ///
    /// Panics if a field is out of its range.
    pub fn init(&self, device: &Device) -> SpatialSparsity {
        assert!(self.channels > 0, "channels must be greater than zero");
        assert!(
            (0.0..1.0).contains(&self.momentum),
            "momentum must be in [0, 1), got {}",
            self.momentum
        );
        if let Some(competition) = &self.competition {
            competition.validate();
        }
        let density = DensityHandle::new(self.density).unwrap_or_else(|error| panic!("{error}"));
        let thresholds = self.scope.groups(self.channels);
        assert!(
            thresholds > 0 && self.channels.is_multiple_of(thresholds),
            "{} channels do not make {thresholds} groups",
            self.channels
        );
        SpatialSparsity {
            thresholds: RunningState::new(Tensor::zeros([thresholds], device)),
            training: Param::from_bool(true),
            density,
            scope: self.scope,
            momentum: self.momentum,
            accumulate: self.accumulate,
            competition: self.competition,
            memory: Arc::default(),
            channels: self.channels,
        }
    }
}

impl SpatialSparsity {
    /// Subtracts the thresholds and lets through what is above zero.
    ///
    /// In training mode the thresholds are updated first, from this batch.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, channels, spatial...]`, rank 2 to 5
    /// - output: the same
    ///
    /// # Panics
    ///
    /// Panics if the rank is outside 2 to 5 or the second axis is not `channels`.
    pub fn forward<const D: usize>(&self, input: Tensor<D>) -> Tensor<D> {
        self.forward_with_penalty(input).0
    }

    /// As [`forward`](Self::forward), with what [`Inhibition`](crate::competition::Inhibition) adds
    /// to the loss.
    ///
    /// # Shapes
    ///
    /// - `input`: `[batch, channels, spatial...]`, rank 2 to 5
    /// - output: the same, and `[1]`
    pub fn forward_with_penalty<const D: usize>(
        &self,
        input: Tensor<D>,
    ) -> (Tensor<D>, Option<Tensor<1>>) {
        assert!((2..=5).contains(&D), "expected rank 2 to 5, got {D}");
        assert_eq!(
            input.dims()[1],
            self.channels,
            "expected {} channels in {:?}",
            self.channels,
            input.dims()
        );
        let device = input.device();
        if device.is_autodiff() && self.training.is_enabled() {
            self.update(input.clone().without_autodiff());
        }
        let thresholds = self.thresholds.value_sync().to_device(&device).detach();
        let groups = thresholds.dims()[0];
        let each = thresholds
            .reshape([groups, 1])
            .expand([groups, self.channels / groups]);
        let mut shape = [1; D];
        shape[1] = self.channels;
        self.compete(activation::relu(input - each.reshape(shape)))
    }

    /// In training, the activations without those that lost where channels compete, and the penalty.
    pub(crate) fn compete<const D: usize>(
        &self,
        activations: Tensor<D>,
    ) -> (Tensor<D>, Option<Tensor<1>>) {
        let competition = self.competition;
        let density = self.density();
        match competition.filter(|competition| density <= competition.from_density) {
            Some(competition)
                if activations.device().is_autodiff() && self.training.is_enabled() =>
            {
                competition.apply(activations, density)
            }
            _ => (activations, None),
        }
    }

    /// The number of channels.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// The share of activations let through.
    pub fn density(&self) -> f64 {
        self.density.get()
    }

    /// The density itself, to be read and set from elsewhere.
    pub fn density_handle(&self) -> DensityHandle {
        self.density.clone()
    }

    /// Changes the share of activations let through, of clones, too; the thresholds follow with the next
    /// batches.
    ///
    /// # Errors
    ///
    /// Refuses a density outside `(0, 1]`.
    pub fn set_density(&mut self, density: f64) -> Result<(), DensityError> {
        self.density.set(density)
    }

    /// The batches gathered for the next update, empty unless accumulation is on.
    ///
    /// Waits for the device.
    pub fn pending(&self) -> Pending {
        let gathered = self.memory().gathered.clone();
        gathered.pending()
    }

    /// Puts back batches taken with [`pending`](Self::pending).
    ///
    /// # Errors
    ///
    /// Refuses what no layer of as many thresholds has gathered.
    pub fn set_pending(&mut self, pending: Pending) -> Result<(), PendingError> {
        pending.validate(self.scope.groups(self.channels))?;
        let gathered = Gathered::new(pending, &self.thresholds.value_sync().device());
        // A memory of its own: clones of the layer keep theirs.
        self.memory = Arc::new(Mutex::new(Memory {
            gathered,
            ..Memory::default()
        }));
        Ok(())
    }

    /// How many thresholds were left as they were at an update because their quantile was NaN.
    ///
    /// Waits for the device.
    pub fn skipped_updates(&self) -> u64 {
        let skipped = self.memory().skipped.clone();
        skipped.map_or(0, |skipped| skipped.into_scalar::<f32>() as u64)
    }

    /// How often a quantile was not where the last batch's let expect it; see [`Tracker::misses`].
    ///
    /// Waits for the device.
    pub fn selection_misses(&self) -> u64 {
        let tracker = self.memory().tracker.clone();
        tracker.misses()
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether every batch moves each channel's threshold.
    #[cfg(feature = "flex")]
    pub(crate) fn follows_each_batch_by_channel(&self) -> bool {
        self.training.is_enabled()
            && self.scope == ThresholdScope::PerChannel
            && self.accumulate.is_none()
    }

    /// Moves the thresholds towards the quantile of the values as `normalise` maps it.
    #[cfg(feature = "flex")]
    pub(crate) fn follow(&self, values: Tensor<3>, normalise: impl FnOnce(Tensor<1>) -> Tensor<1>) {
        let [batch, _, plane] = values.dims();
        let rank = threshold_rank(batch * plane, self.density());
        let mut memory = self.memory();
        let quantile = memory.tracker.kth_smallest(values, rank, self.scope);
        self.move_towards(&mut memory, normalise(quantile));
    }

    fn update<const D: usize>(&self, input: Tensor<D>) {
        let update = Update {
            scope: self.scope,
            groups: self.scope.groups(self.channels),
            density: self.density(),
            wanted: self.accumulate.unwrap_or(0.0),
        };
        let mut memory = self.memory();
        let Memory {
            tracker, gathered, ..
        } = &mut *memory;
        if let Some(quantile) = gathered.next_quantile(tracker, input, update) {
            self.move_towards(&mut memory, quantile);
        }
    }

    fn move_towards(&self, memory: &mut Memory, quantile: Tensor<1>) {
        let thresholds = self.thresholds.value_sync();
        let thresholds = thresholds.to_device(&quantile.device());
        let moved = thresholds.clone().mul_scalar(self.momentum)
            + quantile.clone().mul_scalar(1.0 - self.momentum);
        // A NaN would stay in the moving average for good.
        let unusable = quantile.is_nan();
        let skipped = unusable.clone().float().sum();
        memory.skipped = Some(match memory.skipped.take() {
            Some(before) => before.to_device(&skipped.device()) + skipped,
            None => skipped,
        });
        self.thresholds
            .update(moved.mask_where(unusable, thresholds).detach());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(config: SpatialSparsityConfig) -> (SpatialSparsity, Device) {
        let device = Device::default().autodiff();
        (config.init(&device), device)
    }

    fn values(tensor: Tensor<1>) -> Vec<f32> {
        tensor.into_data_as::<f32>().try_into_vec().unwrap()
    }

    #[test]
    fn the_threshold_follows_the_quantile() {
        let (layer, device) = layer(SpatialSparsityConfig::new(1, 0.25).with_momentum(0.5));
        let input = Tensor::<2>::from_floats([[1.0], [2.0], [3.0], [4.0]], &device);
        let output = layer.forward(input);
        // The third smallest is 3, half way from 0 is 1.5.
        assert_eq!(values(layer.thresholds.value_sync()), [1.5]);
        assert_eq!(values(output.flatten(0, 1)), [0.0, 0.5, 1.5, 2.5]);
    }

    #[test]
    fn evaluation_leaves_the_threshold_alone() {
        let (layer, device) = layer(SpatialSparsityConfig::new(1, 0.25));
        layer.forward(Tensor::<3>::ones([2, 1, 8], &device));
        let trained = values(layer.thresholds.value_sync());
        let evaluated = layer.valid();
        evaluated.forward(Tensor::<3>::full([2, 1, 8], 9.0, &device.inner()));
        assert_eq!(values(evaluated.thresholds.value_sync()), trained);
    }

    #[test]
    fn a_frozen_layer_leaves_the_threshold_alone() {
        let (layer, device) = layer(SpatialSparsityConfig::new(1, 0.25));
        let layer = layer.freeze();
        layer.forward(Tensor::<3>::ones([2, 1, 8], &device));
        assert_eq!(values(layer.thresholds.value_sync()), [0.0]);
    }

    #[test]
    fn accumulation_waits_for_enough_activations() {
        let config = SpatialSparsityConfig::new(2, 0.25)
            .with_accumulate(Some(2.0))
            .with_momentum(0.0);
        let (mut layer, device) = layer(config);
        let first = Tensor::<2>::from_floats(
            [[1.0, 10.0], [2.0, 20.0], [3.0, 30.0], [4.0, 40.0]],
            &device,
        );
        layer.forward(first.clone());
        assert_eq!(values(layer.thresholds.value_sync()), [0.0, 0.0]);
        assert_eq!(layer.pending().values, 4);

        // Putting back what was taken out changes nothing.
        layer.set_pending(layer.pending()).unwrap();
        layer.forward(first + 4.0);
        // Of eight values the sixth smallest is the threshold.
        assert_eq!(values(layer.thresholds.value_sync()), [6.0, 34.0]);
        assert_eq!(layer.pending(), Pending::default());
    }

    #[test]
    fn a_nan_never_enters_the_average() {
        let (layer, device) = layer(SpatialSparsityConfig::new(1, 0.1));
        layer.forward(Tensor::<2>::full([8, 1], f32::NAN, &device));
        assert_eq!(values(layer.thresholds.value_sync()), [0.0]);
        assert_eq!(layer.skipped_updates(), 1);
        layer.forward(Tensor::<2>::ones([8, 1], &device));
        assert_eq!(layer.skipped_updates(), 1);
    }

    /// As where a training loop owns the model.
    #[test]
    fn a_handle_sets_the_density_of_a_layer_that_moved() {
        let (layer, device) = layer(SpatialSparsityConfig::new(1, 1.0).with_momentum(0.0));
        let handle = layer.density_handle();
        let clone = layer.clone();
        let owned = std::thread::spawn(move || {
            handle.set(0.25).unwrap();
            assert_eq!(handle.set(2.0), Err(DensityError(2.0)));
            layer
        });
        let owned = owned.join().unwrap();
        clone.forward(Tensor::<2>::from_floats(
            [[1.0], [2.0], [3.0], [4.0]],
            &device,
        ));
        assert_eq!(values(owned.thresholds.value_sync()), [3.0]);
        assert_eq!((owned.density(), owned.valid().density()), (0.25, 0.25));
    }

    #[test]
    fn the_density_is_checked() {
        let (mut layer, _) = layer(SpatialSparsityConfig::new(1, 0.5));
        assert_eq!(layer.set_density(0.0), Err(DensityError(0.0)));
        assert_eq!(layer.set_density(1.5), Err(DensityError(1.5)));
        assert!(layer.set_density(f64::NAN).is_err());
        assert_eq!(layer.density(), 0.5);
        layer.set_density(1.0).unwrap();
        assert_eq!(layer.density(), 1.0);
    }

    #[test]
    #[should_panic(expected = "expected 3 channels")]
    fn the_wrong_channels_panic() {
        let (layer, device) = layer(SpatialSparsityConfig::new(3, 0.5));
        layer.forward(Tensor::<4>::ones([1, 2, 4, 4], &device));
    }

    #[test]
    fn the_threshold_gets_no_gradient() {
        let (layer, device) = layer(SpatialSparsityConfig::new(1, 0.5));
        let input = Tensor::<2>::from_floats([[1.0], [2.0], [3.0], [4.0]], &device).require_grad();
        let gradients = layer.forward(input.clone()).sum().backward();
        // 0.1 * 2 lies below every value, so all pass, each with a slope of 1.
        assert_eq!(
            values(input.grad(&gradients).unwrap().flatten(0, 1)),
            [1.0; 4]
        );
    }
}
