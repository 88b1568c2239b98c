//! The vocal tract: its resonances, one after the other.

use super::resonator::Resonator;
use super::score::Score;
use super::voice::Voice;

/// How often formants move, per second.
const UPDATES: u32 = 400;

/// Formants whose relaxed frequency is above this share of half the sample rate are left out.
const HIGHEST_RELAXED: f64 = 0.97;

/// No formant moves above this share of half the sample rate.
const HIGHEST: f64 = 0.95;

/// Turns the glottis's excitation into speech.
pub(super) fn resonate(excitation: &mut [f64], voice: &Voice, score: &Score, sample_rate: u32) {
    let stretch = (sample_rate / UPDATES) as usize;
    let rate = f64::from(sample_rate);
    let nyquist = rate / 2.0;
    let mut resonators: Vec<Resonator> = (voice.relaxed(HIGHEST_RELAXED * nyquist))
        .into_iter()
        .map(|(frequency, bandwidth)| {
            let mut resonator = Resonator::default();
            resonator.tune(frequency, bandwidth, rate);
            resonator
        })
        .collect();
    let updates = excitation.len().div_ceil(stretch);
    let curves: Vec<(Vec<f64>, Vec<f64>)> = (score.formants.iter().zip(&score.bandwidths))
        .map(|(formant, bandwidth)| {
            let render = |track: &super::track::Track| track.render(rate / stretch as f64, updates);
            (render(formant), render(bandwidth))
        })
        .collect();
    for (update, block) in excitation.chunks_mut(stretch).enumerate() {
        // The higher ones stay where they are.
        for (resonator, (frequencies, bandwidths)) in resonators.iter_mut().zip(&curves) {
            let frequency = frequencies[update].min(HIGHEST * nyquist);
            resonator.tune(frequency, bandwidths[update], rate);
        }
        for resonator in &mut resonators {
            for sample in &mut *block {
                *sample = resonator.next(*sample);
            }
        }
    }
}
