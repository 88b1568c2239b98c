//! A quantity over time.

/// Values at moments, with smooth transitions between them.
#[derive(Clone, Debug)]
pub(super) struct Track {
    /// Moments in seconds, in order, and the values there.
    points: Vec<(f64, f64)>,
}

impl Track {
    /// Passes through at least one point, given as (seconds, value) in order of time. The first
    /// value holds before, the last one after.
    pub(super) fn new(points: Vec<(f64, f64)>) -> Self {
        debug_assert!(
            points.is_sorted_by(|one, next| one.0 <= next.0),
            "{points:?}"
        );
        Self { points }
    }

    /// The moments of the first and the last point, in seconds.
    pub(super) fn span(&self) -> (f64, f64) {
        (self.points[0].0, self.points[self.points.len() - 1].0)
    }

    /// The first `count` values at `rate` values per second.
    pub(super) fn render(&self, rate: f64, count: usize) -> Vec<f64> {
        let place = |seconds: f64| ((seconds * rate).ceil().max(0.0) as usize).min(count);
        let mut values = vec![self.points[0].1; count];
        for pair in self.points.windows(2) {
            let ((start, from), (end, to)) = (pair[0], pair[1]);
            let range = place(start)..place(end);
            if from == to {
                values[range].fill(to);
                continue;
            }
            for index in range {
                let part = (index as f64 / rate - start) / (end - start);
                values[index] = from + (to - from) * part * part * (3.0 - 2.0 * part);
            }
        }
        let (end, last) = self.points[self.points.len() - 1];
        values[place(end)..].fill(last);
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_pass_smoothly_through_the_points() {
        let track = Track::new(vec![(0.1, 1.0), (0.2, 3.0), (0.2, 5.0), (0.4, 5.0)]);
        let values = track.render(20.0, 12);
        let expected = [1.0, 1.0, 1.0, 2.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0];
        for (value, expected) in values.iter().zip(expected) {
            assert!((value - expected).abs() < 1e-9, "{values:?}");
        }
        assert_eq!(track.span(), (0.1, 0.4));
    }

    #[test]
    fn a_track_may_end_late() {
        let track = Track::new(vec![(-1.0, 0.0), (1.0, 2.0), (9.0, 0.0)]);
        let values = track.render(1.0, 2);
        assert_eq!(values, [1.0, 2.0]);
    }
}
