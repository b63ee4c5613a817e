//! Expressions: moved over, with every subquery in them read.

use super::{Reader, Unreadable};
use crate::sql::keyword::Keyword;
use crate::sql::lexer::Kind;
use crate::sql::tree::Query;

impl Reader<'_> {
    /// Moves to the first token outside brackets for which `stops` holds, or to the end of the group,
    /// and reads the subqueries on the way. A word behind a dot or a label behind AS never stops.
    pub(super) fn expressions(
        &mut self,
        stops: impl Fn(&Self, usize) -> bool,
        subqueries: &mut Vec<Query>,
    ) -> Result<(), Unreadable> {
        while !self.at_end() && self.kind() != Some(Kind::Semicolon) {
            match self.kind() {
                Some(Kind::Open | Kind::OpenBracket) => self.group(subqueries)?,
                Some(Kind::CloseBracket) => return self.fail("a bracket that nothing opened"),
                _ if self.is(Keyword::As) && !self.is_label(self.at) && self.is_word(self.at + 1) => self.at += 2,
                _ if !self.is_label(self.at) && stops(self, self.at) => return Ok(()),
                _ => self.at += 1,
            }
        }
        Ok(())
    }

    /// One bracketed group of an expression, standing at its opening bracket: a subquery, or anything else with
    /// subqueries in it. Leaves the reader behind the closing bracket.
    pub(super) fn group(&mut self, subqueries: &mut Vec<Query>) -> Result<(), Unreadable> {
        let open = self.at;
        let close = self.partner(open);
        let end = std::mem::replace(&mut self.end, close);
        self.at = open + 1;
        let result = self.nested(|reader| {
            if reader.tokens[open].kind == Kind::Open && reader.starts_query(reader.at) {
                let query = reader.query()?;
                subqueries.push(query);
            }
            reader.group_rest(subqueries)
        });
        self.end = end;
        result?;
        self.at = close + 1;
        Ok(())
    }

    /// What follows in a group: expressions, and the further operands of set operations whose first operand
    /// was itself in parentheses.
    fn group_rest(&mut self, subqueries: &mut Vec<Query>) -> Result<(), Unreadable> {
        while self.at < self.end {
            match self.kind() {
                Some(Kind::Open | Kind::OpenBracket) => self.group(subqueries)?,
                _ if self.is_set_operator(self.at) && !self.is_label(self.at) => {
                    self.at += 1;
                    let _ = self.eat(Keyword::All) || self.eat(Keyword::Distinct);
                    if self.starts_query(self.at) {
                        let query = self.query()?;
                        subqueries.push(query);
                    }
                }
                _ => self.at += 1,
            }
        }
        Ok(())
    }

    pub(super) fn is_set_operator(&self, index: usize) -> bool {
        matches!(self.keyword_at(index), Some(Keyword::Union | Keyword::Intersect | Keyword::Except))
    }

    /// True where FROM at `index` belongs to IS [NOT] DISTINCT FROM.
    pub(super) fn is_distinct_from(&self, index: usize) -> bool {
        index >= 2
            && self.keyword_at(index - 1) == Some(Keyword::Distinct)
            && matches!(self.keyword_at(index - 2), Some(Keyword::Is | Keyword::Not))
            && !self.names_is(index - 2)
    }

    /// True where the word at `index` is a column's name or a type's: DISTINCT behind it is a label.
    fn names_is(&self, index: usize) -> bool {
        index > 0 && matches!(self.tokens[index - 1].kind, Kind::Dot | Kind::Typecast)
    }
}
