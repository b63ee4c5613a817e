//! Where PostgreSQL's server programs are on this machine.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// Directories whose entries may be installations: the parent, what an entry's name starts with, and the way down.
const PLACES: [(&str, &str, &str); 8] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/usr/lib", "postgresql", "bin"),
    ("/usr/libexec", "postgresql", ""),
    ("/opt/homebrew/opt", "postgresql", "bin"),
    ("/usr/local/opt", "postgresql", "bin"),
    ("/home/linuxbrew/.linuxbrew/opt", "postgresql", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
];

/// A directory that holds `initdb` and `postgres`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    directory: PathBuf,
}

impl Binaries {
    /// The first on `PATH`, else the newest of the places where packages put them.
    #[must_use]
    pub fn find() -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).find_map(Self::in_directory).or_else(|| {
            let mut found: Vec<PathBuf> = PLACES.iter().flat_map(|place| candidates(*place)).collect();
            found.sort_by_key(|directory| std::cmp::Reverse(version(directory)));
            found.into_iter().find_map(Self::in_directory)
        })
    }

    /// The installation in `directory`, if it is one. Links are followed: `/usr/bin/initdb` may point into one.
    fn in_directory(directory: PathBuf) -> Option<Self> {
        let real = fs::canonicalize(directory.join("initdb")).ok()?;
        let directory = real.parent()?.to_owned();
        directory.join("postgres").is_file().then_some(Self { directory })
    }

    /// The path of one of its programs, such as `psql`; whether it is there is for the caller to see.
    #[must_use]
    pub fn program(&self, name: impl AsRef<OsStr>) -> PathBuf {
        self.directory.join(name.as_ref())
    }
}

fn candidates((parent, prefix, below): (&str, &str, &str)) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    entries
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
        .map(|entry| entry.path().join(below))
        .collect()
}

/// The first number with at least two digits in a path: `/usr/lib/postgresql/17/bin` is 17. 0 without one.
fn version(directory: &Path) -> u32 {
    directory
        .to_string_lossy()
        .split(|character: char| !character.is_ascii_digit())
        .filter(|digits| digits.len() >= 2)
        .find_map(|digits| digits.parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_every_packagers_layout() {
        for (path, expected) in [
            ("/usr/lib/postgresql/15/bin", 15),
            ("/usr/pgsql-16/bin", 16),
            ("/opt/homebrew/opt/postgresql@17/bin", 17),
            ("/usr/libexec/postgresql18", 18),
            ("/Applications/Postgres.app/Contents/Versions/latest/bin", 0),
        ] {
            assert_eq!(version(Path::new(path)), expected, "{path}");
        }
    }
}
