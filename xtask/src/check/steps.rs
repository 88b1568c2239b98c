//! What is checked, cheapest first. A new check is one more line in [`steps`].

use std::env;
use std::fmt;

use super::machine::Machine;

/// One call of Cargo.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What it checks.
    pub name: String,
    /// What Cargo is given.
    pub arguments: Vec<String>,
    /// The environment variables it is given besides.
    pub environment: Vec<(&'static str, String)>,
    /// Why it cannot be done here.
    pub skipped: Option<&'static str>,
    /// Whether `--quick` does it.
    pub quick: bool,
}

impl Step {
    /// Runs `cargo` with arguments that hold no spaces.
    fn new(name: impl Into<String>, arguments: &str) -> Self {
        Self {
            name: name.into(),
            arguments: arguments.split_whitespace().map(str::to_owned).collect(),
            environment: Vec::new(),
            skipped: None,
            quick: false,
        }
    }

    /// Adds an argument that may hold spaces, if there is one.
    fn and(mut self, argument: Option<String>) -> Self {
        self.arguments.extend(argument);
        self
    }

    fn quick(mut self) -> Self {
        self.quick = true;
        self
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    fn only_if(mut self, possible: bool, reason: &'static str) -> Self {
        if !possible {
            self.skipped = Some(reason);
        }
        self
    }
}

/// The command to repeat the step with.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.environment {
            write!(f, "{name}='{value}' ")?;
        }
        f.write_str("cargo")?;
        for argument in &self.arguments {
            let quote = if argument.contains(' ') { "'" } else { "" };
            write!(f, " {quote}{argument}{quote}")?;
        }
        Ok(())
    }
}

/// Every step, cheapest first, but so that what is compiled once is used again: Clippy and the
/// documentation need the same metadata of Burn, tests are built as `cargo xtask train` is.
pub fn steps(machine: &Machine) -> Vec<Step> {
    let golden = machine
        .golden
        .as_deref()
        .map(|path| path.display().to_string());
    // A test runs in its crate's folder, so it needs the absolute path.
    let with_golden = |tests: Step| match &golden {
        Some(folder) => tests.with("SPARLING_GOLDEN", folder),
        None => tests,
    };
    let mut steps = vec![
        Step::new("format", "fmt --all -- --check").quick(),
        // Advisories need a database from GitHub, so they are not part of this.
        Step::new(
            "licences and sources",
            "deny --locked check licenses bans sources",
        )
        .only_if(
            machine.deny,
            "cargo-deny is not installed; get it with `cargo install --locked cargo-deny`",
        ),
        Step::new("lints", "clippy --workspace --all-targets -- -D warnings").quick(),
        Step::new("documentation", "doc --no-deps --workspace").with("RUSTDOCFLAGS", "-D warnings"),
    ];
    steps.extend(backend("ndarray", &["kernels", "layer", "models", "train"]));
    steps.push(with_golden(
        Step::new("tests", "test --release --workspace").quick(),
    ));
    steps.push(
        Step::new(
            "page in a browser",
            "test --release --workspace --test browser -- --ignored",
        )
        .only_if(
            machine.browser,
            "chromedriver is not installed; on Debian it is in the package chromium-driver",
        ),
    );
    steps.push(
        // In a folder of its own: Cargo starts each verification from an empty one otherwise.
        Step::new(
            "package",
            "package -p sparling-kernels -p sparling-layer -p sparling-data --allow-dirty --target-dir target/packaged",
        )
        .with("CARGO_PROFILE_DEV_DEBUG", "false"),
    );
    // Outside the workspace, with burn-train and so with a build of Burn of its own; it checks itself.
    steps.push(
        Step::new(
            "burn-train's learner",
            "run --locked --manifest-path crates/sparling-layer/examples/learner/Cargo.toml --target-dir target/learner",
        )
        .with("CARGO_PROFILE_DEV_DEBUG", "false"),
    );
    // On GPUs, whose part of Burn is the largest, once instead of three times: this crate holds the
    // others, and what one of them lacks alone shows with ndarray.
    steps.extend(backend("wgpu", &["train"]));
    for step in backend("vulkan", &["train"]) {
        steps.push(on_vulkan(step, machine));
    }
    for (name, tests) in [
        ("re-embedding on wgpu", "--lib embed_max"),
        ("training on wgpu", "--test backends"),
    ] {
        let crates = "-p sparling-kernels -p sparling-train";
        let features = "sparling-kernels/wgpu,sparling-train/wgpu";
        let tests = format!("test --release {crates} --features {features} {tests}");
        steps.push(on_vulkan(Step::new(name, &tests), machine));
    }
    let values = "run --release -p sparling-train --features wgpu -- golden --backend wgpu";
    steps.push(on_vulkan(
        Step::new("golden values on wgpu", values)
            .and(golden.clone())
            .only_if(golden.is_some(), "SPARLING_GOLDEN names no folder"),
        machine,
    ));
    for step in backend("cuda", &["train"]) {
        steps.push(step.only_if(machine.cuda, "SPARLING_CHECK_CUDA is not 1"));
    }
    steps
}

/// Each crate alone with a backend as its only one, so that none leans on another's features.
fn backend(feature: &str, crates: &[&str]) -> Vec<Step> {
    let step = |name: &&str| {
        Step::new(
            format!("{feature} alone, {name}"),
            &format!(
                "clippy -p sparling-{name} --no-default-features --features {feature} -- -D warnings"
            ),
        )
    };
    crates.iter().map(step).collect()
}

/// A step that needs a GPU, or a CPU that passes for one.
fn on_vulkan(step: Step, machine: &Machine) -> Step {
    let step = step.only_if(
        machine.wgpu,
        "SPARLING_CHECK_WGPU is not 1, or there is no Vulkan driver",
    );
    if env::var_os("XDG_RUNTIME_DIR").is_some() {
        return step;
    }
    // Mesa's drivers want one.
    let folder = env::temp_dir();
    step.with("XDG_RUNTIME_DIR", folder.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_skipped_where_everything_is() {
        let machine = Machine {
            deny: true,
            wgpu: true,
            cuda: true,
            browser: true,
            golden: Some("golden".into()),
        };
        assert!(steps(&machine).iter().all(|step| step.skipped.is_none()));
    }

    #[test]
    fn what_is_skipped_says_why() {
        let steps = steps(&Machine::default());
        let skipped: Vec<&str> = steps
            .iter()
            .filter(|step| step.skipped.is_some())
            .map(|step| step.name.as_str())
            .collect();
        let expected = [
            "licences and sources",
            "page in a browser",
            "vulkan alone, train",
            "re-embedding on wgpu",
            "training on wgpu",
            "golden values on wgpu",
            "cuda alone, train",
        ];
        assert_eq!(skipped, expected);
    }

    #[test]
    fn quick_is_format_lints_and_tests() {
        let steps = steps(&Machine::default());
        let quick: Vec<&str> = steps
            .iter()
            .filter(|step| step.quick)
            .map(|step| step.name.as_str())
            .collect();
        assert_eq!(quick, ["format", "lints", "tests"]);
    }

    #[test]
    fn a_step_can_be_repeated() {
        let step = Step::new("docs", "doc --no-deps").with("RUSTDOCFLAGS", "-D warnings");
        let step = step.and(Some("my docs".to_owned()));
        assert_eq!(
            step.to_string(),
            "RUSTDOCFLAGS='-D warnings' cargo doc --no-deps 'my docs'"
        );
    }
}
