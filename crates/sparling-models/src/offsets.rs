//! Motifs moved by a fixed offset, channel by channel.

use burn::tensor::Tensor;

/// By how many rows down and columns to the right each channel's motifs are moved.
///
/// A motif model finds each symbol at whatever place around it training has settled on: the offset
/// from there to the symbol's middle is the same everywhere.
///
/// Paper: this is ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offsets(Vec<[isize; 2]>);

impl Offsets {
    /// The offsets of all channels, `[rows, columns]` each; in a sequence rows are 0.
    pub fn new(offsets: Vec<[isize; 2]>) -> Self {
        Self(offsets)
    }

    /// Of each channel; empty if none is moved.
    pub fn all(&self) -> &[[isize; 2]] {
        &self.0
    }

    /// Of one channel.
    pub fn of(&self, channel: usize) -> [isize; 2] {
        self.0.get(channel).copied().unwrap_or_default()
    }

    /// Moves motifs; what leaves the map is gone.
    ///
    /// # Shapes
    ///
    /// - `motifs`: `[batch, channels, height, width]`
    /// - output: the same
    ///
    /// # Panics
    ///
    /// Panics if there is an offset for another number of channels.
    pub(crate) fn apply(&self, motifs: Tensor<4>) -> Tensor<4> {
        if self.0.iter().all(|offset| *offset == [0, 0]) {
            return motifs;
        }
        let [_, channels, _, _] = motifs.dims();
        assert_eq!(self.0.len(), channels, "one offset for each channel");
        let channels = self.0.iter().enumerate().map(|(channel, offset)| {
            let one = motifs.clone().slice_dim(1, channel..channel + 1);
            moved(one, *offset)
        });
        Tensor::cat(channels.collect(), 1)
    }
}

/// One channel's motifs, moved along both axes.
fn moved(motifs: Tensor<4>, [down, right]: [isize; 2]) -> Tensor<4> {
    let axes = [(3, right), (2, down)];
    axes.into_iter().fold(motifs, |motifs, (axis, by)| {
        let size = motifs.dims()[axis];
        let far = by.unsigned_abs().min(size);
        if far == 0 {
            return motifs;
        }
        let mut gap = motifs.dims();
        gap[axis] = far;
        let gap = Tensor::zeros(gap, &motifs.device());
        let kept = match by > 0 {
            true => vec![gap, motifs.slice_dim(axis, 0..size - far)],
            false => vec![motifs.slice_dim(axis, far..size), gap],
        };
        Tensor::cat(kept, axis)
    })
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;

    #[test]
    fn each_channel_moves_by_its_own_offset() {
        let device = Device::default();
        let maps = [
            [[1.0_f32, 2.0, 3.0], [4.0, 5.0, 6.0]],
            [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]],
            [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]],
        ];
        let motifs = Tensor::<4>::from_data(TensorData::from([maps]), &device);
        let moved = Offsets::new(vec![[0, 0], [1, -2], [0, 1]]).apply(motifs.clone());
        let expected = [
            maps[0],
            [[0.0, 0.0, 0.0], [3.0, 0.0, 0.0]],
            [[0.0, 1.0, 2.0], [0.0, 4.0, 5.0]],
        ];
        let expected = TensorData::from([expected]);
        moved.into_data_as::<f32>().assert_eq(&expected, true);
        let gone = Offsets::new(vec![[9, 0], [-2, 0], [0, 3]]).apply(motifs);
        assert_eq!(gone.sum().into_scalar::<f32>(), 0.0);
    }

    #[test]
    fn sound_moves_along_time() {
        let device = Device::default();
        let motifs = [[[[1.0, 2.0, 3.0]], [[4.0, 5.0, 6.0]]]];
        let moved = Offsets::new(vec![[0, 1], [0, -1]]).apply(Tensor::from_data(motifs, &device));
        let expected = TensorData::from([[[[0.0_f32, 1.0, 2.0]], [[5.0, 6.0, 0.0]]]]);
        moved.into_data_as::<f32>().assert_eq(&expected, true);
    }

    #[test]
    fn gradients_move_back() {
        let device = Device::default().autodiff();
        let motifs = Tensor::<4>::ones([1, 1, 1, 3], &device).require_grad();
        let weight = Tensor::<4>::from_data([[[[1.0, 2.0, 4.0]]]], &device);
        let moved = Offsets::new(vec![[0, 1]]).apply(motifs.clone());
        let gradients = (moved * weight).sum().backward();
        let gradient = motifs.grad(&gradients).unwrap().into_data_as::<f32>();
        gradient.assert_eq(&TensorData::from([[[[2.0_f32, 4.0, 0.0]]]]), true);
    }
}
