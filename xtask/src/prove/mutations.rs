//! The mutation check: each safeguard is taken out of a copy of the sources, and the seeds must find that.
//!
//! A patch under `simulate/mutations` begins with two lines, `Without:` (the safeguard that it takes out) and
//! `Found by:` (the invariants that may find it, by their labels), and goes on as `git diff` wrote it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::seeds::WITHOUT_BACKTRACES;
use crate::shell::{Done, at, executable, output, read, root};

/// A mutation that is not found in these seeds is not found at all.
const SEEDS: &str = "0..2000";

/// One safeguard less.
struct Mutation {
    name: String,
    patch: PathBuf,
    without: String,
    found_by: Vec<String>,
}

/// Checks the mutations of these names, or all.
pub(crate) fn run(names: &[&str]) -> Done {
    let mutations = mutations(names)?;
    let copy = Copy::new()?;
    println!("the sources as they are, in {}", copy.sources.display());
    if let Some(found) = copy.first_failure("0..200")? {
        return Err(format!("the seeds fail without any mutation: {found}"));
    }
    let mut missed = Vec::new();
    for mutation in &mutations {
        let began = Instant::now();
        match copy.check(mutation) {
            Ok(found) => {
                println!("{:<28} {found} ({:.0} s)", mutation.name, began.elapsed().as_secs_f64());
            }
            Err(why) => {
                println!("{:<28} MISSED: {why}", mutation.name);
                missed.push(mutation.name.as_str());
            }
        }
    }
    println!("{} of {} mutations found", mutations.len() - missed.len(), mutations.len());
    if missed.is_empty() { Ok(()) } else { Err(format!("not found: {}", missed.join(", "))) }
}

fn mutations(names: &[&str]) -> Result<Vec<Mutation>, String> {
    let directory = root().join("simulate/mutations");
    let files = fs::read_dir(&directory).map_err(|error| at(&directory, &error))?;
    let mut patches: Vec<PathBuf> = files.filter_map(|file| Some(file.ok()?.path())).collect();
    patches.retain(|path| path.extension().is_some_and(|extension| extension == "patch"));
    patches.sort();
    let all: Vec<_> = patches.into_iter().map(Mutation::read).collect::<Result<_, _>>()?;
    match names.iter().find(|name| all.iter().all(|mutation| mutation.name != **name)) {
        Some(unknown) => Err(format!("there is no mutation called {unknown}")),
        None => {
            Ok(all.into_iter().filter(|one| names.is_empty() || names.contains(&one.name.as_str())).collect())
        }
    }
}

impl Mutation {
    fn read(patch: PathBuf) -> Result<Self, String> {
        let text = read(&patch)?;
        let line = |word: &str| {
            let found = text.lines().find_map(|line| line.strip_prefix(word));
            found.map(|rest| rest.trim().to_owned()).ok_or_else(|| at(&patch, &format!("no line {word}")))
        };
        let found_by = line("Found by:")?.split(',').map(|label| label.trim().to_owned()).collect();
        let without = line("Without:")?;
        let name = patch.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { name, patch, without, found_by })
    }
}

/// A copy of the sources with builds of its own.
struct Copy {
    sources: PathBuf,
    target: PathBuf,
}

impl Copy {
    fn new() -> Result<Self, String> {
        let place = root().join("target/prove");
        let copy = Self { sources: place.join("sources"), target: place.join("target") };
        copy.refresh()?;
        Ok(copy)
    }

    /// Makes the copy what the sources are; files that are the same keep their times, and what was built of them.
    fn refresh(&self) -> Done {
        let listed = output(&["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"])?;
        let listed: BTreeSet<&str> = listed.split('\0').filter(|path| !path.is_empty()).collect();
        for path in listed.into_iter().filter(|path| root().join(path).is_file()) {
            copy_if_different(&root().join(path), &self.sources.join(path))?;
        }
        Ok(())
    }

    /// What finds the mutation, in words; an error says why nothing does.
    fn check(&self, mutation: &Mutation) -> Result<String, String> {
        let applied = self.apply(&mutation.patch).and_then(|()| self.first_failure(SEEDS));
        self.refresh()?;
        let found =
            applied?.ok_or_else(|| format!("no seed of {SEEDS} fails without {}", mutation.without))?;
        let expected = mutation.found_by.iter().any(|label| found.contains(&format!(": {label}: ")));
        if expected { Ok(found) } else { Err(format!("found, but by something else: {found}")) }
    }

    /// Applied here, the repository around it does not matter to git.
    fn apply(&self, patch: &Path) -> Done {
        let applied = Command::new("git")
            .args(["apply", "--whitespace=nowarn"])
            .arg(patch)
            .current_dir(&self.sources)
            .env("GIT_CEILING_DIRECTORIES", self.sources.parent().unwrap_or(&self.sources))
            .output()
            .map_err(|error| format!("`git` cannot be run: {error}"))?;
        match applied.status.success() {
            true => Ok(()),
            false => {
                Err(format!("the patch no longer applies: {}", String::from_utf8_lossy(&applied.stderr)))
            }
        }
    }

    /// Builds the copy and runs the seeds; the line of the first that fails.
    fn first_failure(&self, seeds: &str) -> Result<Option<String>, String> {
        let package = ["--package", "apim-dr-simulate", "--bin", "simulate"];
        let built = Command::new("cargo")
            .args(["build", "--quiet", "--locked", "--profile", "simulate"])
            .args(package)
            .current_dir(&self.sources)
            .env("CARGO_TARGET_DIR", &self.target)
            .stderr(Stdio::piped())
            .output()
            .map_err(|error| format!("`cargo` cannot be run: {error}"))?;
        if !built.status.success() {
            return Err(format!("it does not build: {}", String::from_utf8_lossy(&built.stderr)));
        }
        let program = self.target.join("simulate").join(executable("simulate"));
        let (name, value) = WITHOUT_BACKTRACES;
        let ran = Command::new(&program)
            .args(["--seeds", seeds, "--as-they-are"])
            .env(name, value)
            .output()
            .map_err(|error| at(&program, &error))?;
        let told = String::from_utf8_lossy(&ran.stdout);
        Ok(told.lines().find(|line| line.starts_with("seed ")).map(str::to_owned))
    }
}

fn copy_if_different(from: &Path, to: &Path) -> Done {
    let bytes = fs::read(from).map_err(|error| at(from, &error))?;
    if fs::read(to).is_ok_and(|copied| copied == bytes) {
        return Ok(());
    }
    if let Some(directory) = to.parent() {
        fs::create_dir_all(directory).map_err(|error| at(directory, &error))?;
    }
    fs::write(to, bytes).map_err(|error| at(to, &error))
}
