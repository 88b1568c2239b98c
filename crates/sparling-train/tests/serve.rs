//! What the page's server answers, and that no request makes it panic.

// It is the same on every backend.
#![cfg(feature = "flex")]

#[path = "support/circle.rs"]
mod circle;
#[path = "support/few_motifs.rs"]
mod few_motifs;
#[path = "support/program.rs"]
mod program;

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use program::sparling;
use serde_json::{Value, json};
use sparling_data::Split;
use sparling_data::seed::Stream;
use sparling_train::backend::Backend;
use sparling_train::config::RunConfig;
use sparling_train::serve::{Models, router};
use tower::ServiceExt;

/// The server of a small run, for this machine alone.
static SERVER: LazyLock<Router> = LazyLock::new(|| {
    let path = few_motifs::run("serve");
    let file = path.join("config.toml");
    let config = RunConfig::load("digitcircle", "", Some(&file), &[]);
    let config = config.expect("the run has a configuration");
    let domain = Arc::from(config.build_domain().expect("its domain can be made"));
    let models = Models::of(&path, domain, Backend::Flex).expect("its models can be loaded");
    router(Arc::new(models), true)
});

fn request(method: Method, path: &str, body: impl Into<Body>) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("host", "127.0.0.1:7878");
    request.body(body.into()).expect("it is a request")
}

/// The status and the text of an answer.
fn answer(request: Request<Body>) -> (StatusCode, String) {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.expect("the system gives threads");
    runtime.block_on(async {
        let answer = SERVER.clone().oneshot(request).await;
        let answer = answer.expect("a router always answers");
        let status = answer.status();
        let bytes = to_bytes(answer.into_body(), usize::MAX).await;
        let bytes = bytes.expect("the body is in memory");
        (status, String::from_utf8_lossy(&bytes).into_owned())
    })
}

fn asked(path: &str) -> Value {
    let (status, text) = answer(request(Method::GET, path, ""));
    assert_eq!(status, StatusCode::OK, "{path}: {text}");
    serde_json::from_str(&text).expect("it is JSON")
}

fn sent(path: &str, motifs: &Value) -> Value {
    let (status, text) = answer(request(Method::POST, path, motifs.to_string()));
    assert_eq!(status, StatusCode::OK, "{path}: {text}");
    serde_json::from_str(&text).expect("it is JSON")
}

#[test]
fn an_address_is_a_page_to_browsers_and_json_to_others() {
    let mut browser = request(Method::GET, "/examples/3", "");
    let accept = "text/html,application/xhtml+xml,*/*;q=0.8".parse().unwrap();
    browser.headers_mut().insert("accept", accept);
    let (_, page) = answer(browser);
    assert!(page.starts_with("<!doctype html>"), "{page}");
    // Whatever the page names is there.
    for file in page.split('"').filter(|part| part.starts_with("/page/")) {
        assert_eq!(
            answer(request(Method::GET, file, "")).0,
            StatusCode::OK,
            "{file}"
        );
    }
    assert_eq!(
        asked("/examples/3")["motifs"],
        asked("/examples/3")["found"]
    );
}

#[test]
fn motifs_are_taken_away_as_they_are_explained() {
    let example = asked("/examples/1");
    let motifs = example["motifs"].as_array().unwrap();
    assert!(!motifs.is_empty());
    // The same motifs, the same answer.
    let again = sent("/answer", &example["motifs"]);
    for key in ["output", "tokens", "explanation"] {
        assert_eq!(again[key], example[key], "{key}");
    }
    let without = sent("/answer", &json!(motifs[1..]));
    assert_eq!(
        without["motifs"].as_array().unwrap().len(),
        motifs.len() - 1
    );
    // The address of an input with motifs of the user's says the same.
    let address = asked("/examples/1?motifs=A@3,4=1.5;B@0,0=0.25");
    let places = json!([
        {"channel": 0, "row": 3, "column": 4, "strength": 1.5},
        {"channel": 1, "row": 0, "column": 0, "strength": 0.25},
    ]);
    assert_eq!(address["motifs"], places);
    assert_eq!(address["output"], sent("/answer", &places)["output"]);
}

#[test]
fn every_density_answers_and_the_sparsest_is_the_default() {
    let run = asked("/");
    let ladder = run["ladder"].as_array().unwrap();
    assert!(ladder.len() > 1);
    let count = |density: &Value| {
        let example = asked(&format!("/examples/0?density={density}"));
        assert_eq!(example["density"], *density);
        example["motifs"].as_array().unwrap().len()
    };
    let first = count(&ladder[0]["density"]);
    let last = count(&ladder[ladder.len() - 1]["density"]);
    assert!(first > last, "{first} motifs, then {last}");
    let default = asked("/examples/0")["motifs"].as_array().unwrap().len();
    assert_eq!(default, last);
}

#[test]
fn a_channel_has_a_page() {
    let all = asked("/channels");
    let pages = all.as_array().unwrap();
    assert_eq!(pages.len(), 10);
    assert_eq!(asked("/channels/C"), pages[2]);
    let active: Vec<&Value> = pages
        .iter()
        .filter(|page| page["activations"] != 0)
        .collect();
    assert!(!active.is_empty());
    for page in active {
        let patches = page["patches"].as_array().unwrap();
        let strengths = patches.iter().map(|patch| patch["strength"].as_f64());
        assert!(strengths.is_sorted(), "{page}");
        let counts = page["strengths"]["counts"].as_array().unwrap();
        let counted: u64 = counts.iter().filter_map(Value::as_u64).sum();
        assert_eq!(page["activations"], counted);
    }
    assert_eq!(
        answer(request(Method::GET, "/channels/ZZ", "")).0,
        StatusCode::NOT_FOUND
    );
}

#[test]
fn pictures_are_read_and_others_are_refused_in_words() {
    let mut png = std::io::Cursor::new(Vec::new());
    let picture = image::GrayImage::from_pixel(40, 40, image::Luma([255]));
    picture.write_to(&mut png, image::ImageFormat::Png).unwrap();
    let (status, text) = answer(request(Method::POST, "/read", png.into_inner()));
    assert_eq!(status, StatusCode::OK, "{text}");

    let mut png = std::io::Cursor::new(Vec::new());
    let picture = image::GrayImage::from_pixel(39, 40, image::Luma([255]));
    picture.write_to(&mut png, image::ImageFormat::Png).unwrap();
    let (status, text) = answer(request(Method::POST, "/read", png.into_inner()));
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(
        text.starts_with("the file is 39x40 pixels, but this model reads 40x40"),
        "{text}"
    );
    let (status, text) = answer(request(Method::POST, "/read", vec![0; 7 << 20]));
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{text}");
}

#[test]
fn others_than_this_machine_are_refused() {
    let mut foreign = request(Method::GET, "/", "");
    let host = "evil.example:7878".parse().unwrap();
    foreign.headers_mut().insert("host", host);
    assert_eq!(answer(foreign).0, StatusCode::FORBIDDEN);
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let run = few_motifs::run("serve-port");
    let output = sparling(&["serve", "--port", &port]).arg(run).output();
    let error = String::from_utf8(output.unwrap().stderr).unwrap();
    assert!(
        error.contains(&port) && error.contains("choose another with --port"),
        "{error}"
    );
}

/// One of the wrong requests: another method, path, query and body each time.
fn wrong(stream: &mut Stream) -> Request<Body> {
    fn one<'a>(stream: &mut Stream, of: &[&'a str]) -> &'a str {
        of[stream.below(of.len() as u64) as usize]
    }
    let methods = [
        "GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "BREW",
    ];
    let paths = [
        "/",
        "/examples/0",
        "/examples/-1",
        "/examples/99999999999999999999",
        "/examples/x",
        "/examples/4294967295/sound",
        "/read",
        "/answer",
        "/channels",
        "/channels/A",
        "/channels/%FF",
        "/channels/AAAAAAAAAAAAAAAAAAAA",
        "/page/../cli.rs",
        "/page/page.rs",
        "/nowhere",
        "//",
        "/examples/",
    ];
    let queries = [
        "",
        "?density=0",
        "?density=nan",
        "?density=-1e400",
        "?density=1e-300",
        "?density=",
        "?density=1&density=2",
        "?motifs=A@1",
        "?motifs=A@999,999=1",
        "?motifs=;;;",
        "?motifs=A@1,1=inf",
        "?motifs=ZZZZ@1,1",
        "?%FF%00",
        "?motifs=A@18446744073709551615,0=1e-40",
    ];
    let bodies = [
        "",
        "[]",
        "{}",
        "null",
        "[1]",
        "[{}]",
        "[[[[[[[[",
        "\u{0}\u{1}\u{2}",
        "RIFF\u{0}\u{0}\u{0}\u{0}WAVE",
        "\u{89}PNG\r\n",
        r#"[{"channel":0,"row":0,"column":0,"strength":-1}]"#,
        r#"[{"channel":99999,"row":0,"column":0,"strength":1}]"#,
        r#"[{"channel":0,"row":0,"column":0,"strength":1e999}]"#,
        r#"[{"channel":0,"row":-1,"column":0,"strength":1}]"#,
        r#"[{"channel":0,"row":0,"column":0,"strength":"1"}]"#,
        r#"[{"channel":0,"row":0,"column":0,"strength":3.4e38}]"#,
    ];
    let method = one(stream, &methods).parse().expect("it is a method");
    let path = format!("{}{}", one(stream, &paths), one(stream, &queries));
    let body: Vec<u8> = match stream.below(4) {
        // Bytes of no kind, up to 64 KiB.
        0 => (0..stream.below(1 << 16))
            .map(|_| stream.below(256) as u8)
            .collect(),
        _ => one(stream, &bodies).as_bytes().to_vec(),
    };
    let mut request = request(method, &path, body);
    let kind = one(
        stream,
        &["text/plain", "image/png", "application/json", "x/y;;"],
    );
    let kind = kind.parse().expect("it is a header");
    request.headers_mut().insert("content-type", kind);
    request
}

#[test]
fn a_thousand_wrong_requests_are_answered() {
    let mut stream = Stream::new(Split::Test, 1);
    let mut refused = 0;
    for _ in 0..1000 {
        let request = wrong(&mut stream);
        let said = format!("{} {}", request.method(), request.uri());
        let is_head = request.method() == Method::HEAD;
        let (status, text) = answer(request);
        assert!(!status.is_server_error(), "{said}: {status} {text}");
        refused += u32::from(status.is_client_error());
        let has_words = is_head || status.is_success() || !text.trim().is_empty();
        assert!(has_words, "{said}: {status} without a word");
    }
    assert!(refused > 700, "only {refused} were refused");
    // And it goes on.
    asked("/examples/0");
}
