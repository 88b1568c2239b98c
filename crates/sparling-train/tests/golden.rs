//! The golden values of a PyTorch implementation, where the variable `SPARLING_GOLDEN` names a
//! folder of them.

use std::process::Command;

#[test]
fn golden_values_agree() {
    let Some(folder) = std::env::var_os("SPARLING_GOLDEN") else {
        eprintln!("skipped: SPARLING_GOLDEN names no folder of golden values");
        return;
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_sparling"));
    let output = command.arg("golden").arg(folder).output().unwrap();
    let table = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{table}{error}");
}
