//! Recordings: as WAV files, and of any length cut into windows that a model reads one by one.

use std::io::Cursor;
use std::ops::Range;
use std::path::Path;

use sparling_data::Sound;

use crate::files::atomic::{self, SaveError};

/// The share of a window that pieces have on average, so that there is room to look for silence.
const FILLED: f64 = 0.8;

/// Writes a recording as a WAV file of 16 bits; what is louder than full scale is clipped.
///
/// # Errors
///
/// If it cannot be saved.
pub fn write(path: &Path, sound: &Sound) -> Result<(), SaveError> {
    atomic::replace(path, |temporary| {
        let wav = wav(sound).map_err(std::io::Error::other)?;
        std::fs::write(temporary, wav)
    })
}

/// The contents of a recording's WAV file.
///
/// # Errors
///
/// If it is longer than a WAV file can be.
pub(crate) fn wav(sound: &Sound) -> Result<Vec<u8>, hound::Error> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: sound.sample_rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut file, spec)?;
    for sample in &sound.samples {
        // A cast to an integer stays within the integer's range.
        writer.write_sample((sample * 32_768.0).round() as i16)?;
    }
    writer.finalize()?;
    Ok(file.into_inner())
}

/// Cuts a recording into pieces of at most `longest` samples, each of about the same length, where
/// it is quietest: over `quiet` samples around the cut.
pub(crate) fn cut(samples: &[f32], longest: usize, quiet: usize) -> Vec<Range<usize>> {
    let count = if samples.len() <= longest {
        1
    } else {
        (samples.len() as f64 / (FILLED * longest as f64)).ceil() as usize
    };
    let middle = |index: usize| index * samples.len() / count;
    // Two neighbouring cuts may both move this far away from each other.
    let reach = (longest - samples.len().div_ceil(count)) / 2;
    let mut cuts = vec![0];
    cuts.extend((1..count).map(|index| {
        let around = middle(index) - reach..middle(index) + reach + 1;
        quietest(samples, around, quiet)
    }));
    cuts.push(samples.len());
    cuts.windows(2).map(|ends| ends[0]..ends[1]).collect()
}

/// The position within a range with the least energy around it; of equals the middlemost.
fn quietest(samples: &[f32], within: Range<usize>, quiet: usize) -> usize {
    let around = |position: usize| {
        let start = position.saturating_sub(quiet / 2);
        start..(position + quiet.div_ceil(2)).min(samples.len())
    };
    let middle = within.start.midpoint(within.end);
    let step = (quiet / 8).max(1);
    let energy = |position: usize| {
        let energy = samples[around(position)]
            .iter()
            .map(|sample| sample * sample);
        energy.sum::<f32>()
    };
    within
        .step_by(step)
        .map(|position| (energy(position), position))
        .min_by(|(a, at), (b, bt)| {
            let nearer = at.abs_diff(middle).cmp(&bt.abs_diff(middle));
            a.total_cmp(b).then(nearer)
        })
        .map_or(middle, |(_, position)| position)
}

/// For each output token the motif that stands for it: an alignment that keeps the order of both
/// and matches as many tokens as possible with motifs of their symbol.
///
/// Motifs are given by the symbol that their channel stands for. A token without a motif of its
/// symbol takes one of another symbol that is left over between its neighbours', if there is one.
pub(crate) fn align(tokens: &[usize], motifs: &[Option<usize>]) -> Vec<Option<usize>> {
    const SKIPPED_TOKEN: u32 = 4;
    const SKIPPED_MOTIF: u32 = 1;
    const OTHER_SYMBOL: u32 = 3;
    let pair = |token: usize, motif: Option<usize>| match motif {
        Some(symbol) if symbol == token => 0,
        _ => OTHER_SYMBOL,
    };
    // costs[i][j]: of the tokens from i on with the motifs from j on.
    let mut costs = vec![vec![0; motifs.len() + 1]; tokens.len() + 1];
    for i in (0..=tokens.len()).rev() {
        for j in (0..=motifs.len()).rev() {
            let skip_token = (i < tokens.len()).then(|| costs[i + 1][j] + SKIPPED_TOKEN);
            let skip_motif = (j < motifs.len()).then(|| costs[i][j + 1] + SKIPPED_MOTIF);
            let both = (i < tokens.len() && j < motifs.len())
                .then(|| costs[i + 1][j + 1] + pair(tokens[i], motifs[j]));
            let cheapest = [both, skip_motif, skip_token].into_iter().flatten().min();
            costs[i][j] = cheapest.unwrap_or(0);
        }
    }
    let mut aligned = vec![None; tokens.len()];
    let (mut i, mut j) = (0, 0);
    while i < tokens.len() && j < motifs.len() {
        if costs[i][j] == costs[i + 1][j + 1] + pair(tokens[i], motifs[j]) {
            aligned[i] = Some(j);
            (i, j) = (i + 1, j + 1);
        } else if costs[i][j] == costs[i][j + 1] + SKIPPED_MOTIF {
            j += 1;
        } else {
            i += 1;
        }
    }
    aligned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_recording_is_one_piece() {
        for length in [100, 1, 0] {
            let pieces = cut(&vec![0.5; length], 100, 8);
            assert_eq!((pieces.len(), &pieces[0]), (1, &(0..length)));
        }
    }

    #[test]
    fn pieces_cover_all_and_are_short_enough() {
        for length in [101, 150, 199, 1000, 12_345] {
            let samples: Vec<f32> = (0..length).map(|index| (index as f32).sin()).collect();
            let pieces = cut(&samples, 100, 8);
            assert!(
                pieces.iter().all(|piece| (1..=100).contains(&piece.len())),
                "{pieces:?}"
            );
            assert_eq!((pieces[0].start, pieces[pieces.len() - 1].end), (0, length));
            assert!(pieces.windows(2).all(|pair| pair[0].end == pair[1].start));
        }
    }

    #[test]
    fn it_is_cut_where_it_is_quiet() {
        let mut samples = vec![0.5; 160];
        samples[84..96].fill(0.0);
        let pieces = cut(&samples, 100, 8);
        assert_eq!(pieces.len(), 2);
        assert!((86..=94).contains(&pieces[0].end), "{pieces:?}");
    }

    #[test]
    fn tokens_find_their_motifs() {
        let motifs = [Some(3), Some(3), Some(1), None, Some(4)];
        assert_eq!(align(&[3, 1, 4], &motifs), [Some(0), Some(2), Some(4)]);
        // Nobody answers to 9: the motif between its neighbours' stands for it.
        assert_eq!(align(&[3, 1, 9, 4], &motifs)[2], Some(3));
        assert_eq!(align(&[7], &[]), [None]);
        assert_eq!(align(&[], &motifs), []);
        assert_eq!(
            align(&[1, 4, 4], &[Some(1), Some(4)]),
            [Some(0), Some(1), None]
        );
    }

    #[test]
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sound.wav");
        let sound = Sound {
            samples: vec![0.0, 0.5, -1.0, 1.5],
            sample_rate: 8000,
        };
        write(&path, &sound).unwrap();
        let (samples, rate) = sparling_data::speech::wav::read(&path).unwrap();
        assert_eq!(rate, 8000);
        assert_eq!(samples, [0.0, 0.5, -1.0, 32_767.0 / 32_768.0]);
    }
}
