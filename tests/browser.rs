//! The page in a real browser: no error, nothing wider than the window, every text readable in the light and in the dark.
//! Run by `cargo xtask test --all`, which needs Chromium.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

#[path = "status/pages.rs"]
mod pages;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// Phones, and desks.
const WIDTHS: [u32; 2] = [360, 1280];

/// Chromium's numbers for what a reader prefers.
const SCHEMES: [(&str, u32); 2] = [("dark", 0), ("light", 1)];

/// What the page is asked from inside: how wide it is, and the contrast of each of its texts (WCAG 2, 1.4.3).
const QUESTIONS: &str = include_str!("status/questions.js");

struct Browser {
    directory: PathBuf,
}

impl Browser {
    fn new(name: &str) -> Self {
        let directory = std::env::temp_dir().join(format!("apim-dr-browser-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        Self { directory }
    }

    /// Opens a page that holds `page` in a frame of this width, and yields what the questions found.
    fn ask(&self, page: &str, width: u32, scheme: u32) -> Value {
        let framed = page.replace('&', "&amp;").replace('"', "&quot;");
        let harness = format!(
            "<!doctype html><meta charset=\"utf-8\"><body style=\"margin:0\"><iframe id=\"page\" style=\"border:0;width:{width}px;\
             height:9000px\" srcdoc=\"{framed}\"></iframe><pre id=\"found\"></pre><script>{QUESTIONS}</script></body>"
        );
        let file = self.directory.join("harness.html");
        std::fs::write(&file, harness).unwrap();
        let scheme = format!("--blink-settings=preferredColorScheme={scheme}");
        let output = self.run(&file, &["--dump-dom", &scheme]);
        let (said, dom) = (text(&output.stderr), text(&output.stdout));
        let complaints: Vec<_> = said.lines().filter(|line| line.contains("CONSOLE")).collect();
        assert!(complaints.is_empty(), "{complaints:?}");
        let found = dom.split_once("<pre id=\"found\">").and_then(|(_, rest)| rest.split_once("</pre>"));
        let (found, _) = found.unwrap_or_else(|| panic!("Chromium shows nothing: {said}"));
        let found = found.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        serde_json::from_str(&found).unwrap_or_else(|error| panic!("{error}: {found}"))
    }

    fn run(&self, file: &Path, options: &[&str]) -> Output {
        let profile = format!("--user-data-dir={}", self.directory.join("profile").display());
        let quiet = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--enable-logging=stderr",
            "--virtual-time-budget=3000",
            "--window-size=1400,4200",
        ];
        let mut chromium = Command::new("chromium");
        chromium.args(quiet).arg(profile).args(options).arg(format!("file://{}", file.display()));
        chromium.output().expect("Chromium, from Debian's package `chromium`")
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // What can not be removed is left to the system, which clears its temporary files.
        drop(std::fs::remove_dir_all(&self.directory));
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn holds_in_every_window(name: &str, page: &str) {
    let browser = Browser::new(name);
    for width in WIDTHS {
        for (scheme, number) in SCHEMES {
            let found = browser.ask(page, width, number);
            assert!(found["texts"].as_u64().unwrap() > 20, "{name}: {found}");
            assert_eq!(found["scheme"], scheme, "{name} at {width}");
            assert_eq!(found["width"], width, "{name}, {scheme}: wider than the window: {}", found["wide"]);
            assert_eq!(found["faint"], serde_json::json!([]), "{name} at {width}, {scheme}");
            assert_eq!(found["late"], true, "what was written long ago says so");
        }
    }
}

#[test]
fn a_page_on_which_all_is_well_is_readable() {
    holds_in_every_window("well", &pages::well().page());
}

#[test]
fn a_page_full_of_trouble_is_readable() {
    holds_in_every_window("troubled", &pages::troubled().page());
}

#[test]
fn a_page_of_a_new_deployment_is_readable() {
    holds_in_every_window("new", &pages::new().page());
    holds_in_every_window("unread", &pages::unread().page());
}

/// A warning that is always there would not be read.
#[test]
fn a_page_that_is_fresh_does_not_call_itself_old() {
    let mut status = pages::well();
    status.believed_until =
        apim_dr::domain::vocabulary::Timestamp::new(time::macros::datetime!(2200-01-01 00:00 UTC));
    let found = Browser::new("fresh").ask(&status.page(), WIDTHS[0], 1);
    assert_eq!(found["late"], false);
}

/// The questions can find what they look for.
#[test]
fn a_page_that_is_wide_and_faint_is_found_out() {
    let page = "<!doctype html><body style=\"color:#888;background:#999\"><p id=\"late\" hidden></p><p>faint</p>\
                <div style=\"width:900px\">wide</div></body>";
    let found = Browser::new("bad").ask(page, WIDTHS[0], 1);
    assert!(found["width"].as_u64().unwrap() > 360, "{found}");
    assert_eq!(found["faint"].as_array().unwrap().len(), 2, "{found}");
}
