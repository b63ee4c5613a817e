//! PostgreSQL's keywords (`src/include/parser/kwlist.h`), as far as clause structure depends on them.

/// Where a keyword may stand unquoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Category {
    /// Any name.
    Unreserved,
    /// Column, table and alias names, but no function or type.
    ColumnName,
    /// Function and type names, but no column, table or alias.
    TypeFunctionName,
    /// A label after AS or behind a dot only.
    Reserved,
}

macro_rules! keywords {
    ($($variant:ident $text:literal $category:ident,)*) => {
        /// A keyword that matters here; every reserved and type-or-function-name keyword is among them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "each is named by its own text")]
        pub enum Keyword { $($variant,)* }

        const TABLE: &[(&str, Keyword, Category)] = &[$(($text, Keyword::$variant, Category::$category),)*];
    };
}

keywords! {
    Abort "abort" Unreserved,
    All "all" Reserved,
    Alter "alter" Unreserved,
    Analyse "analyse" Reserved,
    Analyze "analyze" Reserved,
    And "and" Reserved,
    Any "any" Reserved,
    Array "array" Reserved,
    As "as" Reserved,
    Asc "asc" Reserved,
    Asymmetric "asymmetric" Reserved,
    Atomic "atomic" Unreserved,
    Authorization "authorization" TypeFunctionName,
    Begin "begin" Unreserved,
    Binary "binary" TypeFunctionName,
    Both "both" Reserved,
    Breadth "breadth" Unreserved,
    By "by" Unreserved,
    Call "call" Unreserved,
    Cascade "cascade" Unreserved,
    Cascaded "cascaded" Unreserved,
    Case "case" Reserved,
    Cast "cast" Reserved,
    Chain "chain" Unreserved,
    Check "check" Reserved,
    Checkpoint "checkpoint" Unreserved,
    Close "close" Unreserved,
    Cluster "cluster" Unreserved,
    Collate "collate" Reserved,
    Collation "collation" TypeFunctionName,
    Column "column" Reserved,
    Comment "comment" Unreserved,
    Commit "commit" Unreserved,
    Concurrently "concurrently" TypeFunctionName,
    Conflict "conflict" Unreserved,
    Constraint "constraint" Reserved,
    Continue "continue" Unreserved,
    Copy "copy" Unreserved,
    Create "create" Reserved,
    Cross "cross" TypeFunctionName,
    Current "current" Unreserved,
    CurrentCatalog "current_catalog" Reserved,
    CurrentDate "current_date" Reserved,
    CurrentRole "current_role" Reserved,
    CurrentSchema "current_schema" TypeFunctionName,
    CurrentTime "current_time" Reserved,
    CurrentTimestamp "current_timestamp" Reserved,
    CurrentUser "current_user" Reserved,
    Cursor "cursor" Unreserved,
    Cycle "cycle" Unreserved,
    Data "data" Unreserved,
    Deallocate "deallocate" Unreserved,
    Declare "declare" Unreserved,
    Default "default" Reserved,
    Deferrable "deferrable" Reserved,
    Delete "delete" Unreserved,
    Depth "depth" Unreserved,
    Desc "desc" Reserved,
    Discard "discard" Unreserved,
    Distinct "distinct" Reserved,
    Do "do" Reserved,
    Drop "drop" Unreserved,
    Else "else" Reserved,
    End "end" Reserved,
    Except "except" Reserved,
    Execute "execute" Unreserved,
    Exists "exists" ColumnName,
    Explain "explain" Unreserved,
    Explicit "explicit" Unreserved,
    False "false" Reserved,
    Fetch "fetch" Reserved,
    First "first" Unreserved,
    For "for" Reserved,
    Foreign "foreign" Reserved,
    Freeze "freeze" TypeFunctionName,
    From "from" Reserved,
    Full "full" TypeFunctionName,
    Function "function" Unreserved,
    Global "global" Unreserved,
    Grant "grant" Reserved,
    Group "group" Reserved,
    Having "having" Reserved,
    If "if" Unreserved,
    Ilike "ilike" TypeFunctionName,
    Import "import" Unreserved,
    In "in" Reserved,
    Index "index" Unreserved,
    Initially "initially" Reserved,
    Inner "inner" TypeFunctionName,
    Insert "insert" Unreserved,
    Intersect "intersect" Reserved,
    Into "into" Reserved,
    Is "is" TypeFunctionName,
    Isnull "isnull" TypeFunctionName,
    Join "join" TypeFunctionName,
    Key "key" Unreserved,
    Lateral "lateral" Reserved,
    Leading "leading" Reserved,
    Left "left" TypeFunctionName,
    Like "like" TypeFunctionName,
    Limit "limit" Reserved,
    Listen "listen" Unreserved,
    Load "load" Unreserved,
    Local "local" Unreserved,
    Localtime "localtime" Reserved,
    Localtimestamp "localtimestamp" Reserved,
    Lock "lock" Unreserved,
    Matched "matched" Unreserved,
    Materialized "materialized" Unreserved,
    Merge "merge" Unreserved,
    Move "move" Unreserved,
    Names "names" Unreserved,
    Natural "natural" TypeFunctionName,
    No "no" Unreserved,
    Not "not" Reserved,
    Nothing "nothing" Unreserved,
    Notify "notify" Unreserved,
    Notnull "notnull" TypeFunctionName,
    Null "null" Reserved,
    Of "of" Unreserved,
    Off "off" Unreserved,
    Offset "offset" Reserved,
    On "on" Reserved,
    Only "only" Reserved,
    Operator "operator" Unreserved,
    Or "or" Reserved,
    Order "order" Reserved,
    Ordinality "ordinality" Unreserved,
    Outer "outer" TypeFunctionName,
    Overlaps "overlaps" TypeFunctionName,
    Overriding "overriding" Unreserved,
    Partition "partition" Unreserved,
    Placing "placing" Reserved,
    Policy "policy" Unreserved,
    Prepare "prepare" Unreserved,
    Primary "primary" Reserved,
    Procedure "procedure" Unreserved,
    Reassign "reassign" Unreserved,
    Recursive "recursive" Unreserved,
    References "references" Reserved,
    Refresh "refresh" Unreserved,
    Reindex "reindex" Unreserved,
    Release "release" Unreserved,
    Repeatable "repeatable" Unreserved,
    Replace "replace" Unreserved,
    Reset "reset" Unreserved,
    Restart "restart" Unreserved,
    Restrict "restrict" Unreserved,
    Returning "returning" Reserved,
    Revoke "revoke" Unreserved,
    Right "right" TypeFunctionName,
    Role "role" Unreserved,
    Rollback "rollback" Unreserved,
    Rows "rows" Unreserved,
    Rule "rule" Unreserved,
    Savepoint "savepoint" Unreserved,
    Schema "schema" Unreserved,
    Search "search" Unreserved,
    Security "security" Unreserved,
    Select "select" Reserved,
    Session "session" Unreserved,
    SessionUser "session_user" Reserved,
    Set "set" Unreserved,
    Show "show" Unreserved,
    Similar "similar" TypeFunctionName,
    Some "some" Reserved,
    Source "source" Unreserved,
    Start "start" Unreserved,
    Stdin "stdin" Unreserved,
    Stdout "stdout" Unreserved,
    Symmetric "symmetric" Reserved,
    SystemUser "system_user" Reserved,
    Table "table" Reserved,
    Tablesample "tablesample" TypeFunctionName,
    Temp "temp" Unreserved,
    Temporary "temporary" Unreserved,
    Then "then" Reserved,
    Time "time" ColumnName,
    To "to" Reserved,
    Trailing "trailing" Reserved,
    Transaction "transaction" Unreserved,
    Trigger "trigger" Unreserved,
    True "true" Reserved,
    Truncate "truncate" Unreserved,
    Union "union" Reserved,
    Unique "unique" Reserved,
    Unlisten "unlisten" Unreserved,
    Unlogged "unlogged" Unreserved,
    Update "update" Unreserved,
    User "user" Reserved,
    Using "using" Reserved,
    Vacuum "vacuum" Unreserved,
    Values "values" ColumnName,
    Variadic "variadic" Reserved,
    Verbose "verbose" TypeFunctionName,
    View "view" Unreserved,
    When "when" Reserved,
    Where "where" Reserved,
    Window "window" Reserved,
    With "with" Reserved,
    Within "within" Unreserved,
    Work "work" Unreserved,
}

/// Where in [`TABLE`], which is sorted, the texts of each first letter end.
const ENDS: [usize; 26] = {
    let mut ends = [0; 26];
    let (mut letter, mut index) = (0, 0);
    while letter < 26 {
        while index < TABLE.len() && (TABLE[index].0.as_bytes()[0] - b'a') as usize == letter {
            index += 1;
        }
        ends[letter] = index;
        letter += 1;
    }
    ends
};

impl Keyword {
    /// The keyword spelled by `word`, in any ASCII case.
    #[must_use]
    pub fn lookup(word: &[u8]) -> Option<Self> {
        let letter = usize::from(word.first()?.to_ascii_lowercase().checked_sub(b'a')?);
        let end = *ENDS.get(letter)?;
        let start = letter.checked_sub(1).map_or(0, |before| ENDS[before]);
        let spelled = |(text, _, _): &&(&str, Self, Category)| {
            text.len() == word.len() && text.as_bytes().eq_ignore_ascii_case(word)
        };
        TABLE[start..end].iter().find(spelled).map(|(_, keyword, _)| *keyword)
    }

    /// Where it may stand unquoted.
    #[must_use]
    pub fn category(self) -> Category {
        TABLE[self as usize].2
    }

    /// True for CURRENT_DATE and its like: functions that are called without parentheses.
    #[must_use]
    pub fn is_value_function(self) -> bool {
        matches!(
            self,
            Self::CurrentCatalog
                | Self::CurrentDate
                | Self::CurrentRole
                | Self::CurrentSchema
                | Self::CurrentTime
                | Self::CurrentTimestamp
                | Self::CurrentUser
                | Self::Localtime
                | Self::Localtimestamp
                | Self::SessionUser
                | Self::SystemUser
                | Self::User
        )
    }

    /// True for the first word of a query or data-modifying statement, where that is no parenthesis.
    #[must_use]
    pub fn starts_query(self) -> bool {
        matches!(
            self,
            Self::Select
                | Self::With
                | Self::Values
                | Self::Table
                | Self::Insert
                | Self::Update
                | Self::Delete
                | Self::Merge
        )
    }

    /// True for the words that set a query on behind what may be a query by itself: set operations, and what sorts, cuts
    /// and locks its rows.
    #[must_use]
    pub fn continues_query(self) -> bool {
        matches!(
            self,
            Self::Union
                | Self::Intersect
                | Self::Except
                | Self::Order
                | Self::Limit
                | Self::Offset
                | Self::Fetch
                | Self::For
        )
    }

    /// True where the unquoted word may name a table, a column or an alias (`ColId` in the grammar).
    #[must_use]
    pub fn is_column_id(self) -> bool {
        matches!(self.category(), Category::Unreserved | Category::ColumnName)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_indexed_by_its_enum() {
        for pair in TABLE.windows(2) {
            assert!(pair[0].0 < pair[1].0, "{} before {}", pair[0].0, pair[1].0);
        }
        for (index, (text, keyword, _)) in TABLE.iter().enumerate() {
            assert_eq!(*keyword as usize, index);
            assert_eq!(Keyword::lookup(text.to_uppercase().as_bytes()), Some(*keyword));
        }
    }
}
