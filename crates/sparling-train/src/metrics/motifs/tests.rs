use super::*;

fn box_at(symbol: usize, left: usize, right: usize) -> Footprint {
    Footprint {
        symbol,
        top: 0,
        bottom: 1,
        left,
        right,
    }
}

/// Maps of sequences from `(channel, frame, strength)`.
fn map(channels: usize, width: usize, motifs: &[(usize, usize, f32)]) -> Vec<f32> {
    let mut activations = vec![0.0; channels * width];
    for &(channel, frame, strength) in motifs {
        activations[channel * width + frame] = strength;
    }
    activations
}

fn worked() -> MotifCounts {
    let mut counts = MotifCounts::new(2, 2);
    // Symbol 0 seen by channel 1 (channel 0 is weaker), symbol 1 missed, one false positive.
    let first = map(2, 10, &[(1, 1, 0.9), (0, 2, 0.3), (0, 9, 0.1)]);
    counts.add_example(&first, 1, 10, &[box_at(0, 0, 4), box_at(1, 4, 8)]);
    // Both seen, by channels 1 and 0.
    let second = map(2, 10, &[(1, 0, 0.9), (0, 7, 0.3)]);
    counts.add_example(&second, 1, 10, &[box_at(0, 0, 4), box_at(1, 4, 8)]);
    counts
}

#[test]
fn counts_a_worked_case() {
    let counts = worked();
    assert_eq!(counts.confusion, [0, 1, 2, 0]);
    assert_eq!(counts.missed, [0, 1]);
    assert_eq!(counts.non_maximal, [1, 0]);
    assert_eq!(counts.false_positives, [1, 0]);
    assert_eq!(counts.activations_total(), 5);
    assert_eq!(counts.fne(), Some(0.25));
    assert_eq!(counts.fpe(), Some(0.25));
    assert_eq!(counts.fpe_all(), Some(0.2));
    assert_eq!(counts.ce(), Some(0.0));
    assert_eq!(counts.empirical_density(), Some(5.0 / 40.0));
    assert_eq!(counts.assignment(), [Some(1), Some(0)]);
}

#[test]
fn nothing_to_divide_by_gives_nothing() {
    let none = MotifCounts::new(3, 2);
    assert_eq!((none.fne(), none.fpe(), none.ce()), (None, None, None));
    assert_eq!((none.fpe_all(), none.empirical_density()), (None, None));
    // A dead model misses everything; there is no confusion to speak of.
    let mut dead = MotifCounts::new(3, 2);
    dead.add_example(&[0.0; 30], 1, 10, &[box_at(1, 0, 3)]);
    assert_eq!((dead.fne(), dead.fpe(), dead.ce()), (Some(1.0), None, None));
    assert_eq!(dead.empirical_density(), Some(0.0));
}

#[test]
fn where_nobody_has_located_symbols_only_the_density_is_known() {
    let mut counts = MotifCounts::new(2, 2);
    counts.add_unlocated(3, 60);
    assert_eq!(counts.empirical_density(), Some(3.0 / 60.0));
    assert_eq!((counts.fne(), counts.fpe()), (None, None));
    assert_eq!((counts.fpe_all(), counts.ce()), (None, None));
    assert_eq!(counts.assignment(), [None, None]);
    let mut both = worked();
    both.add_unlocated(3, 60);
    assert_eq!(both.fpe(), worked().fpe());
    assert_eq!(both.empirical_density(), Some(8.0 / 100.0));
}

#[test]
fn more_channels_than_symbols_share_them() {
    let mut counts = MotifCounts::new(3, 1);
    for channel in [0, 0, 2] {
        counts.add_example(&map(3, 4, &[(channel, 1, 1.0)]), 1, 4, &[box_at(0, 0, 4)]);
    }
    assert_eq!(counts.assignment(), [Some(0), None, Some(0)]);
    assert_eq!(counts.ce(), Some(0.0));
    assert_eq!(counts.ce_one_to_one(), Some(1.0 / 3.0));
}

#[test]
fn a_footprint_beyond_the_map_is_clipped() {
    let mut counts = MotifCounts::new(1, 1);
    counts.add_example(&map(1, 4, &[(0, 3, 1.0)]), 1, 4, &[box_at(0, 2, 9)]);
    assert_eq!(counts.fne(), Some(0.0));
}

#[test]
#[should_panic(expected = "activations are not [2, 1, 10]")]
fn refuses_another_number_of_channels() {
    MotifCounts::new(2, 2).add_example(&[0.0; 30], 1, 10, &[]);
}

#[test]
#[should_panic(expected = "symbol 2 is not one of 2")]
fn refuses_an_unknown_symbol() {
    MotifCounts::new(1, 2).add_example(&[0.0; 10], 1, 10, &[box_at(2, 0, 3)]);
}
