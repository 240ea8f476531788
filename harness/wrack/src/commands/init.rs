//! `wrack init`: a project that tests a design of one's own, and that builds and runs at once.

use std::path::{Path, PathBuf};

use crate::cli::{CiSystem, Init};
use crate::exit::{Exit, Failure};
use crate::output::{print, write_file};

/// Where a file goes, and what is in it, for the package `my-check`.
type File = (&'static str, &'static str);

const FILES: &[File] = &[
    ("Cargo.toml", include_str!("init/Cargo.toml.in")),
    ("README.md", include_str!("init/README.md.in")),
    (".gitignore", include_str!("init/gitignore.in")),
    ("src/lib.rs", include_str!("init/lib.rs.in")),
    ("src/main.rs", include_str!("init/main.rs.in")),
    ("tests/holds.rs", include_str!("init/holds.rs.in")),
    ("scenarios/store-crashes.toml", include_str!("init/store-crashes.toml.in")),
];
const GITHUB: File = (".github/workflows/wrack.yml", include_str!("init/github.yml.in"));
const GITLAB: File = (".gitlab-ci.yml", include_str!("init/gitlab.yml.in"));

/// The crate that this binary was built from.
const CHECKOUT: &str = env!("CARGO_MANIFEST_DIR");

/// Writes the project.
///
/// Errors: the folder has something in it already, its name is none of a package, or there is no Wrack
/// where it was said to be.
pub fn init(options: &Init) -> Result<Exit, Failure> {
    let package = package(&options.dir)?;
    let wrack = match &options.wrack {
        Some(text) => Wrack::read(text)?,
        None => Wrack::checkout()?,
    };
    refuse_what_is_there(&options.dir)?;
    let ci = match options.ci {
        Some(CiSystem::Github) => Some(GITHUB),
        Some(CiSystem::Gitlab) => Some(GITLAB),
        None => None,
    };
    for (path, text) in FILES.iter().copied().chain(ci) {
        let text = text.replace("my-check", &package);
        let text = text.replace("my_check", &package.replace('-', "_"));
        let text = text.replace("wrack = WRACK", &format!("wrack = {}", wrack.dependency()));
        write(&options.dir.join(path), text.as_bytes())?;
    }
    if let Some(lock) = wrack.lock() {
        write(&options.dir.join("Cargo.lock"), &lock)?;
    }
    let dir = options.dir.display();
    print(format!(
        "wrote {dir}: a design with a planted bug, a scenario and a test\n\
         try it: cd {dir} && cargo test\n"
    ))?;
    Ok(Exit::AsExpected)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    write_file(path, |to| to.write_all(bytes))
}

/// The name of the package: that of the folder.
fn package(dir: &Path) -> Result<String, Failure> {
    let name = dir.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let letters =
        name.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter));
    let taken = ["wrack", "test", "core", "std"].contains(&name);
    if letters && name.starts_with(|first: char| first.is_ascii_alphabetic()) && !taken {
        return Ok(name.into());
    }
    let message = "the folder gives the package its name: write letters, digits and hyphens, such as my-check";
    Err(Failure::usage(format!("\"{name}\" cannot be a package: {message}")))
}

fn refuse_what_is_there(dir: &Path) -> Result<(), Failure> {
    let Ok(mut entries) = std::fs::read_dir(dir) else {
        return match dir.exists() {
            true => Err(Failure::file(dir.display(), "there is a file of this name")),
            false => Ok(()),
        };
    };
    match entries.next() {
        Some(_) => Err(Failure::file(dir.display(), "the folder is not empty: name another one")),
        None => Ok(()),
    }
}

/// Where the project's Wrack comes from.
#[derive(Debug, PartialEq, Eq)]
enum Wrack {
    /// The folder of the crate.
    Path(PathBuf),
    Git(String),
    Version(String),
}

impl Wrack {
    /// The checkout that this binary was built from.
    fn checkout() -> Result<Self, Failure> {
        Self::at(Path::new(CHECKOUT)).ok_or_else(|| {
            Failure::usage(format!(
                "{CHECKOUT}, which this binary was built from, is not there any more: say where Wrack is \
                 with --wrack PATH, GIT or VERSION"
            ))
        })
    }

    /// As it is named on the command line: a folder, the address of a repository, or a version.
    fn read(text: &str) -> Result<Self, Failure> {
        let is_version = text.split('.').all(|part| part.parse::<u64>().is_ok());
        if is_version {
            return Ok(Self::Version(text.into()));
        }
        if text.contains("://") || text.starts_with("git@") {
            return Ok(Self::Git(text.into()));
        }
        Self::at(Path::new(text)).ok_or_else(|| {
            let wanted =
                "name its checkout, the address of a repository (https://…), or a version (0.1)";
            Failure::usage(format!("--wrack {text}: there is no Wrack: {wanted}"))
        })
    }

    /// The crate in this folder, or in the checkout that this is.
    fn at(folder: &Path) -> Option<Self> {
        let places = [folder.join("harness/wrack"), folder.to_owned()];
        let manifest = |place: &PathBuf| std::fs::read_to_string(place.join("Cargo.toml"));
        let is_wrack = |place: &&PathBuf| {
            manifest(place).is_ok_and(|text| text.lines().any(|line| line == "name = \"wrack\""))
        };
        let found = places.iter().find(is_wrack)?;
        found.canonicalize().ok().map(Self::Path)
    }

    /// As Cargo.toml says it.
    fn dependency(&self) -> String {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        match self {
            Self::Path(path) => format!("{{ path = {} }}", quoted(&path.display().to_string())),
            Self::Git(address) => format!("{{ git = {} }}", quoted(address)),
            Self::Version(version) => quoted(version),
        }
    }

    /// The versions that a checkout is tested with: those of the project, until it updates them.
    fn lock(&self) -> Option<Vec<u8>> {
        let Self::Path(path) = self else { return None };
        std::fs::read(path.join("../../Cargo.lock")).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{CHECKOUT, Wrack, package};

    #[test]
    fn wrack_is_a_folder_an_address_or_a_version() {
        let dependency = |text: &str| Wrack::read(text).unwrap().dependency();
        assert_eq!(dependency("0.1"), "\"0.1\"");
        assert_eq!(
            dependency("https://example.org/w.git"),
            "{ git = \"https://example.org/w.git\" }"
        );
        let root = Path::new(CHECKOUT).join("../..");
        let of_root = Wrack::read(root.to_str().unwrap()).unwrap();
        assert_eq!(of_root, Wrack::read(CHECKOUT).unwrap());
        assert!(of_root.lock().is_some());
        let refused = Wrack::read("no-such-folder").unwrap_err();
        assert!(refused.message.contains("there is no Wrack"), "{}", refused.message);
    }

    #[test]
    fn the_folder_names_the_package() {
        assert_eq!(package(Path::new("work/my-check")).unwrap(), "my-check");
        for bad in ["1st", "a b", "wrack", "..", "/"] {
            assert!(package(Path::new(bad)).is_err(), "{bad}");
        }
    }
}
