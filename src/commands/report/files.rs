//! What is given with a program: trace, record, budget, baseline, history.

use super::many::Program;
use super::{Format, ReportArgs};
use crate::cli::Global;
use crate::commands::events::Scale;
use crate::failure::Failure;
use crate::input::{self, Input as Bytes};
use crate::text::escape;
use clap::ValueEnum;
use et_inspector::budget::Budget;
use et_reports::report::{Baseline, BaselineError, History, Input, Made};
use et_schema::etrecord;
use et_schema::layout::Abi;
use et_schema::pte::File;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A program, and the files that go with it.
#[derive(Debug, Default)]
pub struct Beside {
    pub program: PathBuf,
    pub trace: Option<PathBuf>,
    pub etrecord: Option<PathBuf>,
    pub baseline: Option<PathBuf>,
    pub save_baseline: Option<PathBuf>,
}

impl Beside {
    /// What is given with the only program.
    pub fn of_one(args: &ReportArgs, program: &Path) -> Self {
        Beside {
            program: program.to_owned(),
            trace: args.trace.clone(),
            etrecord: args.etrecord.clone(),
            baseline: args.baseline.clone(),
            save_baseline: args.save_baseline.clone(),
        }
    }

    /// What is given with each of several programs: the files of the same name in the
    /// folders that the options name.
    ///
    /// # Errors
    /// An option names no folder, or a folder that has a file for none of the programs.
    pub fn of_all(
        args: &ReportArgs,
        global: &Global,
        programs: &[Program],
    ) -> Result<Vec<Self>, Failure> {
        let program =
            |program: &Program| Beside { program: program.path.clone(), ..Beside::default() };
        let mut all: Vec<Beside> = programs.iter().map(program).collect();
        type Field = fn(&mut Beside) -> &mut Option<PathBuf>;
        let options: [(&str, &Option<PathBuf>, &[&str], Field); 3] = [
            ("--trace", &args.trace, &["etdp", "etdump"], |beside| &mut beside.trace),
            ("--etrecord", &args.etrecord, &["etrecord", "bin"], |beside| &mut beside.etrecord),
            ("--baseline", &args.baseline, &["json"], |beside| &mut beside.baseline),
        ];
        for (option, folder, extensions, field) in options {
            let Some(folder) = folder else { continue };
            let found = find(option, folder, extensions, programs)?;
            let without = found.iter().filter(|path| path.is_none()).count();
            if without > 0 {
                let count = programs.len();
                global.warn(&format!("{option}: nothing of {without} of {count} programs"));
            }
            all.iter_mut().zip(found).for_each(|(beside, path)| *field(beside) = path);
        }
        if let Some(folder) = &args.save_baseline {
            for (beside, program) in all.iter_mut().zip(programs) {
                beside.save_baseline = Some(folder.join(&program.name).with_extension("json"));
            }
        }
        Ok(all)
    }
}

/// The files in `folder` with the names of `programs`, and one of `extensions`.
fn find(
    option: &str,
    folder: &Path,
    extensions: &[&str],
    programs: &[Program],
) -> Result<Vec<Option<PathBuf>>, Failure> {
    let first = programs.first().map(|program| program.name.clone()).unwrap_or_default();
    let goes_with = first.with_extension(extensions[0]);
    let [first, goes_with] = [&first, &goes_with].map(|name| escape(&name.to_string_lossy()));
    if !folder.is_dir() {
        let message = format!(
            "of several programs, {option} names a folder: {first} goes with FOLDER/{goes_with}"
        );
        return Err(Failure::Usage(message));
    }
    let of = |program: &Program| {
        let file = folder.join(&program.name);
        extensions
            .iter()
            .map(|extension| file.with_extension(extension))
            .find(|file| file.is_file())
    };
    let found: Vec<Option<PathBuf>> = programs.iter().map(of).collect();
    if found.iter().all(Option::is_none) {
        let message =
            format!("expected files with the names of the programs, as {goes_with}; found none");
        return Err(Failure::input(folder, message));
    }
    Ok(found)
}

/// The files that were given, open.
pub struct Files<'a> {
    beside: &'a Beside,
    pub model: Bytes,
    pub trace: Option<Bytes>,
    record: Option<Bytes>,
    budget: Option<Bytes>,
    baseline: Option<Bytes>,
}

impl<'a> Files<'a> {
    pub fn open(args: &ReportArgs, beside: &'a Beside) -> Result<Self, Failure> {
        let open = |path: &Option<PathBuf>| path.as_deref().map(input::open).transpose();
        Ok(Files {
            beside,
            model: input::open(&beside.program)?,
            trace: open(&beside.trace)?,
            record: open(&beside.etrecord)?,
            budget: open(&args.budget)?,
            baseline: open(&beside.baseline)?,
        })
    }

    pub fn made(&self, args: &ReportArgs) -> Made {
        let given = [
            ("trace", &self.beside.trace, &self.trace),
            ("etrecord", &self.beside.etrecord, &self.record),
            ("budget", &args.budget, &self.budget),
            ("baseline", &self.beside.baseline, &self.baseline),
        ];
        let input = |role, path: &Path, bytes: &[u8]| {
            Input::new(role, path.to_string_lossy().into_owned(), bytes)
        };
        let mut inputs = vec![input("model", &self.beside.program, &self.model)];
        inputs.extend(given.into_iter().filter_map(|(role, path, bytes)| {
            path.as_ref().zip(bytes.as_ref()).map(|(path, bytes)| input(role, path, bytes))
        }));
        let abi = args.abi.map(|abi| Abi::from(abi).name().to_owned());
        let scale = self.trace.is_some().then(|| {
            et_inspector::events::TimeScale::from(args.source_time_scale).name().to_owned()
        });
        let options = [
            ("--target", args.target.clone()),
            ("--abi", abi),
            ("--method", args.method.clone()),
            ("--source-time-scale", scale),
        ];
        let options = options.into_iter().filter_map(|(name, value)| Some((name, value?)));
        Made {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            inputs,
            options: options.map(|(name, value)| format!("{name} {value}")).collect(),
            command: self.command(args),
        }
    }

    /// The command line that makes this report of this program, wherever it is written to.
    fn command(&self, args: &ReportArgs) -> String {
        let path = |path: &Option<PathBuf>| path.as_ref().map(|p| p.to_string_lossy().into_owned());
        let scale = Some(args.source_time_scale).filter(|scale| !matches!(scale, Scale::Ns));
        let format = Some(args.format).filter(|format| *format != Format::Html);
        let options = [
            ("--method", args.method.clone()),
            ("--trace", path(&self.beside.trace)),
            ("--etrecord", path(&self.beside.etrecord)),
            ("--source-time-scale", scale.and_then(name)),
            ("--target", args.target.clone()),
            ("--abi", args.abi.and_then(name)),
            ("--budget", path(&args.budget)),
            ("--baseline", path(&self.beside.baseline)),
            ("--history", path(&args.history)),
            ("--format", format.and_then(name)),
        ];
        let program = quoted(&self.beside.program.to_string_lossy());
        let mut command = format!("etinspect report {program}");
        for (option, value) in options.into_iter().filter_map(|(o, value)| Some((o, value?))) {
            command += &format!(" {option} {}", quoted(&value));
        }
        command
    }

    pub fn budget(&self, args: &ReportArgs, file: &File<'_>) -> Result<Option<Budget>, Failure> {
        let (Some(path), Some(bytes)) = (&args.budget, &self.budget) else { return Ok(None) };
        let fail = |message: String| Failure::input(path, message);
        let text = std::str::from_utf8(bytes).map_err(|e| fail(format!("is no text: {e}")))?;
        let budget = Budget::parse(text).map_err(|e| fail(escape(&e.to_string())))?;
        if let Some(name) = budget.methods.keys().find(|name| file.method(name).is_none()) {
            let names: Vec<String> = file.methods().map(|m| format!("{:?}", m.name())).collect();
            let names = names.join(", ");
            return Err(fail(format!("methods: expected one of {names}, found {name:?}")));
        }
        Ok(Some(budget))
    }

    pub fn baseline(&self) -> Result<Option<Baseline>, Failure> {
        let given = self.beside.baseline.as_ref().zip(self.baseline.as_ref());
        let Some((path, bytes)) = given else { return Ok(None) };
        let fail = |e: BaselineError| Failure::input(path, escape(&e.to_string()));
        Baseline::parse(bytes).map(Some).map_err(fail)
    }

    pub fn record(&self) -> Result<Option<etrecord::File<'_>>, Failure> {
        let given = self.beside.etrecord.as_ref().zip(self.record.as_ref());
        let Some((path, bytes)) = given else { return Ok(None) };
        etrecord::File::parse(bytes).map(Some).map_err(|e| Failure::input(path, e))
    }
}

/// The name of a value of an option.
fn name<V: ValueEnum>(value: V) -> Option<String> {
    value.to_possible_value().map(|value| value.get_name().to_owned())
}

/// A word of a command line as a POSIX shell reads it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// The history so far; the first run begins one.
///
/// # Errors
/// It cannot be read, or is none.
pub fn open_history(path: Option<&Path>) -> Result<History, Failure> {
    let Some(path) = path else { return Ok(History::default()) };
    match fs::read_to_string(path) {
        Ok(text) => History::parse(&text).map_err(|e| Failure::input(path, escape(&e))),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(History::default()),
        Err(e) => Err(Failure::input(path, format!("cannot read: {e}"))),
    }
}

/// The history that is added to, if one is kept.
pub struct Appending<'a>(Option<(&'a Path, fs::File)>);

impl<'a> Appending<'a> {
    /// Opens it.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn open(path: Option<&'a Path>) -> Result<Self, Failure> {
        let Some(path) = path else { return Ok(Appending(None)) };
        let file = OpenOptions::new().append(true).create(true).open(path);
        let file = file.map_err(|e| Failure::output(Some(path), e))?;
        Ok(Appending(Some((path, file))))
    }

    /// Adds `lines`.
    ///
    /// # Errors
    /// What the system says.
    pub fn add(self, lines: &str) -> Result<(), Failure> {
        let Some((path, mut file)) = self.0 else { return Ok(()) };
        file.write_all(lines.as_bytes()).map_err(|e| Failure::output(Some(path), e))
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn words_of_a_command_line_are_quoted_where_they_must() {
        assert_eq!(quoted("models/a-1.pte"), "models/a-1.pte");
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's $(x)"), "'it'\\''s $(x)'");
        assert_eq!(quoted(""), "''");
    }
}
