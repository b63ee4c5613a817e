//! Case files: SQL a newcomer can read, with what is expected of it in comments. `tests/README.md` explains them.

use std::fs;
use std::path::{Path, PathBuf};

/// What becomes of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    /// Not written down yet.
    Open,
    /// Reaches the server byte for byte.
    Unchanged,
    /// Reaches the server like this.
    Rewritten(String),
    /// Does not reach the server: the reason's name and the SQLSTATE.
    Refused(String, String),
}

/// One case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// What it shows; unique among all cases.
    pub title: String,
    /// `-- database:`, `-- scope:`, `-- role:`, `-- path:`, `-- since:`, `-- not twin:` by name, in file order.
    pub options: Vec<(String, String)>,
    /// The statement, or several.
    pub sql: String,
    /// What becomes of the text.
    pub text: Text,
    /// The rows that come back, values joined by ` | `.
    pub rows: Option<Vec<String>>,
    /// The command tags, joined by `, `.
    pub tag: Option<String>,
    /// The SQLSTATE of an error from the server.
    pub error: Option<String>,
}

impl Case {
    /// The value of an option.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// True where real deletes must give the same answer.
    pub fn has_twin(&self) -> bool {
        !matches!(self.text, Text::Refused(..)) && self.option("scope").is_none() && self.option("not twin").is_none()
    }

    /// True where a server of that major version knows the statement.
    pub fn is_known_to(&self, version: u32) -> bool {
        self.option("since").is_none_or(|since| since.parse::<u32>().expect("a major version") <= version)
    }

    /// True where the order of the rows is part of the answer.
    pub fn is_ordered(&self) -> bool {
        self.sql.to_lowercase().contains("order by")
    }
}

/// A file of cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseFile {
    /// Where it was read.
    pub path: PathBuf,
    /// What stands before the first case.
    pub prelude: String,
    /// The cases in file order.
    pub cases: Vec<Case>,
}

/// The options a case may have, in the order they are written.
const OPTIONS: [&str; 6] = ["database", "scope", "role", "path", "since", "not twin"];

/// What the lines being read belong to.
enum Part {
    Sql,
    Rewritten,
    Rows,
}

impl CaseFile {
    /// Every `*.sql` file one level below `root`, sorted by path.
    pub fn all(root: &Path) -> Vec<Self> {
        let entries = |directory: &Path| {
            let mut paths: Vec<PathBuf> =
                fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path()).collect();
            paths.sort();
            paths
        };
        let topics = entries(root).into_iter().filter(|path| path.is_dir());
        let files = topics.flat_map(|topic| entries(&topic)).filter(|path| path.extension() == Some("sql".as_ref()));
        files.map(|path| Self::parse(&path, &fs::read_to_string(&path).expect("a case file"))).collect()
    }

    /// Reads the text of a file.
    pub fn parse(path: &Path, text: &str) -> Self {
        let mut file = Self { path: path.to_owned(), prelude: String::new(), cases: Vec::new() };
        let mut part = Part::Sql;
        for line in text.lines() {
            if let Some(title) = line.strip_prefix("-- title: ") {
                part = Part::Sql;
                file.cases.push(Case {
                    title: title.to_owned(),
                    options: Vec::new(),
                    sql: String::new(),
                    text: Text::Open,
                    rows: None,
                    tag: None,
                    error: None,
                });
                continue;
            }
            match file.cases.last_mut() {
                None => push_line(&mut file.prelude, line),
                Some(case) => case.read(line, &mut part),
            }
        }
        for case in &mut file.cases {
            case.sql = case.sql.trim().to_owned();
            if let Text::Rewritten(text) = &mut case.text {
                *text = text.trim().to_owned();
            }
        }
        file
    }

    /// The file as text, in the one form the bless mode writes.
    pub fn text(&self) -> String {
        let mut out = String::new();
        if !self.prelude.trim().is_empty() {
            out.push_str(self.prelude.trim_end());
            out.push_str("\n\n");
        }
        let cases: Vec<String> = self.cases.iter().map(Case::written).collect();
        out.push_str(&cases.join("\n"));
        out
    }
}

impl Case {
    fn read(&mut self, line: &str, part: &mut Part) {
        let Some(comment) = line.strip_prefix("-- ") else {
            match (part, &mut self.text) {
                (Part::Sql, _) => push_line(&mut self.sql, line),
                (Part::Rewritten, Text::Rewritten(text)) => push_line(text, line),
                _ => assert!(line.trim().is_empty(), "{}: does not belong to the rows: {line}", self.title),
            }
            return;
        };
        let (name, value) = comment.split_once(':').unwrap_or((comment, ""));
        let value = value.trim();
        match name {
            _ if OPTIONS.contains(&name) && self.sql.trim().is_empty() => {
                self.options.push((name.to_owned(), value.to_owned()));
            }
            "unchanged" => self.text = Text::Unchanged,
            "rewritten" => {
                self.text = Text::Rewritten(String::new());
                *part = Part::Rewritten;
            }
            "refused" => {
                let (reason, sqlstate) = value.split_once(' ').unwrap_or((value, "0A000"));
                self.text = Text::Refused(reason.to_owned(), sqlstate.to_owned());
            }
            "tag" => self.tag = Some(value.to_owned()),
            "error" => self.error = Some(value.to_owned()),
            "rows" => {
                self.rows = Some(Vec::new());
                *part = Part::Rows;
            }
            _ => match (part, &mut self.rows, &mut self.text) {
                (Part::Rows, Some(rows), _) => rows.push(comment.to_owned()),
                (Part::Rewritten, _, Text::Rewritten(text)) => push_line(text, line),
                _ => push_line(&mut self.sql, line),
            },
        }
    }

    fn written(&self) -> String {
        let mut out = format!("-- title: {}\n", self.title);
        for (name, value) in &self.options {
            out.push_str(&format!("-- {name}: {value}\n"));
        }
        push_line(&mut out, &self.sql);
        match &self.text {
            Text::Open => {}
            Text::Unchanged => out.push_str("-- unchanged\n"),
            Text::Rewritten(text) => out.push_str(&format!("-- rewritten:\n{text}\n")),
            Text::Refused(reason, sqlstate) => out.push_str(&format!("-- refused: {reason} {sqlstate}\n")),
        }
        if let Some(tag) = &self.tag {
            out.push_str(&format!("-- tag: {tag}\n"));
        }
        if let Some(error) = &self.error {
            out.push_str(&format!("-- error: {error}\n"));
        }
        if let Some(rows) = &self.rows {
            out.push_str("-- rows:\n");
            for row in rows {
                out.push_str(&format!("-- {row}\n"));
            }
        }
        out
    }
}

fn push_line(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

#[test]
fn a_case_file_is_written_as_it_was_read() {
    let text = "-- two cases\n\n-- title: one\n-- scope: all\nSELECT 1;\n-- a remark\nSELECT 2;\n-- unchanged\n-- rows:\n\
                -- 1 | a\n\n-- title: two\nDELETE FROM users;\n-- rewritten:\nUPDATE users;\n-- tag: DELETE 2\n";
    assert_eq!(CaseFile::parse(Path::new("x.sql"), text).text(), text);
}
