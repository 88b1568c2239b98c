//! The decoder as a whole: shapes, causality, greedy decoding, dropout and weights from PyTorch.

use burn::tensor::{Device, Distribution, Int, Tensor, TensorData, Tolerance};
use sparling_models::decoder::DecoderConfigError;
use sparling_models::pytorch::{self, PytorchError};
use sparling_models::{Decoder, DecoderConfig, Positions, RowLstmStart};

const START: usize = 0;

fn config() -> DecoderConfig {
    DecoderConfig {
        channels: 3,
        vocabulary: 9,
        width: 16,
        heads: 4,
        encoder_layers: 1,
        decoder_layers: 2,
        feed_forward: 24,
        dropout: 0.0,
        pool: 4,
        positions: Positions::Rows,
        row_lstm: None,
    }
}

fn motifs(shape: [usize; 4], device: &Device) -> Tensor<4> {
    Tensor::random(shape, Distribution::Normal(-0.5, 2.0), device).clamp_min(0.0)
}

fn tokens(batch: usize, time: usize, device: &Device) -> Tensor<2, Int> {
    Tensor::<1, Int>::arange(0..(batch * time) as i64, device)
        .remainder_scalar(9)
        .reshape([batch, time])
}

#[test]
fn shapes_of_images_and_sequences() {
    let device = Device::default();
    let tokens = tokens(2, 5, &device);
    for row_lstm in [None, Some(RowLstmStart::default())] {
        let config = DecoderConfig {
            row_lstm,
            ..config()
        };
        let decoder = config.init(&device);
        let image = motifs([2, 3, 9, 21], &device);
        assert_eq!(decoder.encode(image.clone()).dims(), [2, 2 * 5, 16]);
        assert_eq!(decoder.forward(image, tokens.clone()).dims(), [2, 5, 9]);
    }
    let decoder = config().init(&device);
    let audio = motifs([2, 3, 1, 30], &device);
    assert_eq!(decoder.encode(audio.clone()).dims(), [2, 7, 16]);
    assert_eq!(decoder.forward(audio, tokens).dims(), [2, 5, 9]);
}

#[test]
#[should_panic(expected = "the row LSTM needs motifs of more than one row")]
fn a_row_lstm_refuses_sequences() {
    let device = Device::default();
    let config = DecoderConfig {
        row_lstm: Some(RowLstmStart::default()),
        ..config()
    };
    config.init(&device).encode(motifs([1, 3, 1, 8], &device));
}

#[test]
fn logits_depend_on_no_later_token() {
    let device = Device::default();
    let decoder = config().init(&device);
    let motifs = motifs([2, 3, 8, 8], &device);
    let tokens = tokens(2, 6, &device);
    let whole = decoder.forward(motifs.clone(), tokens.clone());
    for time in 1..6 {
        let prefix = decoder.forward(motifs.clone(), tokens.clone().slice_dim(1, 0..time));
        prefix.into_data().assert_approx_eq::<f32>(
            &whole.clone().slice_dim(1, 0..time).into_data(),
            Tolerance::absolute(1e-5),
        );
    }
}

/// Greedy decoding, never ending, that runs the whole prefix for every token.
fn uncached(decoder: &Decoder, motifs: Tensor<4>, length: usize) -> Vec<Vec<usize>> {
    let batch = motifs.dims()[0];
    let mut sequences = vec![vec![START as i64]; batch];
    for time in 1..=length {
        let tokens = TensorData::new(sequences.concat(), [batch, time]);
        let tokens = Tensor::<2, Int>::from_data(tokens, &motifs.device());
        let logits = decoder.forward(motifs.clone(), tokens);
        let last = logits.slice_dim(1, time - 1..time).argmax(2).into_data();
        for (sequence, id) in sequences.iter_mut().zip(last.iter::<i64>()) {
            sequence.push(id);
        }
    }
    let tokens = |ids: Vec<i64>| ids.into_iter().skip(1).map(|id| id as usize).collect();
    sequences.into_iter().map(tokens).collect()
}

fn assert_greedy_agrees(config: &DecoderConfig, shape: [usize; 4]) {
    let device = Device::default();
    for _ in 0..4 {
        let decoder = config.init(&device);
        let motifs = motifs(shape, &device);
        let endless = uncached(&decoder, motifs.clone(), 12);
        assert_eq!(
            decoder.greedy(motifs.clone(), START, usize::MAX, 12),
            endless
        );

        // A token that occurs, so that at least one sequence ends.
        let end = endless[0][5];
        let ended = |tokens: &Vec<usize>| -> Vec<usize> {
            let kept = tokens.iter().take_while(|token| **token != end);
            kept.copied().collect()
        };
        let expected: Vec<Vec<usize>> = endless.iter().map(ended).collect();
        assert_eq!(decoder.greedy(motifs, START, end, 12), expected);
    }
}

#[test]
fn greedy_decoding_equals_the_uncached_path() {
    assert_greedy_agrees(
        &DecoderConfig {
            row_lstm: Some(RowLstmStart::default()),
            ..config()
        },
        [5, 3, 12, 8],
    );
    assert_greedy_agrees(&config(), [5, 3, 1, 24]);
}

#[test]
fn greedy_decoding_stops_at_the_maximal_length() {
    let device = Device::default();
    let decoder = config().init(&device);
    let decoded = decoder.greedy(motifs([4, 3, 8, 8], &device), START, usize::MAX, 3);
    assert!(
        decoded.iter().all(|tokens| tokens.len() == 3),
        "{decoded:?}"
    );
}

#[test]
fn dropout_acts_on_autodiff_devices_only() {
    let config = DecoderConfig {
        dropout: 0.5,
        ..config()
    };
    for (device, varies) in [
        (Device::default(), false),
        (Device::default().autodiff(), true),
    ] {
        let decoder = config.init(&device);
        let motifs = motifs([2, 3, 8, 8], &device);
        let first = decoder
            .forward(motifs.clone(), tokens(2, 4, &device))
            .into_data();
        let second = decoder.forward(motifs, tokens(2, 4, &device)).into_data();
        assert_eq!(first != second, varies);
    }
}

#[test]
fn every_parameter_gets_a_gradient() {
    let device = Device::default().autodiff();
    let config = DecoderConfig {
        row_lstm: Some(RowLstmStart::default()),
        ..config()
    };
    let decoder = config.init(&device);
    let logits = decoder.forward(motifs([2, 3, 8, 12], &device), tokens(2, 5, &device));
    let gradients = logits.powi_scalar(2).mean().backward();
    let gradients = pytorch::gradients(&decoder, &gradients);
    for (name, gradient) in &gradients {
        assert!(gradient.iter().any(|value| *value != 0.0), "{name}");
    }
    let name = "decoder.layers.1.multihead_attn.in_proj_weight";
    let packed: Vec<_> = gradients.iter().filter(|(met, _)| met == name).collect();
    assert!(matches!(&packed[..], [(_, values)] if values.len() == 3 * 16 * 16));
}

#[test]
fn configurations_are_checked() {
    let of = |config: DecoderConfig| config.validate();
    assert_eq!(of(config()), Ok(()));
    let zero = DecoderConfig {
        pool: 0,
        positions: Positions::Rows,
        ..config()
    };
    assert_eq!(of(zero), Err(DecoderConfigError::Zero("pool")));
    let odd = DecoderConfig {
        width: 15,
        heads: 3,
        ..config()
    };
    assert_eq!(of(odd), Err(DecoderConfigError::OddWidth(15)));
    let heads = DecoderConfig {
        heads: 5,
        ..config()
    };
    assert_eq!(
        of(heads),
        Err(DecoderConfigError::Heads {
            heads: 5,
            width: 16
        })
    );
    let dropout = DecoderConfig {
        dropout: f64::NAN,
        ..config()
    };
    assert!(of(dropout).is_err());
}

#[test]
fn foreign_weights_must_be_complete_and_of_the_right_shape() {
    let device = Device::default();
    let missing = pytorch::load(config().init(&device), "h.", &|_| None);
    let name = "h.reembed.weight".to_owned();
    assert_eq!(missing.err(), Some(PytorchError::Missing(name.clone())));

    let found = vec![16, 4, 1, 1];
    let source = |_: &str| Some((found.clone(), vec![0.0; 64]));
    let wrong = pytorch::load(config().init(&device), "h.", &source);
    let expected = vec![16, 3];
    assert_eq!(
        wrong.err(),
        Some(PytorchError::Shape {
            name,
            expected,
            found: found.clone()
        })
    );
}
