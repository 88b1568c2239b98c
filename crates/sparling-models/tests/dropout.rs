//! What is dropped follows the device's seed. Alone in its file: every test of a process draws from the
//! same random numbers.

use burn::tensor::{Device, Int, Tensor};
use sparling_models::{DecoderConfig, Positions};

#[test]
fn a_seed_repeats_what_is_dropped() {
    let device = Device::default().autodiff();
    let config = DecoderConfig {
        channels: 3,
        vocabulary: 9,
        width: 16,
        heads: 4,
        encoder_layers: 1,
        decoder_layers: 1,
        feed_forward: 24,
        dropout: 0.3,
        pool: 4,
        positions: Positions::Rows,
        row_lstm: None,
    };
    let decoder = config.init(&device);
    let logits = || {
        let motifs = Tensor::<4>::ones([2, 3, 8, 8], &device);
        let tokens = Tensor::<2, Int>::ones([2, 4], &device);
        decoder.forward(motifs, tokens).into_data()
    };
    logits(); // parameters are drawn at their first use
    device.seed(7);
    let (first, second) = (logits(), logits());
    device.seed(7);
    assert_eq!(first, logits());
    assert_ne!(first, second);
}
