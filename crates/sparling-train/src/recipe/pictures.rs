//! What is chosen for pictures.

use sparling_data::folder::{PictureSurvey, Survey};

use super::template::Template;
use super::{CHANNELS_PER_SYMBOL, Choices, scientific, varied};

/// A symbol's side on the canvas, in pixels, beyond which pictures are scaled down: digits are told apart
/// at 10.
const LARGEST_SIDE: f64 = 16.0;

/// The most pixels of a canvas: training takes as long as there are.
const LARGEST_CANVAS: f64 = 32_768.0;

/// If the highest picture is so many times as high as the lowest, each is scaled until it fits.
const MIXED: f64 = 1.5;

/// The cuts of the density that the preset takes.
const CUTS: i32 = 15;

/// The canvas, and how pictures get onto it.
struct Canvas {
    height: usize,
    width: usize,
    /// By what all are scaled; `None` if each is fitted.
    scale: Option<f64>,
    /// A symbol's side on it.
    side: f64,
}

/// The configuration's template, with what depends on pictures filled in, and a line about it.
pub(super) fn choose(survey: &Survey, pictures: &PictureSurvey) -> (Template, String) {
    let canvas = Canvas::choose(survey, pictures);
    let choices = Choices {
        survey,
        channels: CHANNELS_PER_SYMBOL * survey.symbols.len(),
        positions: canvas.height * canvas.width,
        side: canvas.side,
    };
    let mut template = Template::new(include_str!("pictures.toml"));
    choices.fill(&mut template, CUTS);
    canvas.fill(&mut template, pictures);
    augment(&mut template, survey, &canvas);
    template.set("pool", canvas.pool());
    template.set("radius", (0.4 * canvas.side).round().max(1.0));
    // The preset's: four times the lowest.
    template.set(
        "splitting_until",
        scientific(4.0 * choices.minimum_density()),
    );
    let window = 1 + 4 * choices.units();
    let chosen = format!(
        "chosen: inputs of {}x{} pixels{}, {} channels with a window of {window}x{window} pixels for symbols of \
         about {:.0}, down to a density of {:.2e}{}",
        canvas.height,
        canvas.width,
        match canvas.scale {
            Some(1.0) => String::new(),
            Some(scale) => format!(" (pictures scaled by {scale})"),
            None => " (each picture scaled until it fits)".to_owned(),
        },
        choices.channels,
        canvas.side,
        choices.minimum_density(),
        match varied(survey).0 {
            true => ", training pictures varied",
            false => "",
        }
    );
    (template, chosen)
}

impl Canvas {
    fn choose(survey: &Survey, pictures: &PictureSurvey) -> Self {
        let side = side(survey, pictures);
        let (heights, widths) = (pictures.heights, pictures.widths);
        let mixed = heights.most > MIXED * heights.least;
        let own = match mixed {
            true => [heights.middle, widths.most.min(2.0 * widths.middle)],
            false => [heights.most, widths.most],
        };
        let room = (LARGEST_CANVAS / (own[0] * own[1])).sqrt();
        let scale = room.min(LARGEST_SIDE / side).min(1.0);
        // Two digits, so that it can be read.
        let scale = (100.0 * scale).floor().max(1.0) / 100.0;
        let [height, width] = own.map(|side| ((side * scale).ceil() as usize).clamp(4, 65_535));
        Self {
            height,
            width,
            scale: (!mixed).then_some(scale),
            side: (side * scale).max(2.0),
        }
    }

    /// A cell of the decoder's, no larger than a symbol: 8, as in the preset, or less.
    fn pool(&self) -> usize {
        let largest = self.side.min(self.height as f64).min(self.width as f64);
        let fitting = [8, 4].into_iter().find(|pool| f64::from(*pool) <= largest);
        fitting.map_or(2, |pool| pool as usize)
    }

    fn fill(&self, template: &mut Template, pictures: &PictureSurvey) {
        template.set("height", self.height);
        template.set("width", self.width);
        let (heights, widths) = (pictures.heights, pictures.widths);
        let sizes = match heights.least == heights.most && widths.least == widths.most {
            true => format!("all pictures are {}x{}", heights.most, widths.most),
            false => format!(
                "pictures are {} to {} high and {} to {} wide",
                heights.least, heights.most, widths.least, widths.most
            ),
        };
        template.set("sizes", sizes);
        let scale = match self.scale {
            Some(scale) => format!(
                "scale = {scale:?} # for all alike; symbols are then about {:.0} pixels large, and larger than \
                 {LARGEST_SIDE} they need not be",
                self.side
            ),
            None => "# No `scale`: each picture is scaled until it fits, since their sizes differ."
                .to_owned(),
        };
        template.set("scale", scale);
        template.set("ground", pictures.ground);
        template.set("ink", pictures.ink);
        let inverted = match pictures.ink < pictures.ground {
            true => "ink is dark: inverted, so that it becomes 1",
            false => "ink is bright: not inverted",
        };
        template.set("inverted", inverted);
        let colour = match pictures.is_colourful() {
            true => {
                "colour = true # most pictures have colours, by which symbols may have to be told from the rest"
            }
            false => "# No `colour`: greys will do, since hardly any picture has colours.",
        };
        template.set("colour", colour);
    }
}

/// The side of a symbol, in pixels of a picture: what hangs together in ink, but no more than each would
/// have if they shared what is drawn on.
fn side(survey: &Survey, pictures: &PictureSurvey) -> f64 {
    let [height, width] = pictures.stroke;
    let [rows, columns] = pictures.drawn;
    let shared = (rows * columns / survey.mean_length).sqrt();
    height.max(width).min(shared).max(2.0)
}

/// Varies little: what leaves the canvas cannot be read.
fn augment(template: &mut Template, survey: &Survey, canvas: &Canvas) {
    let (varied, why) = varied(survey);
    let only = |value: f64| if varied { value } else { 0.0 };
    template.set("varied_why", why);
    template.set("shift", only((canvas.side / 14.0).round().max(1.0)));
    template.set("scaled", format!("{:?}", only(0.05)));
    // The ends of the canvas move by a seventh of a symbol.
    let half = canvas.width.max(canvas.height) as f64 / 2.0;
    let rotation = (canvas.side / 7.0 / half).atan().to_degrees().min(5.0);
    template.set("rotation", format!("{:.1}", only(rotation)));
    template.set("brightness", format!("{:?}", only(0.2)));
    template.set("noise", format!("{:?}", only(0.03)));
}

/// What else the user may want to know about the pictures.
pub(super) fn found(pictures: &PictureSurvey) -> Vec<String> {
    let mut lines = Vec::new();
    if pictures.blank > 0 {
        lines.push(format!("{} pictures have nothing on them", pictures.blank));
    }
    if pictures.otherwise > 0 {
        lines.push(format!(
            "{} pictures have another ground than grey {}, that of the others",
            pictures.otherwise, pictures.ground
        ));
    }
    lines
}
