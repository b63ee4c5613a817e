//! Random queries: joins of every kind, subqueries everywhere, CTEs, set operations, aggregates, windows.

use super::generate::{Generator, TABLES, Table};

/// The references an expression may use: alias and table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope(Vec<(String, Table)>);

impl Scope {
    /// Adds a reference.
    pub(super) fn add(&mut self, alias: &str, table: Table) {
        self.0.push((alias.to_owned(), table));
    }
}

const JOINS: [&str; 7] = ["JOIN", "INNER JOIN", "LEFT JOIN", "LEFT OUTER JOIN", "RIGHT JOIN", "FULL JOIN", "FULL JOIN"];

impl Generator {
    /// A query whose rows come in any order.
    pub(super) fn select(&mut self) -> String {
        match self.random.below(20) {
            0 => format!("TABLE {}", self.table().name),
            1..=2 => self.merged_columns(),
            3..=4 => self.set_operation(),
            5..=6 => self.with(),
            7 => self.recursive(),
            8..=9 => self.grouped(),
            10 => self.windowed(),
            11 => {
                let (table, other) = (self.table().name, self.table().name);
                format!("SELECT t, (SELECT count(*) FROM {other} o WHERE o.id > t.id) FROM {table} t")
            }
            12 => {
                let table = self.table();
                format!("SELECT a, b FROM {} AS r (a, b) WHERE a > {}", table.name, self.random.below(40))
            }
            _ => self.joined(),
        }
    }

    /// A query whose rows can come in one order only.
    pub(super) fn total_order(&mut self) -> String {
        let table = self.table();
        let mut scope = Scope::default();
        scope.add("t", table);
        let condition = self.condition(&scope, 2);
        let limit = match self.random.below(3) {
            0 => String::new(),
            1 => format!(" LIMIT {}", self.random.below(12)),
            _ => format!(" OFFSET {} ROWS FETCH FIRST {} ROWS ONLY", self.random.below(5), self.random.below(9) + 1),
        };
        match self.random.below(3) {
            0 => format!("SELECT * FROM {} t WHERE {condition} ORDER BY id DESC{limit}", table.name),
            1 => format!(
                "SELECT t.{}, t.id FROM {} AS t WHERE {condition} ORDER BY 1 NULLS FIRST, t.id{limit}",
                table.text, table.name
            ),
            _ => format!(
                "SELECT t.id, row_number() OVER (ORDER BY t.id) FROM {} t LEFT JOIN users o ON o.id = t.id \
                 WHERE {condition} ORDER BY t.id{limit}",
                table.name
            ),
        }
    }

    fn table(&mut self) -> Table {
        *self.random.pick(&TABLES)
    }

    fn alias(&mut self) -> String {
        self.aliases += 1;
        format!("t{}", self.aliases)
    }

    fn joined(&mut self) -> String {
        let (from, scope) = self.from(3);
        let mut list: Vec<String> = (0..=self.random.below(3)).map(|_| self.int(&scope, 1)).collect();
        match self.random.below(6) {
            0 => list = vec!["*".to_owned()],
            1 => list.push(format!("{}.*", self.random.pick(&scope.0).0)),
            2 => list.push(format!("{} IS NULL AS missing", self.random.pick(&scope.0).0)),
            _ => {}
        }
        let distinct = if self.random.chance(10) { "DISTINCT " } else { "" };
        let clause =
            if self.random.chance(70) { format!(" WHERE {}", self.condition(&scope, 2)) } else { String::new() };
        format!("SELECT {distinct}{} FROM {from}{clause}", list.join(", "))
    }

    /// NATURAL and USING, where columns merge: only `*` and the merged column can be named.
    fn merged_columns(&mut self) -> String {
        let (left, right) = (self.table().name, self.table().name);
        let join = *self.random.pick(&JOINS);
        match self.random.below(5) {
            0 => format!("SELECT * FROM {left} a {join} {right} b USING (id)"),
            1 => format!("SELECT id, count(*) FROM {left} a {join} {right} b USING (id) GROUP BY id"),
            2 => format!("SELECT id, a.id, b.id FROM {left} a {join} {right} b USING (id) {join} users c USING (id)"),
            3 => format!("SELECT count(*) FROM {left} a NATURAL {join} {right} b"),
            _ => format!(
                "SELECT * FROM (SELECT id, user_id FROM posts) a NATURAL {join} (SELECT id, user_id FROM seats) b"
            ),
        }
    }

    fn set_operation(&mut self) -> String {
        let mut sql = self.ints(1);
        for _ in 0..=self.random.below(2) {
            let operator = self.random.pick(&["UNION", "UNION ALL", "EXCEPT", "INTERSECT", "EXCEPT ALL"]);
            let arm = self.ints(1);
            sql = if self.random.chance(40) {
                format!("({sql}) {operator} ({arm})")
            } else {
                format!("{sql} {operator} {arm}")
            };
        }
        sql
    }

    fn with(&mut self) -> String {
        let (first, second) = (self.ints(1), self.ints(1));
        let hint = self.random.pick(&["", "MATERIALIZED ", "NOT MATERIALIZED "]);
        // A CTE may be named like a registered table, and then hides it.
        let name = self.random.pick(&["w", "w", "users", "posts"]);
        match self.random.below(3) {
            0 => format!("WITH {name} AS {hint}({first}) SELECT * FROM {name}"),
            1 => format!(
                "WITH {name} AS {hint}({first}), v AS ({second}) SELECT * FROM {name} FULL JOIN v ON v.c0 = {name}.c0"
            ),
            _ => {
                format!("WITH {name} (x) AS ({first}) SELECT x, (SELECT count(*) FROM seats WHERE id > x) FROM {name}")
            }
        }
    }

    fn recursive(&mut self) -> String {
        let table = self.table().name;
        format!(
            "WITH RECURSIVE r (n, depth) AS (SELECT id, 0 FROM {table} WHERE id < 5 UNION ALL \
             SELECT t.id, depth + 1 FROM r JOIN {table} t ON t.id = r.n + {} WHERE depth < 6) SELECT * FROM r",
            self.random.below(4) + 1
        )
    }

    fn grouped(&mut self) -> String {
        let (from, scope) = self.from(2);
        let (key, value) = (self.column(&scope), self.column(&scope));
        let having =
            if self.random.chance(40) { format!(" HAVING count(*) > {}", self.random.below(3)) } else { String::new() };
        match self.random.below(4) {
            0 => format!("SELECT count(*), sum({value}), min({key}) FROM {from}"),
            1 => format!(
                "SELECT {key} AS k, count({value}), array_agg({value} ORDER BY {value}) FROM {from} GROUP BY {key}{having}"
            ),
            2 => {
                let table = self.table();
                // The other columns depend on the primary key, which the server must still see.
                format!(
                    "SELECT t.id, t.{}, count(o.id) FROM {} t LEFT JOIN posts o ON o.user_id = t.id GROUP BY t.id",
                    table.text, table.name
                )
            }
            _ => format!(
                "SELECT {key}, count(*) FILTER (WHERE {value} > 3) FROM {from} GROUP BY GROUPING SETS (({key}), ())"
            ),
        }
    }

    fn windowed(&mut self) -> String {
        let table = self.table();
        format!(
            "SELECT id, rank() OVER w, sum({}) OVER w, lag(id) OVER (ORDER BY id) FROM {} WINDOW w AS (PARTITION BY id % 3 ORDER BY id)",
            table.ints[1], table.name
        )
    }

    /// A FROM clause of up to `most` references, all of which expressions may use.
    fn from(&mut self, most: usize) -> (String, Scope) {
        let mut scope = Scope::default();
        let mut sql = self.reference(&mut scope);
        for _ in 1..=self.random.below(most) {
            let left = self.column(&scope);
            if self.random.chance(15) {
                let next = self.reference(&mut scope);
                sql = format!("{sql} CROSS JOIN {next}");
                // A product of unfiltered tables is slow to compare.
                break;
            }
            if self.random.chance(12) {
                let (table, alias) = (self.table(), self.alias());
                sql = format!(
                    "{sql} LEFT JOIN LATERAL (SELECT * FROM {} i WHERE i.id <= {left} ORDER BY i.id DESC LIMIT 2) {alias} ON true",
                    table.name
                );
                scope.add(&alias, table);
                continue;
            }
            let join = *self.random.pick(&JOINS);
            let next = self.reference(&mut scope);
            let (alias, table) = scope.0.last().cloned().expect("just added");
            let column = self.random.pick(table.ints);
            // FULL JOIN takes only conditions it can merge or hash on.
            let more = if !join.starts_with("FULL") && self.random.chance(30) {
                format!(" {} {}", self.random.pick(&["AND", "OR"]), self.condition(&scope, 1))
            } else {
                String::new()
            };
            sql = format!("{sql} {join} {next} ON {left} = {alias}.{column}{more}");
        }
        (sql, scope)
    }

    fn reference(&mut self, scope: &mut Scope) -> String {
        let (table, alias) = (self.table(), self.alias());
        let free = !scope.0.iter().any(|(name, _)| name == table.name);
        let (sql, alias) = match self.random.below(12) {
            0 if free => (table.name.to_owned(), table.name.to_owned()),
            1 if free => (format!("public.{}", table.name), table.name.to_owned()),
            2 => (format!("(SELECT * FROM {}) {alias}", table.name), alias),
            3 => (format!("ONLY {} {alias}", table.name), alias),
            4 => (format!("{} * AS {alias}", table.name.to_uppercase()), alias),
            5 => (format!("\"{}\" AS \"{alias}\"", table.name), alias),
            6..=7 => (format!("{} {alias}", table.name), alias),
            _ => (format!("{} AS {alias}", table.name), alias),
        };
        scope.add(&alias, table);
        sql
    }

    /// A query with one integer column `c0`.
    fn ints(&mut self, depth: usize) -> String {
        let (from, scope) = self.from(2);
        let (column, condition) = (self.column(&scope), self.condition(&scope, depth));
        format!("SELECT {column} AS c0 FROM {from} WHERE {condition}")
    }

    fn column(&mut self, scope: &Scope) -> String {
        let (alias, table) = self.random.pick(&scope.0).clone();
        format!("{alias}.{}", self.random.pick(table.ints))
    }

    fn int(&mut self, scope: &Scope, depth: usize) -> String {
        if depth == 0 {
            return self.column(scope);
        }
        match self.random.below(9) {
            0 => format!("coalesce({}, -1)", self.column(scope)),
            1 => format!("{} + {}", self.column(scope), self.random.below(9)),
            2 => {
                let (table, outer) = (self.table(), self.column(scope));
                let column = self.random.pick(table.ints);
                format!("(SELECT count(*) FROM {} s WHERE s.{column} = {outer})", table.name)
            }
            3 => format!("CASE WHEN {} THEN 1 ELSE {} END", self.condition(scope, depth - 1), self.column(scope)),
            _ => self.column(scope),
        }
    }

    /// A condition over `scope`, with subqueries down to `depth`.
    pub(super) fn condition(&mut self, scope: &Scope, depth: usize) -> String {
        let column = self.column(scope);
        if depth == 0 {
            return match self.random.below(4) {
                0 => format!("{column} IS NOT NULL"),
                1 => format!("{column} % 3 = {}", self.random.below(3)),
                2 => format!("{column} IS DISTINCT FROM {}", self.random.below(9)),
                _ => format!("{column} > {}", self.random.below(30)),
            };
        }
        match self.random.below(12) {
            0 => format!("NOT ({})", self.condition(scope, depth - 1)),
            1..=2 => format!("{} AND {}", self.condition(scope, depth - 1), self.condition(scope, depth - 1)),
            3..=4 => format!("{} OR {}", self.condition(scope, depth - 1), self.condition(scope, depth - 1)),
            5 => format!("{column} IN ({})", self.ints(depth - 1)),
            6 => format!("{column} NOT IN ({})", self.ints(depth - 1)),
            7..=8 => {
                let (table, not) = (self.table(), if self.random.chance(40) { "NOT " } else { "" });
                let inner = self.random.pick(table.ints);
                format!("{not}EXISTS (SELECT FROM {} e WHERE e.{inner} = {column})", table.name)
            }
            9 => format!("{column} = ANY (ARRAY(SELECT id FROM {}))", self.table().name),
            10 => format!("{column} < (SELECT max(id) FROM {})", self.table().name),
            _ => format!("{column} BETWEEN {} AND 50", self.random.below(30)),
        }
    }
}
