//! The two kinds of places of a channel that stands for two symbols, and the border between them.

/// Where one channel is active, and the features there. The weight is its strength squared, so that the
/// many weak places that mean nothing do not count.
pub(super) type Places = Vec<(f64, Vec<f64>)>;

/// The effective number of places, counted by their strength: of equally strong ones their number, and
/// weak ones hardly count. By its square, which weighs them elsewhere, the stronger of two symbols would
/// hide the other.
pub(super) fn number(places: &Places) -> f64 {
    let squares: f64 = places.iter().map(|(square, _)| square).sum();
    let sum: f64 = places.iter().map(|(square, _)| square.sqrt()).sum();
    if squares > 0.0 {
        sum * sum / squares
    } else {
        0.0
    }
}

/// More iterations than this change no choice.
const ITERATIONS: usize = 100;

/// The two kinds of places of a channel: below and above the middle of the direction in which their
/// features differ most (the first principal component, then 2-means).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Kinds {
    /// The features' mean at each kind of place.
    means: [Vec<f64>; 2],
    /// The variance in the direction in which they differ most.
    pub(super) variance: f64,
}

impl Kinds {
    /// `None` if the places do not differ.
    pub(super) fn of(places: &Places) -> Option<Self> {
        if places.is_empty() {
            return None;
        }
        let moments = Moments::of(places);
        let (variance, direction) = moments.principal()?;
        let along = |features: &[f64]| dot(features, &direction);
        let mut border = along(&moments.mean);
        for _ in 0..ITERATIONS {
            let means = [false, true].map(|above| {
                let side = places
                    .iter()
                    .filter(|(_, at)| (along(at) > border) == above);
                mean(side)
            });
            let [Some(below), Some(above)] = means else {
                return None;
            };
            let middle = (along(&below) + along(&above)) / 2.0;
            if middle == border {
                let means = [below, above];
                return Some(Self { means, variance });
            }
            border = middle;
        }
        None
    }

    /// A direction, and the middle between the kinds along it, so that they lie `apart` to either side
    /// of it, and the rest of the input around the middle as closely as can be.
    pub(super) fn border(&self, rest: &Moments, apart: f64) -> Option<(Vec<f64>, f64)> {
        let [below, above] = &self.means;
        let pairs = || below.iter().zip(above);
        let difference: Vec<f64> = pairs().map(|(a, b)| b - a).collect();
        let middle: Vec<f64> = pairs().map(|(a, b)| (a + b) / 2.0).collect();
        let shift: Vec<f64> = middle.iter().zip(&rest.mean).map(|(a, b)| a - b).collect();
        // The least variance over the rest, its mean at the middle, for a given difference.
        let [towards, across] = [&difference, &shift].map(|vector| rest.solve(vector));
        let share = dot(&shift, &towards) / dot(&shift, &across);
        let direction = towards.iter().zip(&across);
        let direction: Vec<f64> = direction.map(|(a, b)| a - share * b).collect();
        let half = dot(&direction, &difference) / 2.0;
        if !(half > 0.0 && half.is_finite()) {
            return None;
        }
        let direction: Vec<f64> = direction.iter().map(|x| x * apart / half).collect();
        let offset = dot(&direction, &middle);
        Some((direction, offset))
    }
}

fn mean<'a>(places: impl Iterator<Item = &'a (f64, Vec<f64>)>) -> Option<Vec<f64>> {
    let mut total = 0.0;
    let mut sum: Vec<f64> = Vec::new();
    for (weight, features) in places {
        total += weight;
        sum.resize(features.len(), 0.0);
        sum.iter_mut()
            .zip(features)
            .for_each(|(sum, x)| *sum += weight * x);
    }
    (total > 0.0).then(|| sum.iter().map(|sum| sum / total).collect())
}

/// The weighted mean and covariance of features.
pub(super) struct Moments {
    mean: Vec<f64>,
    covariance: Vec<Vec<f64>>,
}

impl Moments {
    /// What is added to each feature's variance, as a share of their mean, so that directions in which
    /// features hardly vary do not decide.
    const RIDGE: f64 = 1e-2;

    pub(super) fn of(places: &Places) -> Self {
        let mean = mean(places.iter()).unwrap_or_default();
        let total: f64 = places.iter().map(|(weight, _)| weight).sum();
        let mut covariance = vec![vec![0.0; mean.len()]; mean.len()];
        for (weight, features) in places {
            let centred = features.iter().zip(&mean).map(|(x, mean)| x - mean);
            let centred: Vec<f64> = centred.collect();
            for (row, a) in covariance.iter_mut().zip(&centred) {
                let share = weight / total * a;
                row.iter_mut()
                    .zip(&centred)
                    .for_each(|(entry, b)| *entry += share * b);
            }
        }
        Self { mean, covariance }
    }

    fn times(&self, vector: &[f64]) -> Vec<f64> {
        let rows = self.covariance.iter();
        rows.map(|row| dot(row, vector)).collect()
    }

    fn variances(&self) -> impl Iterator<Item = f64> {
        (0..self.mean.len()).map(|index| self.covariance[index][index])
    }

    /// The largest variance and its direction, of length 1, by power iteration.
    fn principal(&self) -> Option<(f64, Vec<f64>)> {
        let variances = self.variances().enumerate();
        let (widest, _) = variances.max_by(|(_, a), (_, b)| a.total_cmp(b))?;
        let mut direction = vec![0.0; self.mean.len()];
        direction[widest] = 1.0;
        let mut variance = 0.0;
        for _ in 0..ITERATIONS {
            let image = self.times(&direction);
            variance = dot(&image, &image).sqrt();
            if variance <= 0.0 {
                return None;
            }
            direction = image.iter().map(|x| x / variance).collect();
        }
        Some((variance, direction))
    }

    /// The inverse of the covariance, with the ridge, times a vector, by conjugate gradients.
    fn solve(&self, vector: &[f64]) -> Vec<f64> {
        let ridge = Self::RIDGE * self.variances().sum::<f64>() / self.mean.len() as f64;
        let mut solution = vec![0.0; vector.len()];
        let mut rest = vector.to_vec();
        let mut step = rest.clone();
        let mut square = dot(&rest, &rest);
        for _ in 0..ITERATIONS {
            let mut image = self.times(&step);
            image
                .iter_mut()
                .zip(&step)
                .for_each(|(x, step)| *x += ridge * step);
            let curvature = dot(&step, &image);
            if curvature <= 0.0 {
                break;
            }
            let length = square / curvature;
            solution
                .iter_mut()
                .zip(&step)
                .for_each(|(x, step)| *x += length * step);
            rest.iter_mut()
                .zip(&image)
                .for_each(|(x, image)| *x -= length * image);
            let before = square;
            square = dot(&rest, &rest);
            step = rest
                .iter()
                .zip(&step)
                .map(|(x, step)| x + square / before * step)
                .collect();
        }
        solution
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two kinds of places along (3, 4) / 5, 10 apart, around (1, 2), the second kind rarer; and a weak
    /// place far off.
    fn places() -> Places {
        let mut places = Places::new();
        for (weight, side) in [(9.0, -5.0), (1.0, 5.0)] {
            for noise in [-0.1, 0.1] {
                let place = vec![1.0 + 0.6 * side - noise, 2.0 + 0.8 * side + noise];
                places.push((weight, place));
            }
        }
        places.push((1e-6, vec![900.0, -700.0]));
        places
    }

    #[test]
    fn weak_places_hardly_count() {
        let place = |weight| (weight, vec![0.0]);
        assert!((number(&vec![place(3.0); 5]) - 5.0).abs() < 1e-9);
        let mut some = vec![place(2.0); 4];
        some.extend(vec![place(1e-8); 100]);
        assert!((number(&some) - 4.0).abs() < 0.02);
        let twice_as_strong = [vec![place(4.0); 4], vec![place(1.0); 4]].concat();
        assert!((number(&twice_as_strong) - 7.2).abs() < 1e-6);
        assert_eq!(number(&Places::new()), 0.0);
    }

    #[test]
    fn places_fall_into_two_kinds() {
        let kinds = Kinds::of(&places()).unwrap();
        let mut means = kinds.means.clone();
        means.sort_by(|a, b| a[0].total_cmp(&b[0]));
        for (mean, expected) in means.iter().zip([[-2.0, -2.0], [4.0, 6.0]]) {
            for (mean, expected) in mean.iter().zip(expected) {
                assert!((mean - expected).abs() < 0.01, "{kinds:?}");
            }
        }
        assert!((kinds.variance - 9.0).abs() < 0.1, "{kinds:?}");
    }

    #[test]
    fn the_border_lies_between_the_kinds_and_amid_the_rest() {
        let kinds = Kinds::of(&places()).unwrap();
        // Far from the places, and varying most across the second feature.
        let rest: Places = (0..20)
            .map(|step| {
                (
                    1.0,
                    vec![f64::from(step % 5) - 7.0, 3.0 * f64::from(step) - 40.0],
                )
            })
            .collect();
        let rest = Moments::of(&rest);
        let (direction, offset) = kinds.border(&rest, 2.0).unwrap();
        let mut sides = kinds
            .means
            .clone()
            .map(|mean| dot(&direction, &mean) - offset);
        sides.sort_by(f64::total_cmp);
        assert!(
            (sides[0] + 2.0).abs() < 1e-6 && (sides[1] - 2.0).abs() < 1e-6,
            "{sides:?}"
        );
        assert!((dot(&direction, &rest.mean) - offset).abs() < 1e-6);
    }

    #[test]
    fn solving_inverts_the_covariance() {
        let moments = Moments::of(&places());
        let vector = [0.7, -0.2];
        let solution = moments.solve(&vector);
        let ridge = Moments::RIDGE * moments.variances().sum::<f64>() / 2.0;
        for (index, image) in moments.times(&solution).iter().enumerate() {
            assert!((image + ridge * solution[index] - vector[index]).abs() < 1e-6);
        }
    }

    #[test]
    fn places_that_do_not_differ_are_of_one_kind() {
        assert_eq!(Kinds::of(&Places::new()), None);
        assert_eq!(Kinds::of(&vec![(1.0, vec![1.0, 2.0]); 3]), None);
    }
}
