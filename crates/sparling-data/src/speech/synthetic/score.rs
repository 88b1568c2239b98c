//! One take as curves over time.

use super::draw::{Draw, amplitude};
use super::phone::{Phone, Pole};
use super::track::Track;
use super::voice::Voice;
use crate::seed::Stream;

/// A word's phones take at least so long in all, in seconds, and at most so long.
const SHORTEST: f64 = 0.27;
const LONGEST: f64 = 0.8;

/// The silence at either end, in seconds.
const MARGIN: f64 = 0.003;

/// What glottis and vocal tract do during one take.
#[derive(Clone, Debug)]
pub(super) struct Score {
    /// In seconds.
    pub(super) duration: f64,
    /// In Hz.
    pub(super) pitch: Track,
    /// What the lungs do to the amplitude of all that comes from the glottis.
    pub(super) loudness: Track,
    /// The amplitude of the glottis's pulses, 1 in vowels.
    pub(super) voicing: Track,
    /// The amplitude of its breath.
    pub(super) aspiration: Track,
    /// The first three formants, in Hz.
    pub(super) formants: [Track; 3],
    /// Their bandwidths, in Hz.
    pub(super) bandwidths: [Track; 3],
    /// What narrow passages add.
    pub(super) noises: Vec<Noise>,
    /// The largest absolute sample.
    pub(super) peak: f64,
}

/// Noise from one narrow passage.
#[derive(Clone, Debug)]
pub(super) struct Noise {
    /// What it consists of.
    pub(super) poles: &'static [Pole],
    /// Its amplitude, 1 where the poles' levels hold.
    pub(super) strength: Track,
}

/// One phone of the take.
struct Segment {
    phone: Phone,
    /// In seconds.
    duration: f64,
    from: [f64; 3],
    to: [f64; 3],
    /// A factor for the amplitude of the glottis's pulses and breath.
    voice: f64,
    /// A factor for the amplitude of noise.
    noise: f64,
}

impl Score {
    /// A take by this voice.
    pub(super) fn draw(voice: &Voice, digit: usize, stream: &mut Stream) -> Self {
        let segments = segments(voice, digit, stream);
        let timing = Timing::new(&segments, stream.between(0.04, 0.13));
        let levels = |level: fn(Phone) -> Option<f64>| {
            let strength =
                |segment: &Segment| segment.voice * level(segment.phone).map_or(0.0, amplitude);
            timing.strength(segments.iter().map(strength))
        };
        let bandwidths = |segment: &Segment| voice.widen(segment.phone.articulation().bandwidths);
        Self {
            duration: timing.duration,
            pitch: intonation(voice, timing.duration, stream),
            loudness: loudness(timing.duration, stream),
            voicing: levels(|phone| phone.articulation().voicing),
            aspiration: levels(|phone| phone.articulation().aspiration),
            formants: std::array::from_fn(|index| {
                timing.glide(segments.iter().map(|one| (one.from[index], one.to[index])))
            }),
            bandwidths: std::array::from_fn(|index| {
                let widths = segments.iter().map(|segment| bandwidths(segment)[index]);
                timing.glide(widths.map(|width| (width, width)))
            }),
            noises: timing.noises(&segments),
            peak: amplitude(stream.between(-12.0, -1.0)),
        }
    }
}

/// The word's phones as they come out this time.
fn segments(voice: &Voice, digit: usize, stream: &mut Stream) -> Vec<Segment> {
    let tempo = voice.tempo * stream.factor(0.1);
    let effort = stream.between(-2.0, 2.0);
    let mut segments: Vec<Segment> = voice
        .word(digit)
        .iter()
        .map(|&(phone, milliseconds)| {
            let articulation = phone.articulation();
            let moved = [0.04, 0.03, 0.02].map(|spread| stream.factor(spread));
            let place = |formants| {
                let own = voice.place(phone, formants);
                std::array::from_fn(|index| own[index] * moved[index])
            };
            Segment {
                phone,
                duration: 0.001 * f64::from(milliseconds) * tempo * stream.factor(0.2),
                from: place(articulation.from),
                to: place(articulation.to),
                voice: amplitude(stream.between(-2.0, 2.0)),
                noise: amplitude(voice.noise_level + effort + stream.between(-3.0, 3.0)),
            }
        })
        .collect();
    let total: f64 = segments.iter().map(|segment| segment.duration).sum();
    let stretch = total.clamp(SHORTEST, LONGEST) / total;
    for segment in &mut segments {
        segment.duration *= stretch;
    }
    segments
}

/// Pitch rises to a peak in the first half of the word, then falls, or rises as in a list.
fn intonation(voice: &Voice, duration: f64, stream: &mut Stream) -> Track {
    let pitch = voice.pitch() * stream.factor(0.06);
    let span = voice.span * stream.factor(0.4);
    let peak = duration * stream.between(0.15, 0.4);
    let end = if stream.unit() < voice.rising {
        0.5 * span
    } else {
        -0.6 * span
    };
    let points = [(0.0, 0.1 * span), (peak, 0.4 * span), (duration, end)];
    let hertz = |(seconds, semitones)| (seconds, pitch * libm::exp2(semitones / 12.0));
    Track::new(points.map(hertz).to_vec())
}

/// The lungs' pressure falls towards the end.
fn loudness(duration: f64, stream: &mut Stream) -> Track {
    let start = (0.0, stream.between(-4.0, 0.0));
    let peak = (duration * stream.between(0.25, 0.5), 0.0);
    let end = (duration, stream.between(-14.0, -3.0));
    let points = [start, peak, end].map(|(seconds, level)| (seconds, amplitude(level)));
    Track::new(points.to_vec())
}

/// When phones begin and end, and how long they take to turn into one another.
struct Timing {
    /// The boundaries before, between and after the phones, in seconds.
    boundaries: Vec<f64>,
    /// For each boundary how long the formants take to pass it, in seconds.
    transitions: Vec<f64>,
    /// For each boundary how long the sources take.
    attacks: Vec<f64>,
    /// The whole word, in seconds.
    duration: f64,
}

impl Timing {
    /// `release` is how long the sources take to fade at the end, in seconds.
    fn new(segments: &[Segment], release: f64) -> Self {
        let attack = |segment: &Segment| segment.phone.articulation().attack;
        let transition = |segment: &Segment| segment.phone.articulation().transition;
        let (first, last) = (&segments[0], &segments[segments.len() - 1]);
        // No longer than its neighbours, so that a phone's two transitions never overlap.
        let within = |time: f64, pair: &[Segment]| time.min(pair[0].duration).min(pair[1].duration);
        let mut attacks = vec![attack(first).min(first.duration)];
        let mut transitions = vec![0.0];
        for pair in segments.windows(2) {
            attacks.push(within(attack(&pair[1]), pair));
            let quicker = transition(&pair[0]).min(transition(&pair[1]));
            transitions.push(within(quicker, pair));
        }
        attacks.push(release.min(last.duration));
        transitions.push(0.0);

        let mut end = MARGIN + attacks[0] / 2.0;
        let mut boundaries = vec![end];
        for segment in segments {
            end += segment.duration;
            boundaries.push(end);
        }
        Self {
            duration: end + attacks[segments.len()] / 2.0 + MARGIN,
            boundaries,
            transitions,
            attacks,
        }
    }

    /// A curve with a value at the start and one at the end of each phone.
    fn glide(&self, values: impl Iterator<Item = (f64, f64)>) -> Track {
        Track::new(self.points(&self.transitions, values))
    }

    /// A source with one strength in each phone, and none before and after.
    fn strength(&self, strengths: impl Iterator<Item = f64>) -> Track {
        let mut points = vec![(MARGIN, 0.0)];
        points.extend(self.points(
            &self.attacks,
            strengths.map(|strength| (strength, strength)),
        ));
        points.push((self.duration - MARGIN, 0.0));
        Track::new(points)
    }

    /// Where the passing of one boundary ends and where that of the next begins, for each phone.
    fn points(&self, passing: &[f64], values: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
        let phones = self.boundaries.windows(2).zip(passing.windows(2));
        phones
            .zip(values)
            .flat_map(|((bounds, passing), (from, to))| {
                let start = bounds[0] + passing[0] / 2.0;
                // Rounding must not turn around the order of two points that coincide.
                let end = (bounds[1] - passing[1] / 2.0).max(start);
                [(start, from), (end, to)]
            })
            .collect()
    }

    /// The noises of those phones that have one.
    fn noises(&self, segments: &[Segment]) -> Vec<Noise> {
        let noise = |(at, segment): (usize, &Segment)| {
            let poles = segment.phone.articulation().noise;
            let (start, end) = (self.passing(at), self.passing(at + 1));
            let strength = Track::new(vec![
                (start.0, 0.0),
                (start.1, segment.noise),
                (end.0.max(start.1), segment.noise),
                (end.1, 0.0),
            ]);
            (!poles.is_empty()).then_some(Noise { poles, strength })
        };
        segments.iter().enumerate().filter_map(noise).collect()
    }

    /// When the sources begin and end to pass a boundary.
    fn passing(&self, boundary: usize) -> (f64, f64) {
        let (middle, half) = (self.boundaries[boundary], self.attacks[boundary] / 2.0);
        (middle - half, middle + half)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Split;
    use crate::speech::DIGITS;

    #[test]
    fn scores_are_possible() {
        for number in 0..200 {
            let voice = Voice::new(5, number);
            for digit in 0..DIGITS {
                let mut stream = Stream::new(Split::Test, number.into());
                let score = Score::draw(&voice, digit, &mut stream);
                assert!((0.28..0.9).contains(&score.duration), "{}", score.duration);
                let curves = (score.formants.each_ref()).map(|track| track.render(1000.0, 900));
                for time in 0..900 {
                    let [first, second, third] = curves.each_ref().map(|curve| curve[time]);
                    let apart = 150.0 < first && first + 150.0 < second && second < third;
                    assert!(apart, "{digit}: {first}, {second} and {third} Hz");
                }
                let pitch = score.pitch.render(1000.0, 900);
                assert!(pitch.iter().all(|pitch| (50.0..500.0).contains(pitch)));
                for sources in [score.voicing, score.aspiration] {
                    let strength = sources.render(1000.0, 900);
                    assert_eq!((strength[0], strength[899]), (0.0, 0.0));
                    assert!(
                        strength
                            .iter()
                            .all(|strength| (0.0..1.3).contains(strength))
                    );
                }
            }
        }
    }

    #[test]
    fn noise_comes_with_its_phone() {
        let voice = Voice::new(0, 0);
        let score = Score::draw(&voice, 6, &mut Stream::new(Split::Test, 0));
        let [first, burst, last] = &score.noises[..] else {
            panic!("six has an s, the burst of a k and an s");
        };
        let spans = [first, burst, last].map(|noise| noise.strength.span());
        assert!(spans[0].0 < 0.01 && spans[0].1 < spans[1].0);
        // The burst turns into the s.
        assert!(spans[1].1 - spans[1].0 < 0.08 && spans[1].1 > spans[2].0);
        assert!((spans[2].1 - (score.duration - MARGIN)).abs() < 1e-9);
    }
}
