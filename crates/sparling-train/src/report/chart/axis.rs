//! Scales and their ticks; logarithmic ones are drawn in powers of ten.

/// A scale: where it runs, and what is written where.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report) struct Axis {
    pub(in crate::report) title: &'static str,
    low: f64,
    high: f64,
    /// Coordinates with their labels.
    pub(in crate::report) ticks: Vec<(f64, String)>,
}

impl Axis {
    /// Where a coordinate lies between two pixels, those of `low` and `high`.
    pub(in crate::report) fn place(&self, coordinate: f64, (low, high): (i32, i32)) -> i32 {
        let share = (coordinate - self.low) / (self.high - self.low);
        low + (share * f64::from(high - low)).round() as i32
    }

    /// Training samples from 0.
    pub(in crate::report) fn samples(most: u64) -> Self {
        let high = most.max(1) as f64 * 1.02;
        let step = round_step(high / 6.0).max(1.0);
        let ticks = (0..)
            .map(|index| f64::from(index) * step)
            .take_while(|&tick| tick <= high)
            .map(|tick| (tick, samples_label(tick)))
            .collect();
        Self {
            title: "training samples",
            low: 0.0,
            high,
            ticks,
        }
    }

    /// A fraction from 0 to 1, in percent.
    pub(in crate::report) fn share() -> Self {
        let ticks = (0..=5).map(|index| (f64::from(index) / 5.0, format!("{} %", index * 20)));
        Self {
            title: "",
            low: 0.0,
            high: 1.02,
            ticks: ticks.collect(),
        }
    }

    /// A fraction in percent, logarithmic, from `least` to 1.
    pub(in crate::report) fn error(least: f64) -> Self {
        let low = least.log10();
        let mut ticks: Vec<(f64, String)> = decades(low, 0.0)
            .map(|power| (f64::from(power), percent_label(10_f64.powi(power))))
            .collect();
        if let Some(lowest) = ticks.first_mut() {
            lowest.1 = format!("≤ {}", lowest.1);
        }
        Self {
            title: "",
            low: low - 0.08,
            high: 0.05,
            ticks,
        }
    }

    /// The range of some densities, logarithmic; reversed, coordinates are negated.
    pub(in crate::report) fn density(
        densities: impl Iterator<Item = f64> + Clone,
        reversed: bool,
    ) -> Self {
        let mut axis = Self::logarithmic("", densities, percent_label);
        if reversed {
            axis.title = "density, from dense to sparse";
            (axis.low, axis.high) = (-axis.high, -axis.low);
            axis.ticks.iter_mut().for_each(|tick| tick.0 = -tick.0);
            axis.ticks.reverse();
        }
        axis
    }

    /// Things beside each other, at 0, 1 and so on.
    pub(in crate::report) fn categories(names: &[String]) -> Self {
        let ticks = names.iter().enumerate();
        Self {
            title: "",
            low: -0.6,
            high: names.len() as f64 - 0.4,
            ticks: ticks
                .map(|(index, name)| (index as f64, name.clone()))
                .collect(),
        }
    }

    /// The range of some positive values, logarithmic.
    pub(in crate::report) fn logarithmic(
        title: &'static str,
        values: impl Iterator<Item = f64> + Clone,
        label: impl Fn(f64) -> String,
    ) -> Self {
        let powers = values.map(f64::log10);
        let low = powers.clone().fold(f64::INFINITY, f64::min) - 0.1;
        let high = powers.fold(f64::NEG_INFINITY, f64::max) + 0.1;
        // Within little more than a decade, powers of ten alone would be too few.
        let steps: &[f64] = if high - low > 1.6 {
            &[1.0]
        } else {
            &[1.0, 2.0, 5.0]
        };
        let ticks = decades(low - 1.0, high)
            .flat_map(|power| steps.iter().map(move |step| step * 10_f64.powi(power)))
            .filter(|value| (low..=high).contains(&value.log10()))
            .map(|value| (value.log10(), label(value)))
            .collect();
        Self {
            title,
            low,
            high,
            ticks,
        }
    }
}

/// The whole powers of ten within a range of logarithms.
fn decades(low: f64, high: f64) -> impl Iterator<Item = i32> {
    (low - 1e-9).ceil() as i32..=(high + 1e-9).floor() as i32
}

/// The next step of 1, 2 or 5 times a power of ten.
fn round_step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    let factor = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|factor| factor * power >= least);
    factor.unwrap_or(10.0) * power
}

fn samples_label(samples: f64) -> String {
    match samples {
        1e6.. => format!("{}M", (samples / 1e4).round() / 100.0),
        1e3.. => format!("{}k", samples / 1e3),
        _ => format!("{samples}"),
    }
}

/// A fraction in percent without rounding noise.
fn percent_label(fraction: f64) -> String {
    let percent = fraction * 100.0;
    let digits = (2.0 - percent.log10().floor()).max(0.0) as usize;
    let written = format!("{percent:.digits$}");
    let short = match written.split_once('.') {
        Some(_) => written.trim_end_matches('0').trim_end_matches('.'),
        None => &written,
    };
    format!("{short} %")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, label)| label.as_str()).collect()
    }

    #[test]
    fn samples_have_round_ticks() {
        assert_eq!(
            labels(&Axis::samples(188_000)),
            ["0", "50k", "100k", "150k"]
        );
        let many = Axis::samples(5_500_000);
        assert_eq!(labels(&many), ["0", "1M", "2M", "3M", "4M", "5M"]);
        assert_eq!(labels(&Axis::samples(0)), ["0", "1"]);
    }

    #[test]
    fn coordinates_become_pixels() {
        let axis = Axis {
            title: "",
            low: -1.0,
            high: 1.0,
            ticks: Vec::new(),
        };
        assert_eq!(axis.place(0.0, (100, 200)), 150);
        assert_eq!(axis.place(1.0, (300, 20)), 20);
    }

    #[test]
    fn errors_run_over_whole_decades() {
        assert_eq!(
            labels(&Axis::error(1e-4)),
            ["≤ 0.01 %", "0.1 %", "1 %", "10 %", "100 %"]
        );
    }

    #[test]
    fn densities_have_ticks_however_narrow_or_wide() {
        let wide = Axis::density([0.5, 5e-5].into_iter(), false);
        assert_eq!(labels(&wide), ["0.01 %", "0.1 %", "1 %", "10 %"]);
        let narrow = Axis::density([0.5, 0.1].into_iter(), true);
        assert_eq!(labels(&narrow), ["50 %", "20 %", "10 %"]);
        assert!(narrow.low < narrow.ticks[0].0 && narrow.ticks[0].0 < narrow.ticks[1].0);
        assert_eq!(labels(&Axis::density([0.5].into_iter(), false)), ["50 %"]);
        // The lowest number there is, of which a tenth is none.
        let lowest = Axis::density([5e-324, 0.5].into_iter(), false);
        assert!(lowest.ticks.iter().all(|(power, _)| power.is_finite()));
        let plain = Axis::logarithmic("size", [32.0, 128.0].into_iter(), |size| size.to_string());
        assert_eq!(labels(&plain), ["50", "100"]);
    }
}
