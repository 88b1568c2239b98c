//! The page in a real browser: loaded, slid, dragged, drawn on, given files, on a desk and on a phone.
//!
//! `SPARLING_SHOWN_RUN=RUN` shows another run than the small one that is trained here, and
//! `SPARLING_SCREENSHOTS=DIR` keeps pictures of what was seen.

// It is the same on every backend.
#![cfg(feature = "flex")]

#[path = "support/browser.rs"]
mod browser;
#[path = "support/circle.rs"]
mod circle;
#[path = "support/few_motifs.rs"]
mod few_motifs;
#[path = "support/program.rs"]
mod program;

use std::path::PathBuf;
use std::process::Child;
use std::sync::LazyLock;

use browser::{Browser, started};
use program::sparling;
use serde_json::Value;

/// WebDriver's characters for keys.
const RIGHT: &str = "\u{E014}";
const DELETE: &str = "\u{E017}";

/// What is looked at.
static RUN: LazyLock<PathBuf> = LazyLock::new(|| match std::env::var_os("SPARLING_SHOWN_RUN") {
    Some(run) => PathBuf::from(run),
    None => few_motifs::run("browser"),
});

/// The server, until the test has ended.
struct Server {
    program: Child,
    address: String,
}

impl Server {
    fn start() -> Self {
        let mut command = sparling(&["serve", "--port", "0"]);
        let (program, address) = started(command.arg(&*RUN), " at ");
        let address = address.trim_end_matches('/').to_owned();
        Self { program, address }
    }

    fn address(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// A browser that shows an input.
    fn shown(&self, path: &str, width: u32, height: u32) -> Browser {
        let browser = Browser::open(width, height);
        browser.go(&self.address(path));
        browser.wait("document.querySelector('#output .tokens, #output code')");
        browser
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

fn motifs(browser: &Browser) -> u64 {
    let count = browser.run("return document.querySelectorAll('#stage .motif').length");
    count.as_u64().expect("it is a number")
}

/// The names of the motifs, with their places.
fn places(browser: &Browser) -> Value {
    browser.run("return [...document.querySelectorAll('#stage .motif')].map(one => one.getAttribute('aria-label'))")
}

fn slide(browser: &Browser, rung: &str) {
    browser.run(&format!(
        "const slider = document.getElementById('density'); slider.value = {rung}; \
         slider.dispatchEvent(new Event('input'))"
    ));
}

fn error(browser: &Browser) -> String {
    let error = browser.run("return document.getElementById('error').textContent");
    error.as_str().expect("it is text").to_owned()
}

#[test]
#[ignore = "needs chromedriver and Chromium"]
fn motifs_thin_out_towards_sparse() {
    let server = Server::start();
    let browser = server.shown("/examples/2", 1280, 900);
    browser.keep("input");
    let sparse = motifs(&browser);
    assert!(sparse > 0);
    slide(&browser, "0");
    browser.wait(&format!(
        "document.querySelectorAll('#stage .motif').length > {sparse}"
    ));
    browser.wait("location.search.startsWith('?density=')");
    browser.keep("input-dense");
    // The address says it all.
    let dense = motifs(&browser);
    browser.run("location.reload()");
    browser.wait(&format!(
        "document.querySelectorAll('#stage .motif').length == {dense}"
    ));
    slide(&browser, "document.getElementById('density').max");
    browser.wait(&format!(
        "document.querySelectorAll('#stage .motif').length == {sparse}"
    ));
    assert_eq!(error(&browser), "");
}

#[test]
#[ignore = "needs chromedriver and Chromium"]
fn motifs_are_dragged_removed_and_added() {
    let server = Server::start();
    let browser = server.shown("/examples/1", 1280, 900);
    let before = motifs(&browser);
    let [x, y] = browser.middle("#stage .motif circle");
    let (width, places_before) = (80.0, places(&browser));
    let steps: Vec<[f64; 2]> = (0..=30)
        .map(|step| [x + width * f64::from(step) / 30.0, y])
        .collect();
    browser.drag(&steps);
    browser.wait("location.search.includes('motifs=')");
    assert_ne!(places(&browser), places_before);
    browser.keep("dragged");
    browser.wait("performance.getEntriesByName('answer').length > 2");
    report(browser.run("return performance.getEntriesByName('answer').map(one => one.duration)"));

    browser.run("document.querySelector('#stage .motif').focus()");
    let moved = places(&browser);
    browser.press(RIGHT);
    assert_ne!(places(&browser), moved);
    browser.press(DELETE);
    assert_eq!(motifs(&browser), before - 1);
    browser.run("document.querySelector('#adding .add').focus()");
    browser.press(" ");
    assert_eq!(motifs(&browser), before);
    // Whoever is given the address sees the same.
    browser.wait("document.querySelector('#output h2').textContent.includes('you put them')");
    let (shared, named) = (browser.wait("location.href"), places(&browser));
    std::thread::sleep(std::time::Duration::from_millis(500));
    browser.go(shared.as_str().unwrap());
    browser.wait("document.querySelector('#stage .motif')");
    assert_eq!(named.as_array().unwrap().len() as u64, motifs(&browser));
    browser.run("document.getElementById('reset').click()");
    browser.wait("!location.search.includes('motifs=')");
    assert_eq!(places(&browser), places_before);
    assert_eq!(error(&browser), "");
}

/// Says how long answers took, from the movement to what is shown.
fn report(times: Value) {
    let mut times: Vec<f64> = serde_json::from_value(times).expect("they are numbers");
    times.sort_by(f64::total_cmp);
    let (median, longest) = (times[times.len() / 2], times[times.len() - 1]);
    println!(
        "{} answers while dragging: median {median:.1} ms, longest {longest:.1} ms",
        times.len()
    );
}

#[test]
#[ignore = "needs chromedriver and Chromium"]
fn drawings_and_files_are_read_and_errors_said() {
    let server = Server::start();
    let browser = server.shown("/examples/0", 1280, 900);
    browser.run("document.getElementById('draw').click()");
    browser.wait("document.querySelector('.pad')");
    browser.wait("location.pathname == '/read'");
    let [x, y] = browser.middle(".pad");
    let blank = browser.wait("location.hash");
    browser.drag(&[
        [x - 60.0, y - 40.0],
        [x, y - 60.0],
        [x, y + 60.0],
        [x - 20.0, y + 60.0],
    ]);
    browser.wait(&format!("location.hash != {blank}"));
    browser.keep("drawn");
    // The drawing is in the address.
    std::thread::sleep(std::time::Duration::from_millis(500));
    let (drawn, address) = (
        browser.run("return location.hash"),
        browser.run("return location.href"),
    );
    browser.go("about:blank");
    browser.go(address.as_str().unwrap());
    browser.wait("document.querySelector('#stage .picture')");
    browser.wait(&format!("location.hash == {drawn}"));
    assert_eq!(
        browser.run("return document.getElementById('clear').hidden"),
        false
    );

    let drop = |made: &str| {
        browser.run(&format!(
            "const given = new DataTransfer(); given.items.add({made}); \
             document.dispatchEvent(new DragEvent('drop', {{dataTransfer: given, cancelable: true}}))"
        ));
    };
    drop("new File(['nothing to see'], 'notes.txt', {type: 'text/plain'})");
    browser.wait("document.getElementById('error').textContent.includes('no picture')");
    browser.keep("error");
    let picture = "await new Promise(done => { const sheet = document.createElement('canvas'); \
                   sheet.width = sheet.height = 96; const pen = sheet.getContext('2d'); pen.fillStyle = '#fff'; \
                   pen.fillRect(0, 0, 96, 96); pen.fillStyle = '#000'; pen.fillRect(40, 20, 8, 60); sheet.toBlob(done) })";
    drop(&format!(
        "new File([{picture}], 'one.png', {{type: 'image/png'}})"
    ));
    browser.wait(&format!("location.hash && location.hash != {drawn}"));
    assert_eq!(error(&browser), "");
}

#[test]
#[ignore = "needs chromedriver and Chromium"]
fn channels_have_pages() {
    let server = Server::start();
    let browser = server.shown("/examples/0", 1280, 900);
    browser.run("document.getElementById('to-channels').click()");
    browser.wait("document.querySelectorAll('.card').length == 10 || document.querySelectorAll('.card').length > 20");
    browser.keep("channels");
    browser.run(
        "[...document.querySelectorAll('.card')].find(card => card.querySelector('img')).click()",
    );
    browser.wait("document.querySelector('.histogram')");
    browser.keep("channel");
    browser.run("history.back()");
    browser.wait("document.querySelector('.card')");
    assert_eq!(error(&browser), "");
}

#[test]
#[ignore = "needs chromedriver and Chromium"]
fn everything_fits_a_phone_and_the_dark() {
    let server = Server::start();
    let browser = server.shown("/examples/0", 390, 844);
    let fits = "document.documentElement.scrollWidth <= 390";
    browser.wait(fits);
    browser.keep("phone");
    let ground = "getComputedStyle(document.body).backgroundColor";
    let before = browser.wait(ground);
    browser.run("document.getElementById('theme').click()");
    browser.wait(&format!("{ground} != {before}"));
    browser.keep("phone-dark");
    browser.run("document.getElementById('theme').click()");
    browser.wait(&format!("{ground} == {before}"));
    browser.go(&server.address("/channels"));
    browser.wait("document.querySelector('.card')");
    browser.wait(fits);
    browser.keep("phone-channels");
    browser.run(
        "[...document.querySelectorAll('.card')].find(card => card.querySelector('img')).click()",
    );
    browser.wait("document.querySelector('.histogram')");
    browser.wait(fits);
    browser.keep("phone-channel");
}
