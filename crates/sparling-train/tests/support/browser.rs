//! A browser without a window, through the WebDriver protocol that chromedriver speaks.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value, json};

/// How long something may take to show.
const PATIENCE: Duration = Duration::from_secs(30);

/// A browser with one window.
pub struct Browser {
    driver: Child,
    session: String,
}

/// Starts a program and reads the first line that has what follows `before` in it, up to a space.
pub fn started(command: &mut Command, before: &str) -> (Child, String) {
    let child = command.stdout(Stdio::piped()).spawn();
    let mut child = child.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let output = child.stdout.take().expect("it was piped");
    let mut lines = BufReader::new(output).lines();
    let said = lines.find_map(|line| {
        let line = line.expect("it is text");
        let (_, rest) = line.split_once(before)?;
        let word = rest.split_whitespace().next()?;
        Some(word.trim_end_matches('.').to_owned())
    });
    // What it says later on must find a reader.
    std::thread::spawn(move || lines.count());
    (child, said.expect("it says where it is"))
}

impl Browser {
    /// Opens a window; one of at most 500 pixels is a phone's.
    pub fn open(width: u32, height: u32) -> Self {
        let mut command = Command::new("chromedriver");
        let (driver, port) = started(command.arg("--port=0"), "successfully on port ");
        let size = format!("--window-size={width},{height}");
        let mut options =
            json!({"args": ["--headless=new", "--no-sandbox", "--hide-scrollbars", size]});
        if width <= 500 {
            let metrics =
                json!({"width": width, "height": height, "pixelRatio": 2.0, "touch": true});
            options["mobileEmulation"] = json!({"deviceMetrics": metrics});
        }
        let mut browser = Self {
            driver,
            session: format!("http://127.0.0.1:{port}/session"),
        };
        let wanted = json!({"browserName": "chrome", "goog:chromeOptions": options});
        let session = browser.post("", &json!({"capabilities": {"alwaysMatch": wanted}}));
        let id = session["sessionId"].as_str().expect("a session has a name");
        browser.session = format!("{}/{id}", browser.session);
        browser
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let request = ureq::post(format!("{}{path}", self.session));
        let request = request.config().http_status_as_error(false).build();
        let sent = request
            .content_type("application/json")
            .send(body.to_string());
        let text = sent.expect("chromedriver answers").into_body();
        let text = text.into_with_config().limit(1 << 27).read_to_string();
        let answer: Value = serde_json::from_str(&text.expect("it is text")).expect("it is JSON");
        let error = &answer["value"]["error"];
        assert!(error.is_null(), "{path}: {}", answer["value"]["message"]);
        answer["value"].clone()
    }

    /// Goes to an address.
    pub fn go(&self, address: &str) {
        self.post("/url", &json!({"url": address}));
    }

    /// What a script of the page returns.
    pub fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// Waits until an expression is true, and gives its value.
    pub fn wait(&self, expression: &str) -> Value {
        let begun = Instant::now();
        loop {
            let value = self.run(&format!("return {expression}"));
            let is_true =
                !matches!(value, Value::Null | Value::Bool(false)) && value != "" && value != 0;
            if is_true {
                return value;
            }
            let shown = || self.run("return document.body.innerText");
            assert!(
                begun.elapsed() < PATIENCE,
                "{expression} is not true of {}",
                shown()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Presses the pointer at the first place and drags it to each of the others.
    pub fn drag(&self, places: &[[f64; 2]]) {
        let to = |place: &[f64; 2]| {
            let [x, y] = place.map(f64::round);
            json!({"type": "pointerMove", "duration": 40, "x": x, "y": y})
        };
        let mut actions = vec![to(&places[0]), json!({"type": "pointerDown", "button": 0})];
        actions.extend(places[1..].iter().map(to));
        actions.push(json!({"type": "pointerUp", "button": 0}));
        let pointer = json!({"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": actions});
        self.post("/actions", &json!({"actions": [pointer]}));
    }

    /// Presses keys, which WebDriver writes as characters.
    pub fn press(&self, keys: &str) {
        let actions: Vec<Value> = keys
            .chars()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key})))
            .collect();
        self.post(
            "/actions",
            &json!({"actions": [{"type": "key", "id": "keys", "actions": actions}]}),
        );
    }

    /// The middle of the first element that a selector finds, scrolled to where it can be pressed.
    pub fn middle(&self, selector: &str) -> [f64; 2] {
        let place = self.run(&format!(
            "const element = document.querySelector('{selector}'); element.scrollIntoView({{block: 'center'}}); \
             const at = element.getBoundingClientRect(); return [at.x + at.width / 2, at.y + at.height / 2]"
        ));
        [0, 1].map(|axis| place[axis].as_f64().expect("it is a place"))
    }

    /// Keeps a picture of the whole page, where anyone wants one.
    pub fn keep(&self, name: &str) {
        let Some(folder) = std::env::var_os("SPARLING_SCREENSHOTS") else {
            return;
        };
        let whole =
            json!({"cmd": "Page.captureScreenshot", "params": {"captureBeyondViewport": true}});
        let picture = self.post("/goog/cdp/execute", &whole);
        let picture = picture["data"].as_str().expect("a screenshot is text");
        let picture = BASE64_STANDARD.decode(picture).expect("it is base64");
        let path = Path::new(&folder).join(name).with_extension("png");
        fs::write(path, picture).expect("the folder is there");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Else the browser would outlive its driver.
        let _ = ureq::delete(&self.session).call();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
