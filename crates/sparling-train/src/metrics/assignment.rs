//! Which symbol each channel stands for (paper, section 3.2 and Figure 4).

use pathfinding::kuhn_munkres::kuhn_munkres;
use pathfinding::matrix::Matrix;

/// The one-to-one assignment of channels to symbols that matches the most maximal motifs.
///
/// `confusion` is `[channel][symbol]`, row-major. Where there are more channels than symbols the
/// surplus channels stand for none. Hungarian algorithm on integer counts.
pub fn one_to_one(confusion: &[u64], channels: usize, symbols: usize) -> Vec<Option<usize>> {
    if channels == 0 || symbols == 0 {
        return vec![None; channels];
    }
    // The solver wants no more rows than columns, so extra columns mean "no symbol".
    let columns = channels.max(symbols);
    let weights = Matrix::from_fn(channels, columns, |(channel, symbol)| {
        let count = if symbol < symbols {
            confusion[channel * symbols + symbol]
        } else {
            0
        };
        count as i64
    });
    let (_, assigned) = kuhn_munkres(&weights);
    assigned
        .into_iter()
        .map(|symbol| (symbol < symbols).then_some(symbol))
        .collect()
}

/// Each channel stands for the symbol it is maximal for most often, the first of equals; a channel
/// that is never maximal stands for none.
///
/// `confusion` is `[channel][symbol]`, row-major.
pub fn many_to_one(confusion: &[u64], channels: usize, symbols: usize) -> Vec<Option<usize>> {
    (0..channels)
        .map(|channel| {
            let row = &confusion[channel * symbols..(channel + 1) * symbols];
            let mut best: Option<usize> = None;
            for (symbol, &count) in row.iter().enumerate() {
                if count > best.map_or(0, |best| row[best]) {
                    best = Some(symbol);
                }
            }
            best
        })
        .collect()
}

/// The assignment that confusion is measured by: one to one or, where there are more channels than
/// symbols (LaTeX-OCR), each channel's most frequent symbol.
///
/// `confusion` is `[channel][symbol]`, row-major.
pub fn best(confusion: &[u64], channels: usize, symbols: usize) -> Vec<Option<usize>> {
    if channels > symbols {
        many_to_one(confusion, channels, symbols)
    } else {
        one_to_one(confusion, channels, symbols)
    }
}

/// How many maximal motifs an assignment matches.
pub fn matched(confusion: &[u64], symbols: usize, assignment: &[Option<usize>]) -> u64 {
    assignment
        .iter()
        .enumerate()
        .filter_map(|(channel, symbol)| symbol.map(|symbol| confusion[channel * symbols + symbol]))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every one-to-one assignment, by trying them all.
    fn best_by_force(confusion: &[u64], channels: usize, symbols: usize) -> u64 {
        fn visit(confusion: &[u64], symbols: usize, channel: usize, used: &mut [bool]) -> u64 {
            if (channel + 1) * symbols > confusion.len() {
                return 0;
            }
            let mut best = visit(confusion, symbols, channel + 1, used);
            for symbol in 0..symbols {
                if !used[symbol] {
                    used[symbol] = true;
                    let rest = visit(confusion, symbols, channel + 1, used);
                    best = best.max(confusion[channel * symbols + symbol] + rest);
                    used[symbol] = false;
                }
            }
            best
        }
        assert_eq!(confusion.len(), channels * symbols);
        visit(confusion, symbols, 0, &mut vec![false; symbols])
    }

    #[test]
    fn one_to_one_is_optimal_for_every_shape() {
        let mut state = 1_u64;
        for (channels, symbols) in [(1, 1), (3, 3), (2, 5), (5, 2), (4, 4), (6, 4)] {
            for _ in 0..20 {
                let confusion: Vec<u64> = (0..channels * symbols)
                    .map(|_| {
                        state = state
                            .wrapping_mul(6_364_136_223_846_793_005)
                            .wrapping_add(1);
                        (state >> 33) % 9
                    })
                    .collect();
                let assignment = one_to_one(&confusion, channels, symbols);
                assert_eq!(assignment.len(), channels);
                assert_eq!(assignment.iter().flatten().count(), channels.min(symbols));
                let mut seen: Vec<_> = assignment.iter().flatten().collect();
                seen.sort();
                seen.dedup();
                assert_eq!(seen.len(), channels.min(symbols));
                let best = best_by_force(&confusion, channels, symbols);
                assert_eq!(
                    matched(&confusion, symbols, &assignment),
                    best,
                    "{confusion:?}"
                );
            }
        }
    }

    #[test]
    fn greedy_would_be_wrong() {
        let confusion = [10, 9, 9, 0];
        let assignment = one_to_one(&confusion, 2, 2);
        assert_eq!(assignment, [Some(1), Some(0)]);
        assert_eq!(matched(&confusion, 2, &assignment), 18);
    }

    #[test]
    fn many_to_one_takes_each_rows_largest() {
        let confusion = [1, 5, 5, 0, 0, 0, 7, 1, 0];
        assert_eq!(many_to_one(&confusion, 3, 3), [Some(1), None, Some(0)]);
    }

    #[test]
    fn nothing_to_assign() {
        assert_eq!(one_to_one(&[], 0, 3), []);
        assert_eq!(one_to_one(&[], 2, 0), [None, None]);
        assert_eq!(many_to_one(&[], 2, 0), [None, None]);
    }
}
