//! What is chosen for recordings.

use sparling_data::folder::{RecordingSurvey, Survey};

use super::template::Template;
use super::{CHANNELS_PER_SYMBOL, Choices, scientific, varied};

/// The front end's samples a second, and from one frame to the next: AudioMNISTSequence's.
const RATE: f64 = 8000.0;
const HOP: f64 = 187.0;

/// A spoken symbol's length, in frames, beyond which none is expected: digits take about 20.
const LONGEST_SYMBOL: f64 = 24.0;

/// The cuts of the density that the preset takes.
const CUTS: i32 = 10;

/// The configuration's template, with what depends on recordings filled in, and a line about it.
pub(super) fn choose(survey: &Survey, recordings: &RecordingSurvey) -> (Template, String) {
    let (varied, why) = varied(survey);
    let speed = if varied { 0.1 } else { 0.0 };
    // Half seconds, with room for what is slowed down.
    let longest = recordings.seconds.most / (1.0 - speed);
    let seconds = ((2.0 * longest).ceil() / 2.0).max(0.5);
    let frames = 1 + (seconds * RATE / HOP) as usize;
    let frames_of_symbol = recordings.seconds.middle * RATE / HOP / survey.mean_length;
    let choices = Choices {
        survey,
        channels: CHANNELS_PER_SYMBOL * survey.symbols.len(),
        positions: frames,
        side: frames_of_symbol.clamp(2.0, LONGEST_SYMBOL),
    };
    let mut template = Template::new(include_str!("recordings.toml"));
    choices.fill(&mut template, CUTS);
    template.set("seconds", format!("{seconds:?}"));
    template.set("frames", frames);
    template.set("longest", format!("{:.2}", recordings.seconds.most));
    template.set("varied_why", why);
    template.set("speed", format!("{speed:?}"));
    template.set("level", if varied { "6.0" } else { "0.0" });
    template.set("noise", if varied { "0.003" } else { "0.0" });
    template.set("pool", ((0.4 * choices.side).round() as usize).clamp(2, 8));
    template.set("radius", (0.7 * choices.side).round().max(1.0));
    // The preset's: 2.6 times the lowest.
    template.set(
        "splitting_until",
        scientific(2.6 * choices.minimum_density()),
    );
    let chosen = format!(
        "chosen: inputs of {seconds} s ({frames} frames), {} channels with a window of {} frames, down to a \
         density of {:.2e}{}",
        choices.channels,
        1 + 4 * choices.units(),
        choices.minimum_density(),
        if varied {
            ", training recordings varied"
        } else {
            ""
        }
    );
    (template, chosen)
}

/// What else the user may want to know about the recordings.
pub(super) fn found(recordings: &RecordingSurvey) -> Vec<String> {
    let mut lines = Vec::new();
    if recordings.silent > 0 {
        lines.push(format!("{} recordings are silent", recordings.silent));
    }
    if recordings.seconds.most > 3.0 * recordings.seconds.middle {
        lines.push(format!(
            "the longest recording lasts {:.1} s, most no more than {:.1}: every input gets as long as it",
            recordings.seconds.most, recordings.seconds.middle
        ));
    }
    lines
}
