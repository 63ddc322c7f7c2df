//! The operator's command line: the same binary, given a verb. It writes wishes into the records, or reads them, and
//! prints; what then happens is decided where it always is.

use std::ffi::OsString;
use std::process::ExitCode;

use answer::{Answer, Code};
use arguments::{Call, Typed, Verb};
use settings::Settings;

use crate::config::Config;
use crate::log::{self, Format};

mod answer;
mod arguments;
mod errand;
mod follow;
mod help;
pub mod history;
mod question;
mod session;
mod settings;
pub mod status;
mod verbs;
mod words;

/// Does what `words`, those after the program's name, say. `environment` gives a setting by its name.
pub fn run(words: impl Iterator<Item = OsString>, environment: impl Fn(&str) -> Option<String>) -> ExitCode {
    let words: Vec<_> = words.collect();
    let call = match arguments::parse(words.iter().cloned()) {
        Ok(Typed::Help) => return print(help::HELP),
        Ok(Typed::Version) => return print(concat!("apim-dr ", env!("CARGO_PKG_VERSION"), "\n")),
        Ok(Typed::Call(call)) => call,
        Err(why) => {
            let text = format!("{why}. `apim-dr --help` tells what there is");
            return Answer::new(Code::Usage, text).give(false);
        }
    };
    let settings = match Settings::read(call.settings.as_deref(), environment) {
        Ok(settings) => settings,
        Err(refusal) if call.verb == Verb::Doctor => return refusal.examined().give(call.json),
        Err(refusal) => return Answer::new(Code::Usage, refusal.text()).give(call.json),
    };
    if let Some(ended) = settings.start_again(&words) {
        return ended;
    }
    log::install(Format::Terminal);
    answer(&call, settings.config()).give(call.json)
}

fn print(text: &str) -> ExitCode {
    match answer::print(text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn answer(call: &Call, config: &Config) -> Answer {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(verbs::carry_out(call, config)),
        Err(error) => Answer::new(Code::Failed, format!("threads cannot be started: {error}")),
    }
}
