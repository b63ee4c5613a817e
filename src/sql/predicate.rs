//! An expression over one table's columns, ready to be written behind any alias.

use crate::sql::ident::{identifier, quote};
use crate::sql::lexer::lex;
use crate::sql::second_parser::expression_columns;

/// A predicate or assignment expression whose columns are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Predicate {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// Text that stays.
    Text(String),
    /// A column as written; the qualifier goes in front.
    Column { source: String, name: String },
}

impl Predicate {
    /// Reads `text`, an SQL expression without subqueries or qualified columns.
    ///
    /// # Errors
    /// What is wrong, as a clause that starts with "it" or names what is missing.
    pub fn compile(text: &str) -> Result<Self, String> {
        let tokens = lex(text.as_bytes(), true).map_err(|fault| format!("it holds {fault}"))?;
        if tokens.is_empty() {
            return Err("it is empty".to_owned());
        }
        let mut pieces = Vec::new();
        let mut at = 0;
        for index in expression_columns(text, &tokens)? {
            let token = &tokens[index];
            let name = identifier(text.as_bytes(), token)
                .and_then(|name| String::from_utf8(name).ok())
                .ok_or_else(|| "it holds a name that cannot be read".to_owned())?;
            pieces.push(Piece::Text(text[at..token.start].to_owned()));
            pieces.push(Piece::Column { source: text[token.start..token.end].to_owned(), name });
            at = token.end;
        }
        let end = tokens[tokens.len() - 1].end;
        pieces.push(Piece::Text(text[at..end].to_owned()));
        Ok(Self { pieces })
    }

    /// An expression that is known to read no column, whatever else it holds.
    #[must_use]
    pub fn without_columns(text: &str) -> Self {
        Self { pieces: vec![Piece::Text(text.to_owned())] }
    }

    /// One column, by its name as stored.
    #[must_use]
    pub fn column(name: &str) -> Self {
        Self { pieces: vec![Piece::Column { source: quote(name), name: name.to_owned() }] }
    }

    /// The expression with `before` and `behind` around it, which read no column.
    #[must_use]
    pub fn within(&self, before: &str, behind: &str) -> Self {
        let text = |text: &str| Piece::Text(text.to_owned());
        let mut pieces = vec![text(before)];
        pieces.extend(self.pieces.iter().cloned());
        pieces.push(text(behind));
        Self { pieces }
    }

    /// The columns it reads, as stored.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Column { name, .. } => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// The expression with `qualifier` and a dot before each column.
    #[must_use]
    pub fn render(&self, qualifier: &str) -> String {
        let mut out = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Column { source, .. } => {
                    out.push_str(qualifier);
                    out.push('.');
                    out.push_str(source);
                }
            }
        }
        out
    }

    /// The expression as written.
    #[must_use]
    pub fn plain(&self) -> String {
        self.pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.as_str(),
                Piece::Column { source, .. } => source.as_str(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_qualified_wherever_they_stand() {
        let predicate =
            Predicate::compile("state <> 'state' AND upper(kind) = ANY (ARRAY[kind, 'x'::text])").expect("reads");
        assert_eq!(predicate.render("s"), "s.state <> 'state' AND upper(s.kind) = ANY (ARRAY[s.kind, 'x'::text])");
        assert_eq!(predicate.columns().collect::<Vec<_>>(), ["state", "kind", "kind"]);
    }

    #[test]
    fn faults_are_said() {
        for text in ["", "a = ", "t.a = 1", "a = (SELECT 1)", "a = 'x", "a = 1; DROP TABLE t"] {
            assert!(Predicate::compile(text).is_err(), "{text}");
        }
    }
}
