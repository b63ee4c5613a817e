//! Where PostgreSQL is missing: the command that installs it with the system's package manager, run if the operator agrees.

use std::fmt;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::cli::report::Failure;

/// A package manager: its program, whether it needs root, the arguments that refresh its lists, and those that install.
struct Manager {
    program: &'static str,
    needs_root: bool,
    refresh: &'static [&'static str],
    install: &'static [&'static str],
}

/// In the order they are tried: a system has one of its own, and Homebrew only where it has none.
const MANAGERS: [Manager; 7] = [
    Manager {
        program: "apt-get",
        needs_root: true,
        refresh: &["update"],
        install: &["install", "--yes", "--no-install-recommends", "postgresql"],
    },
    Manager { program: "dnf", needs_root: true, refresh: &[], install: &["install", "-y", "postgresql-server"] },
    Manager { program: "yum", needs_root: true, refresh: &[], install: &["install", "-y", "postgresql-server"] },
    Manager {
        program: "zypper",
        needs_root: true,
        refresh: &[],
        install: &["--non-interactive", "install", "postgresql-server"],
    },
    Manager { program: "apk", needs_root: true, refresh: &[], install: &["add", "--no-cache", "postgresql"] },
    Manager {
        program: "pacman",
        needs_root: true,
        refresh: &[],
        install: &["-Sy", "--noconfirm", "--needed", "postgresql"],
    },
    Manager { program: "brew", needs_root: false, refresh: &[], install: &["install", "postgresql@17"] },
];

/// The commands that install PostgreSQL here.
#[derive(Debug, PartialEq, Eq)]
struct Recipe {
    commands: Vec<Vec<String>>,
}

impl Recipe {
    /// For the first package manager that `exists`. `is_root` tells whether `sudo` or `doas` must stand in front.
    fn choose(exists: impl Fn(&str) -> bool, is_root: bool) -> Option<Self> {
        let manager = MANAGERS.iter().find(|manager| exists(manager.program))?;
        let mut front: Vec<&str> = Vec::new();
        if manager.needs_root && !is_root {
            front.push(["sudo", "doas"].into_iter().find(|program| exists(program))?);
        }
        if manager.program == "apt-get" {
            // Set by `env`, because sudo does not hand variables on. No question may wait for an answer.
            front.extend(["env", "DEBIAN_FRONTEND=noninteractive"]);
        }
        let commands = [manager.refresh, manager.install].into_iter().filter(|arguments| !arguments.is_empty());
        let words = |arguments: &[&str]| {
            let command = front.iter().chain([&manager.program]).chain(arguments);
            command.map(|word| (*word).to_owned()).collect()
        };
        Some(Self { commands: commands.map(words).collect() })
    }
}

impl fmt::Display for Recipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.commands.iter().map(|words| words.join(" ")).collect();
        f.write_str(&lines.join(" && "))
    }
}

/// Installs PostgreSQL; asks first unless `yes`.
///
/// # Errors
/// No known package manager, nobody there to ask, a "no", or the package manager's own failure.
pub(super) fn install(yes: bool) -> Result<(), Failure> {
    let missing = || Failure::new("the demo needs PostgreSQL's server programs (initdb, postgres)");
    let Some(recipe) = Recipe::choose(|program| in_path(program).is_some(), is_root()) else {
        return Err(missing().mend("install PostgreSQL, or put the directory of its programs on PATH"));
    };
    if !yes {
        if !io::stdin().is_terminal() {
            return Err(missing().mend(format!("run `{recipe}`, or add --yes to let the demo run it")));
        }
        if !confirmed(&recipe) {
            return Err(missing().mend(format!("run `{recipe}`")));
        }
    }
    for words in &recipe.commands {
        run(words)?;
    }
    Ok(())
}

fn confirmed(recipe: &Recipe) -> bool {
    let mut out = io::stderr();
    let _ = write!(out, "PostgreSQL is not installed. This would install it:\n\n    {recipe}\n\nRun it? [y/N] ");
    let _ = out.flush();
    let mut line = String::new();
    let _ = io::stdin().lock().read_line(&mut line);
    matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

fn run(words: &[String]) -> Result<(), Failure> {
    let shown = words.join(" ");
    let _ = writeln!(io::stderr(), "+ {shown}");
    let Some((program, arguments)) = words.split_first() else { return Ok(()) };
    // What it prints is progress, and stdout is for the tour.
    let status = Command::new(program).args(arguments).stdout(Stdio::from(io::stderr())).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::new(format!("`{shown}` failed: {status}"))
            .mend("install PostgreSQL by hand and run the demo again")),
        Err(error) => Err(Failure::new(format!("`{shown}` cannot be run: {error}"))),
    }
}

fn in_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|directory| directory.join(program)).find(|file| file.is_file())
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").stdin(Stdio::null()).output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe(programs: &[&str], is_root: bool) -> Option<String> {
        Recipe::choose(|program| programs.contains(&program), is_root).map(|recipe| recipe.to_string())
    }

    #[test]
    fn debian_refreshes_its_lists_first_and_asks_nothing() {
        assert_eq!(
            recipe(&["apt-get", "sudo"], false).as_deref(),
            Some(
                "sudo env DEBIAN_FRONTEND=noninteractive apt-get update && sudo env DEBIAN_FRONTEND=noninteractive \
                 apt-get install --yes --no-install-recommends postgresql"
            )
        );
    }

    #[test]
    fn root_needs_no_sudo_and_homebrew_never_does() {
        assert_eq!(recipe(&["dnf", "sudo"], true).as_deref(), Some("dnf install -y postgresql-server"));
        assert_eq!(recipe(&["brew", "sudo"], false).as_deref(), Some("brew install postgresql@17"));
    }

    #[test]
    fn without_a_way_to_become_root_there_is_no_recipe() {
        assert_eq!(recipe(&["apk"], false), None);
        assert_eq!(recipe(&[], true), None);
    }
}
