//! What went wrong and why, in one sentence.

use std::error::Error;

/// An error with its causes, each said once: many an error has its cause in its own words already.
pub(crate) fn told(error: &(dyn Error + 'static)) -> String {
    let mut told = error.to_string().trim_end().to_owned();
    let mut cause = error.source();
    while let Some(error) = cause {
        let said = error.to_string();
        let said = said.trim_end();
        if !told.contains(said) {
            told = format!("{told}: {said}");
        }
        cause = error.source();
    }
    told
}

#[cfg(test)]
mod tests {
    use std::io;

    use anyhow::Context;

    use super::*;

    #[test]
    fn nothing_is_said_twice() {
        let cause = io::Error::from(io::ErrorKind::StorageFull);
        let said = cause.to_string();
        let error = anyhow::Error::from(cause).context(format!("cannot save a: {said}"));
        assert_eq!(told(error.as_ref()), format!("cannot save a: {said}"));
        let outer = Err::<(), _>(error).context("in b").unwrap_err();
        assert_eq!(told(outer.as_ref()), format!("in b: cannot save a: {said}"));
    }
}
