//! Which rule a statement falls under: by its first words, past the heads (EXPLAIN, PREPARE, DECLARE, CREATE … AS) that carry a query.

use crate::rewrite::outcome::{Effect, Outcome, TagChange};
use crate::rewrite::refusal::{Reason, Refusal};
use crate::rewrite::resolve::Names;
use crate::rewrite::rewriter::Rewriter;
use crate::rewrite::schema_change::{CreateHead, create_head};
use crate::rewrite::state::Scope;
use crate::rewrite::{
    comment, constraints, copy, ddl, opaque, own_objects, own_settings, past, schema_change, settings, truncate,
    witness,
};
use crate::sql::edit::Edits;
use crate::sql::ident::identifier;
use crate::sql::keyword::Keyword;
use crate::sql::lexer::{Kind, Token};
use crate::sql::reader::{Unreadable, read_query, read_subqueries};
use crate::sql::split::Piece;
use crate::sql::token::{behind_group, opens_query};

/// More parts than a relation's name can have: a longer chain is no name, and is not read again from each of its parts.
const NAME_PARTS_MAX: usize = 8;

/// What the rules say about one statement of a query string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What goes upstream; edits count bytes of the whole query string.
    pub outcome: Outcome,
    /// What the statement does to the session when it succeeds.
    pub effect: Effect,
    /// The outcome may differ under another scope, search path or registry.
    pub depends: bool,
}

impl Decision {
    pub(crate) fn new(outcome: Outcome, effect: Effect) -> Self {
        Self { outcome, effect, depends: false }
    }

    pub(crate) fn unchanged(effect: Effect) -> Self {
        Self::new(Outcome::Unchanged, effect)
    }
}

/// One statement with everything it is decided by.
pub(crate) struct Statement<'a> {
    pub(crate) text: &'a [u8],
    pub(crate) tokens: &'a [Token],
    pub(crate) piece: Piece,
    pub(crate) names: Names<'a>,
    /// The session's scope, or the one its comment asks for.
    pub(crate) scope: Scope,
    /// False for what stands behind a head or in a body.
    whole: bool,
}

/// Decides the statement `piece` of `text`, whose tokens are `tokens`.
#[must_use]
pub fn decide(text: &[u8], tokens: &[Token], piece: Piece, names: Names<'_>) -> Decision {
    // With the gaps around it, where its comments stand.
    let start = piece.first.checked_sub(1).map_or(0, |before| tokens[before].end);
    let end = tokens.get(piece.end).map_or(text.len(), |behind| behind.start);
    let depends = names.registry.may_concern(&text[start..end]);
    let decided = comment::scope(text, tokens, piece, names).and_then(|scope| {
        let statement = Statement { text, tokens, piece, names, scope, whole: true };
        statement.check_reading()?;
        statement.check_scope()?;
        if depends {
            own_settings::check(&statement)?;
        }
        opaque::check_functions(&statement)?;
        statement.decide_whole(depends)
    });
    match decided {
        Ok(decision) => Decision { depends, ..decision },
        Err(refusal) => Decision { outcome: Outcome::Refused(refusal), effect: Effect::None, depends: true },
    }
}

impl<'a> Statement<'a> {
    /// The part of the statement between two tokens, `end` excluded.
    pub(crate) fn part(&self, first: usize, end: usize) -> Statement<'a> {
        Statement { piece: Piece { first, end }, scope: self.scope.clone(), whole: false, ..*self }
    }

    /// A rewriter of its text with no edits yet.
    pub(crate) fn rewriter(&self) -> Rewriter<'a> {
        Rewriter::new(self)
    }

    /// The same statement without the head before token `first`.
    fn inner(&self, first: usize) -> Statement<'a> {
        self.part(first, self.piece.end)
    }

    pub(crate) fn keyword(&self, index: usize) -> Option<Keyword> {
        (index < self.piece.end).then(|| self.tokens[index].keyword).flatten()
    }

    pub(crate) fn kind(&self, index: usize) -> Option<Kind> {
        (index < self.piece.end).then(|| self.tokens[index].kind)
    }

    pub(crate) fn refuse<T>(&self, reason: Reason, token: usize) -> Result<T, Refusal> {
        Err(Refusal { reason, offset: self.tokens.get(token).map(|token| token.start) })
    }

    /// True where the keyword stands anywhere in the statement.
    pub(crate) fn has(&self, keyword: Keyword) -> bool {
        (self.piece.first..self.piece.end).any(|index| self.keyword(index) == Some(keyword))
    }

    /// The word at `index` in lower case, for words that are no [`Keyword`].
    pub(crate) fn word(&self, index: usize) -> Option<String> {
        (self.kind(index) == Some(Kind::Word)).then(|| {
            String::from_utf8_lossy(&self.text[self.tokens[index].start..self.tokens[index].end]).to_lowercase()
        })
    }

    /// The identifier at `index` as stored; `None` where there is none.
    pub(crate) fn name_at(&self, index: usize) -> Option<String> {
        self.kind(index)?;
        identifier(self.text, &self.tokens[index]).and_then(|name| String::from_utf8(name).ok())
    }

    /// The parts of the possibly qualified name at `index`, and the token behind it; `None` for what no relation is called.
    pub(crate) fn name_parts(&self, mut index: usize) -> Option<(Vec<String>, usize)> {
        let mut parts = vec![self.name_at(index)?];
        while self.kind(index + 1) == Some(Kind::Dot) {
            if parts.len() == NAME_PARTS_MAX {
                return None;
            }
            parts.push(self.name_at(index + 2)?);
            index += 2;
        }
        Some((parts, index + 1))
    }

    /// The first word, in upper case, for messages.
    fn verb(&self) -> String {
        self.word(self.piece.first).unwrap_or_default().to_uppercase()
    }

    /// A session may have lost its right to the scope that it has set; it may still leave it.
    fn check_scope(&self) -> Result<(), Refusal> {
        match comment::check_allowed(&self.scope, self.names) {
            Ok(()) => Ok(()),
            Err(reason) => self.mention().map_or(Ok(()), |token| self.refuse(reason, token)),
        }
    }

    /// The decision, and what it may do to settings besides.
    fn decide_whole(&self, depends: bool) -> Result<Decision, Refusal> {
        let decision = self.decide()?;
        if !depends || self.names.registry.is_empty() || !settings::unsettles(self, &decision.effect)? {
            return Ok(decision);
        }
        let effect = match decision.effect {
            Effect::Prepare { name, tag, mentions, unsettles: _, source, sent } => {
                Effect::Prepare { name, tag, mentions, unsettles: true, source, sent }
            }
            Effect::Execute(_) => return self.refuse_setter(),
            _ if self.runs_later() => return self.refuse_setter(),
            _ => Effect::Unsettled { schema: true },
        };
        Ok(Decision { effect, ..decision })
    }

    fn refuse_setter<T>(&self) -> Result<T, Refusal> {
        let holder = format!("{} with set_config() or pg_settings", self.verb());
        self.refuse(Reason::Opaque { holder }, self.piece.first)
    }

    /// True where what the statement holds is stored or declared, and runs when nobody looks for it any more.
    pub(crate) fn runs_later(&self) -> bool {
        let first = self.piece.first;
        match self.keyword(first) {
            Some(Keyword::Alter | Keyword::Declare) => true,
            Some(Keyword::Create) => {
                let makes_rows =
                    matches!(self.keyword(create_head(self).noun), Some(Keyword::Table | Keyword::Materialized));
                !(makes_rows && self.outside_groups(first, Keyword::As).is_some())
            }
            _ => false,
        }
    }

    pub(crate) fn decide(&self) -> Result<Decision, Refusal> {
        if constraints::is_set_constraints(self) {
            return constraints::set_constraints(self);
        }
        if let Some(effect) = settings::effect(self)? {
            return Ok(Decision::unchanged(effect));
        }
        let first = self.piece.first;
        match self.keyword(first) {
            Some(keyword) if keyword.starts_query() => self.query(),
            _ if self.kind(first) == Some(Kind::Open) => self.query(),
            Some(Keyword::Explain) => self.explain(),
            Some(Keyword::Prepare) => self.prepare(),
            Some(Keyword::Execute) => Ok(Decision::unchanged(self.execute(first + 1))),
            Some(Keyword::Declare) => self.declare(),
            Some(Keyword::Copy) => copy::copy(self),
            Some(Keyword::Truncate) => truncate::truncate(self),
            Some(keyword @ (Keyword::Create | Keyword::Alter | Keyword::Drop)) => {
                own_objects::check(self)?;
                match keyword {
                    Keyword::Create => self.create(),
                    Keyword::Alter => schema_change::alter(self),
                    _ => schema_change::drop(self),
                }
            }
            Some(Keyword::Do) => opaque::do_block(self),
            Some(Keyword::Call) => Ok(Decision::unchanged(Effect::Unsettled { schema: false })),
            Some(Keyword::Grant | Keyword::Revoke) => Ok(Decision::unchanged(ddl::rights(self))),
            // It makes tables of names that it need not tell.
            Some(Keyword::Import) => Ok(Decision::unchanged(ddl::everything(self))),
            Some(
                Keyword::Analyse
                | Keyword::Analyze
                | Keyword::Checkpoint
                | Keyword::Close
                | Keyword::Cluster
                | Keyword::Comment
                | Keyword::Fetch
                | Keyword::Listen
                | Keyword::Load
                | Keyword::Lock
                | Keyword::Move
                | Keyword::Notify
                | Keyword::Reassign
                | Keyword::Refresh
                | Keyword::Reindex
                | Keyword::Security
                | Keyword::Show
                | Keyword::Unlisten
                | Keyword::Vacuum,
            ) => Ok(Decision::unchanged(Effect::None)),
            _ => match self.mention() {
                Some(token) => self.refuse(Reason::Utility { verb: self.verb() }, token),
                None => Ok(Decision::unchanged(Effect::None)),
            },
        }
    }

    /// A query or data-modifying statement that fills the piece.
    pub(crate) fn query(&self) -> Result<Decision, Refusal> {
        let (outcome, _) = self.rewrite_query(&[])?;
        Ok(Decision::new(outcome, self.query_effect()?))
    }

    /// The query's outcome; `ctes` are names that the head brings into scope.
    fn rewrite_query(&self, ctes: &[String]) -> Result<(Outcome, Option<TagChange>), Refusal> {
        self.rewrite_with(|statement, rewriter| {
            let Piece { first, end } = statement.piece;
            let tree = read_query(statement.tokens, first, end).map_err(|fault| statement.unreadable(fault))?;
            rewriter.ctes.extend_from_slice(ctes);
            rewriter.query(&tree)
        })
    }

    /// The outcome for an expression, or a clause that holds some: its subqueries are rewritten.
    pub(crate) fn rewrite_expressions(&self) -> Result<Outcome, Refusal> {
        let (outcome, _) = self.rewrite_with(|statement, rewriter| {
            let Piece { first, end } = statement.piece;
            let subqueries =
                read_subqueries(statement.tokens, first, end).map_err(|fault| statement.unreadable(fault))?;
            rewriter.queries(&subqueries)
        })?;
        Ok(outcome)
    }

    fn unreadable(&self, fault: Unreadable) -> Refusal {
        let token = fault.token.min(self.piece.end - 1);
        Refusal::at(Reason::Unreadable { what: fault.what }, self.tokens[token].start)
    }

    /// Runs `walk` over a mention, holds what it claims against the witnesses, and collects its edits.
    fn rewrite_with(
        &self,
        walk: impl FnOnce(&Self, &mut Rewriter<'a>) -> Result<(), Refusal>,
    ) -> Result<(Outcome, Option<TagChange>), Refusal> {
        let Some(mention) = self.mention() else { return Ok((Outcome::Unchanged, None)) };
        past::check_locks(self)?;
        let mut rewriter = self.rewriter();
        walk(self, &mut rewriter)?;
        rewriter.write_schemas();
        if self.has_unicode_escape() {
            return self.refuse(Reason::Unreadable { what: "UESCAPE" }, mention);
        }
        witness::check(self, &rewriter.claims)?;
        let tag = rewriter.tag;
        Ok((self.outcome(rewriter, mention)?, tag))
    }

    /// What the edits of `rewriter` make of the statement; `token` is what a contradiction among them is told of.
    pub(crate) fn outcome(&self, rewriter: Rewriter<'_>, token: usize) -> Result<Outcome, Refusal> {
        match Edits::new(rewriter.edits) {
            Ok(edits) => Ok(Outcome::of(edits, rewriter.tag)),
            Err(_) => self.refuse(Reason::Unreadable { what: "two rules claim the same words" }, token),
        }
    }

    /// What a query does besides reading: `set_config`, and the table that SELECT INTO creates.
    fn query_effect(&self) -> Result<Effect, Refusal> {
        if self.whole
            && let Some(effect) = settings::set_config(self)?
        {
            return Ok(effect);
        }
        let into = (self.piece.first..self.piece.end).find(|&index| {
            let before = index.checked_sub(1).and_then(|before| self.keyword(before));
            self.keyword(index) == Some(Keyword::Into) && !matches!(before, Some(Keyword::Insert | Keyword::Merge))
        });
        Ok(into.map_or(Effect::None, |into| schema_change::select_into(self, into)))
    }

    fn explain(&self) -> Result<Decision, Refusal> {
        let mut first = self.piece.first + 1;
        if self.kind(first) == Some(Kind::Open) && !opens_query(self.tokens, first, self.piece.end) {
            first = self.behind_group(first);
        }
        while matches!(self.keyword(first), Some(Keyword::Analyze | Keyword::Analyse | Keyword::Verbose)) {
            first += 1;
        }
        let decision = self.inner_decision(first)?;
        Ok(Decision::new(without_tag(decision.outcome), decision.effect))
    }

    fn inner_decision(&self, first: usize) -> Result<Decision, Refusal> {
        if first >= self.piece.end {
            return Ok(Decision::unchanged(Effect::None));
        }
        // PostgreSQL's grammar knows no such heads behind one another, and they must not be followed to any depth.
        let nested = match self.keyword(first) {
            Some(Keyword::Explain | Keyword::Prepare) => true,
            Some(Keyword::Declare) => self.keyword(self.piece.first) != Some(Keyword::Explain),
            _ => false,
        };
        if nested {
            return match self.mention() {
                Some(_) => self.refuse(Reason::Unreadable { what: "a head where a query was expected" }, first),
                None => Ok(Decision::unchanged(Effect::None)),
            };
        }
        self.inner(first).decide()
    }

    /// The token behind the group that opens at `open`.
    pub(crate) fn behind_group(&self, open: usize) -> usize {
        behind_group(self.tokens, open, self.piece.end)
    }

    fn prepare(&self) -> Result<Decision, Refusal> {
        let first = self.piece.first + 1;
        let Some(name) = self.name_at(first) else { return Ok(Decision::unchanged(Effect::None)) };
        let Some(body) = self.outside_groups(first + 1, Keyword::As) else {
            return Ok(Decision::unchanged(Effect::None));
        };
        let decision = self.inner_decision(body + 1)?;
        let tag = match &decision.outcome {
            Outcome::Rewritten { edits: _, tag } => *tag,
            Outcome::Unchanged | Outcome::Refused(_) => None,
        };
        let mentions = self.mention().is_some();
        let (start, end) = (self.tokens[self.piece.first].start, self.tokens[self.piece.end - 1].end);
        let source = self.text[start..end].to_vec();
        let sent = match &decision.outcome {
            Outcome::Rewritten { edits, tag: _ } => edits.apply_within(self.text, start, end),
            Outcome::Unchanged | Outcome::Refused(_) => source.clone(),
        };
        let effect = Effect::Prepare { name, tag, mentions, unsettles: false, source, sent };
        Ok(Decision::new(without_tag(decision.outcome), effect))
    }

    fn execute(&self, index: usize) -> Effect {
        self.name_at(index).map_or(Effect::None, Effect::Execute)
    }

    /// The first `keyword` from `index` on that stands outside parentheses.
    pub(crate) fn outside_groups(&self, index: usize, keyword: Keyword) -> Option<usize> {
        self.find_outside_groups(index, |index| self.keyword(index) == Some(keyword))
    }

    /// The first token from `index` on that stands outside parentheses and that `is_it` takes.
    pub(crate) fn find_outside_groups(&self, mut index: usize, is_it: impl Fn(usize) -> bool) -> Option<usize> {
        while index < self.piece.end {
            if self.kind(index) == Some(Kind::Open) {
                index = self.behind_group(index);
            } else if is_it(index) {
                return Some(index);
            } else {
                index += 1;
            }
        }
        None
    }

    fn declare(&self) -> Result<Decision, Refusal> {
        match self.outside_groups(self.piece.first + 2, Keyword::For) {
            Some(head) => self.inner_decision(head + 1),
            None => Ok(Decision::unchanged(Effect::None)),
        }
    }

    /// CREATE TABLE … AS and views carry a query; whatever else CREATE makes is judged by its noun.
    fn create(&self) -> Result<Decision, Refusal> {
        let head = schema_change::create_head(self);
        let Some(body) = head.carries_query.then(|| self.outside_groups(head.noun, Keyword::As)).flatten() else {
            return schema_change::create(self, &head);
        };
        let name = self.name_parts(head.name).and_then(|(parts, _)| parts.last().cloned());
        let ctes: Vec<String> = name.filter(|_| head.recursive).into_iter().collect();
        let inner = self.inner(body + 1);
        let outcome = match inner.keyword(body + 1) {
            // What was prepared under other circumstances must not run here either.
            Some(Keyword::Execute) => return self.create_executing(&head, body),
            _ => inner.without_view_options().rewrite_query(&ctes)?.0,
        };
        let effect = schema_change::creation(self, &head);
        Ok(Decision::new(outcome, effect))
    }

    /// CREATE TABLE … AS EXECUTE, whose AS stands at `body`. What it executes decides what it does to the session: a
    /// table that must be followed besides cannot be made so.
    fn create_executing(&self, head: &CreateHead, body: usize) -> Result<Decision, Refusal> {
        match schema_change::creation(self, head) {
            Effect::None => Ok(Decision::unchanged(self.execute(body + 2))),
            _ => self.refuse(Reason::Utility { verb: "CREATE TABLE … AS EXECUTE".to_owned() }, head.name),
        }
    }

    /// The query without WITH [NO] DATA and WITH … CHECK OPTION behind it.
    fn without_view_options(&self) -> Statement<'a> {
        let mut end = self.piece.end;
        let first = self.piece.first;
        for index in first..self.piece.end {
            let option = matches!(
                self.keyword(index + 1),
                Some(Keyword::No | Keyword::Data | Keyword::Check | Keyword::Cascaded | Keyword::Local)
            );
            if index > first && self.keyword(index) == Some(Keyword::With) && option && self.piece.end - index <= 4 {
                end = index;
                break;
            }
        }
        self.part(first, end)
    }
}

fn without_tag(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Rewritten { edits, tag: _ } => Outcome::Rewritten { edits, tag: None },
        Outcome::Unchanged | Outcome::Refused(_) => outcome,
    }
}
