//! The app: `host.json`, and the functions beside it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::function::Function;
use super::settings::Settings;
use super::{HostOptions, StartError};

/// An app that can be started.
pub(super) struct App {
    pub(super) root: PathBuf,
    pub(super) command: Command,
    pub(super) functions: Vec<Function>,
    pub(super) function_timeout: Duration,
    pub(super) initialization_timeout: Duration,
    /// How many blob events are worked on at a time.
    pub(super) blob_parallelism: usize,
    /// How often a blob event is tried before it is poison.
    pub(super) blob_tries: u32,
    /// Newer hosts take a port from the app.
    pub(super) port: Option<u16>,
    /// Why no listener of any function starts, if none does.
    pub(super) no_listeners: Option<String>,
}

/// How the handler is started.
pub(super) struct Command {
    pub(super) executable: PathBuf,
    pub(super) arguments: Vec<String>,
    pub(super) directory: PathBuf,
    pub(super) environment: BTreeMap<String, String>,
    /// Whether every line on stderr is an error unless it says "warn", or only those that look like one.
    pub(super) stderr_is_error: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HostFile {
    version: String,
    function_timeout: Option<String>,
    custom_handler: CustomHandler,
    #[serde(default)]
    extensions: Extensions,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CustomHandler {
    description: Description,
    initialization_timeout: Option<String>,
    port: Option<u16>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Description {
    default_executable_path: String,
    working_directory: Option<String>,
    #[serde(default)]
    arguments: Vec<String>,
    use_std_error_stream_for_errors_only: Option<bool>,
}

#[derive(Default, Deserialize)]
struct Extensions {
    #[serde(default)]
    blobs: Blobs,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Blobs {
    max_degree_of_parallelism: Option<usize>,
    poison_blob_threshold: Option<u32>,
}

/// What Consumption gives an invocation, and the most that it can be asked for.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5 * 60);
const LONGEST_TIMEOUT: Duration = Duration::from_secs(10 * 60);

impl App {
    pub(super) fn read(options: &HostOptions) -> Result<Self, StartError> {
        let settings = Settings::new(&options.settings);
        // The handler is started from another directory than this process's.
        let root = std::path::absolute(&options.app_root);
        let root = root.map_err(|error| StartError::new("app root", error))?;
        let text = read_file(&root.join("host.json"))?;
        let file: HostFile =
            serde_json::from_str(&text).map_err(|error| StartError::new("host.json", error))?;
        if file.version != "2.0" {
            return Err(StartError::new("host.json", "version must be 2.0"));
        }
        let function_timeout = file.function_timeout.as_deref().map(parse_duration).transpose()?;
        let function_timeout = function_timeout.unwrap_or(DEFAULT_TIMEOUT);
        if function_timeout > LONGEST_TIMEOUT || function_timeout.is_zero() {
            return Err(StartError::new("host.json", "functionTimeout must be above zero, at most 00:10:00"));
        }
        let initialization = file.custom_handler.initialization_timeout.as_deref();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Self {
            functions: read_functions(&root, &settings)?,
            function_timeout,
            initialization_timeout: initialization.map_or(Ok(Duration::from_secs(30)), parse_duration)?,
            blob_parallelism: file.extensions.blobs.max_degree_of_parallelism.unwrap_or(8 * cores).max(1),
            blob_tries: file.extensions.blobs.poison_blob_threshold.unwrap_or(5),
            port: file.custom_handler.port,
            no_listeners: no_listeners(&settings),
            command: command(file.custom_handler.description, options, &root)?,
            root,
        })
    }

    /// A function by its name, in any case, as the admin API finds it.
    pub(super) fn function(&self, name: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.name.eq_ignore_ascii_case(name))
    }
}

/// Without its own storage the host has nowhere to keep locks, status and receipts.
fn no_listeners(settings: &Settings) -> Option<String> {
    let names = ["", "__accountName", "__blobServiceUri"];
    let mut found = names.iter().filter_map(|part| settings.get(&format!("AzureWebJobsStorage{part}")));
    found.next().is_none().then(|| "AzureWebJobsStorage is not set: no listener starts.".to_owned())
}

fn command(description: Description, options: &HostOptions, root: &Path) -> Result<Command, StartError> {
    let settings = Settings::new(&options.settings);
    let path = options.executable.clone().unwrap_or_else(|| description.default_executable_path.into());
    // What is not a file of the app is looked for on PATH.
    let executable = Some(root.join(&path)).filter(|file| file.exists()).unwrap_or(path);
    let expand = |argument: &String| {
        settings.expand(argument).map_err(|error| StartError::new("host.json arguments", error))
    };
    Ok(Command {
        executable,
        arguments: description.arguments.iter().map(expand).collect::<Result<_, _>>()?,
        directory: description.working_directory.map_or_else(|| root.to_owned(), |folder| root.join(folder)),
        environment: options.settings.clone(),
        stderr_is_error: description.use_std_error_stream_for_errors_only.unwrap_or(true),
    })
}

fn read_functions(root: &Path, settings: &Settings) -> Result<Vec<Function>, StartError> {
    let entries = fs::read_dir(root).map_err(|error| StartError::new(root.display().to_string(), error))?;
    let mut folders: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.sort();
    let files = folders.into_iter().map(|folder| folder.join("function.json")).filter(|file| file.is_file());
    files
        .map(|file| {
            let folder = file.parent().and_then(Path::file_name).unwrap_or_default();
            let text = read_file(&file)?;
            Function::read(&folder.to_string_lossy(), &text, settings)
                .map_err(|error| StartError::new(file.display().to_string(), error))
        })
        .collect()
}

fn read_file(path: &Path) -> Result<String, StartError> {
    fs::read_to_string(path).map_err(|error| StartError::new(path.display().to_string(), error))
}

/// Reads `hh:mm:ss`.
fn parse_duration(text: &str) -> Result<Duration, StartError> {
    let parts: Option<Vec<u64>> = text.split(':').map(|part| part.parse().ok()).collect();
    match parts.as_deref() {
        Some([hours, minutes, seconds]) => Ok(Duration::from_secs(hours * 3600 + minutes * 60 + seconds)),
        _ => Err(StartError::new("host.json", format!("'{text}' is no duration of the form hh:mm:ss"))),
    }
}
