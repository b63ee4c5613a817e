//! The clause structure of a query: blocks, table references and conditions, each by token index.
//!
//! Expressions have no shape here. Of them only the subqueries are kept: nothing else in an
//! expression can read a table. All indices count tokens of the statement's token list; ranges are inclusive.

/// `[WITH …] body [ORDER BY …] [LIMIT …]`: a SELECT of any form, or a data-modifying statement.
#[derive(Debug)]
pub struct Query {
    /// First token, of the WITH clause where there is one.
    pub first: usize,
    /// Last token.
    pub last: usize,
    /// The WITH clause.
    pub with: Option<With>,
    /// What it does.
    pub body: Body,
}

/// What a [`Query`] does.
#[derive(Debug)]
pub enum Body {
    /// SELECT, VALUES, TABLE and parenthesised queries, joined by set operations.
    Terms {
        /// The operands, in text order.
        terms: Vec<Term>,
        /// Subqueries in ORDER BY, LIMIT, OFFSET and FETCH.
        subqueries: Vec<Query>,
    },
    /// INSERT
    Insert(Box<Insert>),
    /// UPDATE
    Update(Box<Update>),
    /// DELETE
    Delete(Box<Delete>),
    /// MERGE
    Merge(Box<Merge>),
}

/// `WITH [RECURSIVE] cte, …`
#[derive(Debug)]
pub struct With {
    /// RECURSIVE is there: every name is visible to every member.
    pub recursive: bool,
    /// The members, in text order.
    pub members: Vec<Cte>,
}

/// `name [(columns)] AS [[NOT] MATERIALIZED] ( query )`
#[derive(Debug)]
pub struct Cte {
    /// The name's token.
    pub name: usize,
    /// The opening parenthesis around the query.
    pub open: usize,
    /// The closing one.
    pub close: usize,
    /// What is inside.
    pub query: Query,
}

/// One operand of a set operation, or the whole query where there is none.
#[derive(Debug)]
pub enum Term {
    /// SELECT
    Select(Box<Select>),
    /// VALUES, with its subqueries.
    Values(Vec<Query>),
    /// `TABLE name`
    Table {
        /// The TABLE keyword.
        keyword: usize,
        /// What it reads.
        table: TableRef,
    },
    /// `( query )`
    Nested(Box<Query>),
}

/// One SELECT block.
#[derive(Debug)]
pub struct Select {
    /// INTO a new table.
    pub into: Option<Into>,
    /// FROM
    pub from: Option<From>,
    /// WHERE
    pub filter: Option<Filter>,
    /// Subqueries in every other clause.
    pub subqueries: Vec<Query>,
}

/// `INTO [TEMPORARY] [TABLE] name`
#[derive(Debug)]
pub struct Into {
    /// TEMP or TEMPORARY is there.
    pub temporary: bool,
    /// The name.
    pub name: Name,
}

/// FROM or USING with its items.
#[derive(Debug)]
pub struct From {
    /// The keyword.
    pub keyword: usize,
    /// The items between the commas.
    pub items: Vec<Item>,
    /// Last token of the last item.
    pub last: usize,
}

/// WHERE
#[derive(Debug)]
pub enum Filter {
    /// `WHERE expression`
    Condition(Condition),
    /// `WHERE CURRENT OF cursor`
    CurrentOf {
        /// Last token.
        last: usize,
    },
}

/// An expression behind WHERE or ON.
#[derive(Debug)]
pub struct Condition {
    /// First token of the expression.
    pub first: usize,
    /// Last token.
    pub last: usize,
    /// The subqueries in it.
    pub subqueries: Vec<Query>,
}

/// A possibly qualified name: the tokens of its parts, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// Word tokens, without the dots; never empty.
    pub parts: Vec<usize>,
}

impl Name {
    /// The token of the relation's own name.
    #[must_use]
    pub fn relation(&self) -> usize {
        self.parts[self.parts.len() - 1]
    }

    /// The first token.
    #[must_use]
    pub fn first(&self) -> usize {
        self.parts[0]
    }
}

/// An alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// The name's token.
    pub name: usize,
    /// A column list stands behind it.
    pub columns: bool,
}

/// A table read in FROM or USING, or the target of a data-modifying statement.
#[derive(Debug)]
pub struct TableRef {
    /// First token: ONLY where it is there.
    pub first: usize,
    /// Last token before any alias: the name, `*`, or the parenthesis of `ONLY (…)`.
    pub name_last: usize,
    /// Last token of the whole item.
    pub last: usize,
    /// The name.
    pub name: Name,
    /// ONLY is there.
    pub only: bool,
    /// The alias.
    pub alias: Option<Alias>,
    /// TABLESAMPLE is there.
    pub sampled: bool,
    /// Subqueries in the sample's arguments.
    pub subqueries: Vec<Query>,
}

impl TableRef {
    /// The token by which its block knows it: the alias, or its own name.
    #[must_use]
    pub fn known_as(&self) -> usize {
        self.alias.as_ref().map_or(self.name.relation(), |alias| alias.name)
    }
}

/// One item of a FROM list.
#[derive(Debug)]
pub enum Item {
    /// A table, view or CTE.
    Table(TableRef),
    /// `[LATERAL] ( query ) [alias]`
    Derived {
        /// LATERAL is there: the query sees the items before it.
        lateral: bool,
        /// The query inside.
        query: Box<Query>,
        /// The alias.
        alias: Option<Alias>,
    },
    /// A function call, ROWS FROM, XMLTABLE, JSON_TABLE or a value function.
    Function {
        /// Subqueries in its arguments.
        subqueries: Vec<Query>,
        /// The alias; the function's name where there is none.
        alias: Option<Alias>,
    },
    /// A join.
    Join(Box<Join>),
    /// `( join ) [alias]`
    Nested {
        /// The join inside.
        inner: Box<Item>,
        /// The alias, which hides the names inside.
        alias: Option<Alias>,
    },
}

/// How a join treats rows without a partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinKind {
    /// INNER or CROSS.
    Inner,
    /// LEFT
    Left,
    /// RIGHT
    Right,
    /// FULL
    Full,
}

/// `left JOIN right …`
#[derive(Debug)]
pub struct Join {
    /// Left operand.
    pub left: Item,
    /// Right operand.
    pub right: Item,
    /// INNER, LEFT, RIGHT or FULL.
    pub kind: JoinKind,
    /// `ON condition`; `None` for USING, NATURAL and CROSS.
    pub on: Option<Condition>,
    /// USING or NATURAL: columns of both sides are merged.
    pub merges_columns: bool,
    /// The columns named behind USING.
    pub using: Vec<usize>,
    /// The alias of `USING (…) AS alias`.
    pub using_alias: Option<usize>,
}

/// RETURNING
#[derive(Debug)]
pub struct Returning {
    /// The keyword.
    pub keyword: usize,
    /// First token of the list.
    pub first: usize,
    /// Last token of the list.
    pub last: usize,
    /// Subqueries in the list.
    pub subqueries: Vec<Query>,
}

/// `INSERT INTO target … `
#[derive(Debug)]
pub struct Insert {
    /// The target, with its alias.
    pub target: TableRef,
    /// Subqueries in the subscripts of its column list.
    pub columns: Vec<Query>,
    /// VALUES or a query; `None` for DEFAULT VALUES.
    pub source: Option<Query>,
    /// ON CONFLICT
    pub conflict: Option<Conflict>,
    /// RETURNING
    pub returning: Option<Returning>,
}

/// `ON CONFLICT [target] DO …`
#[derive(Debug)]
pub struct Conflict {
    /// The ON keyword.
    pub keyword: usize,
    /// What must conflict; `None`: anything.
    pub target: Option<ConflictTarget>,
    /// DO UPDATE: its SET list's last token and its WHERE.
    pub update: Option<ConflictUpdate>,
    /// Subqueries anywhere in the clause but its WHERE.
    pub subqueries: Vec<Query>,
}

/// What stands between ON CONFLICT and DO.
#[derive(Debug)]
pub enum ConflictTarget {
    /// `( columns and expressions ) [WHERE condition]`
    Keys {
        /// The closing parenthesis.
        close: usize,
        /// WHERE
        filter: Option<Condition>,
    },
    /// `ON CONSTRAINT name`
    Constraint {
        /// The ON keyword.
        keyword: usize,
        /// The name.
        name: usize,
    },
}

/// `DO UPDATE SET … [WHERE …]`
#[derive(Debug)]
pub struct ConflictUpdate {
    /// Last token of the SET list.
    pub set_last: usize,
    /// WHERE
    pub filter: Option<Condition>,
}

/// `UPDATE target SET … [FROM …] [WHERE …] [RETURNING …]`
#[derive(Debug)]
pub struct Update {
    /// The target, with its alias.
    pub target: TableRef,
    /// Last token of the SET list.
    pub set_last: usize,
    /// Subqueries in the SET list.
    pub subqueries: Vec<Query>,
    /// FROM
    pub from: Option<From>,
    /// WHERE
    pub filter: Option<Filter>,
    /// RETURNING
    pub returning: Option<Returning>,
}

/// `DELETE FROM target [USING …] [WHERE …] [RETURNING …]`
#[derive(Debug)]
pub struct Delete {
    /// The DELETE keyword.
    pub keyword: usize,
    /// The target, with its alias.
    pub target: TableRef,
    /// USING
    pub using: Option<From>,
    /// WHERE
    pub filter: Option<Filter>,
    /// RETURNING
    pub returning: Option<Returning>,
}

/// `MERGE INTO target USING source ON … WHEN …`
#[derive(Debug)]
pub struct Merge {
    /// The target, with its alias.
    pub target: TableRef,
    /// The source.
    pub source: Item,
    /// ON
    pub on: Condition,
    /// The WHEN arms, in text order.
    pub arms: Vec<MergeArm>,
    /// RETURNING
    pub returning: Option<Returning>,
}

/// `WHEN [NOT] MATCHED [BY …] [AND condition] THEN action`
#[derive(Debug)]
pub struct MergeArm {
    /// NOT MATCHED BY SOURCE: the arm looks at target rows alone.
    pub by_source: bool,
    /// The condition.
    pub condition: Option<Condition>,
    /// The THEN keyword.
    pub then: usize,
    /// The DELETE keyword, where that is the action.
    pub delete: Option<usize>,
    /// Subqueries in the action.
    pub subqueries: Vec<Query>,
}
