# psql, pg_dump, pg_restore: what is typed and copied by hand. Nothing through Sexton differs, but for the deleted rows.
set -euo pipefail
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

through() { psql -X -h 127.0.0.1 -p "$SEXTON_PORT" -U "${1:-app}" -d shop -v ON_ERROR_STOP=1 -Atq; }
past() { psql -X -h 127.0.0.1 -p "$SERVER_PORT" -U "${1:-app}" -d shop -v ON_ERROR_STOP=1 -Atq; }

while read -r kind expected sql; do
    [ "$kind" != '#' ] || continue
    answer="$(printf '%s;\n\\echo count :ROW_COUNT\n' "${sql//\$1/$FIRST_ID}" | through | sed -n 's/^count //p')"
    [ "$answer" = "$expected" ] || { echo "$sql: expected $expected, found $answer"; exit 1; }
done <"$SCENARIO"

# Every \d command runs a catalog query of its own.
for command in '\d' '\d+' '\d claims' '\d+ orders' '\dt' '\dt+ *.*' '\di' '\dv' '\dm' '\ds' '\df' '\df+ *.now' '\dn+' '\du' '\dp' '\l' '\dT' '\dx' \
    '\dD' '\dc' '\dC' '\dd' '\ddp' '\dE' '\des' '\dF' '\dg' '\dL' '\dO' '\dP' '\dRp' '\dy' '\db' '\da' '\do' '\conninfo' '\encoding' '\sf now'; do
    [ "$command" = '\conninfo' ] || diff <(through <<<"$command" 2>&1) <(past <<<"$command" 2>&1) >/dev/null ||
        { echo "$command differs"; exit 1; }
done

# What the TAB key asks.
for query in "SELECT c.relname FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'v') AND (c.relname) LIKE 'cla%'" \
    "SELECT attname FROM pg_catalog.pg_attribute a, pg_catalog.pg_class c WHERE c.oid = a.attrelid AND c.relname = 'claims' AND a.attnum > 0"; do
    diff <(through <<<"$query") <(past <<<"$query")
done

# \copy out shows live rows only, \copy in goes into the table.
id=$((FIRST_ID + 1))
printf '%s\t1\t1\t2030-01-01\n' "$id" >"$work/in"
through <<<"\\copy claims (id, seat_id, customer_id, expires_at) FROM '$work/in'"
through <<<"\\copy claims (id) TO '$work/out'"
grep -qx "$id" "$work/out"
through <<<"DELETE FROM claims WHERE id = $id; INSERT INTO orders (id, customer_id, seat_id, cents) VALUES ($id, 1, 1, 1); DELETE FROM orders WHERE id = $id"
through <<<"\\copy claims (id) TO '$work/out'"
if grep -qx "$id" "$work/out"; then
    echo "\\copy shows a deleted row"
    exit 1
fi

# A dump holds no deleted row, and can be restored; one that shows everything is the server's own.
pg_dump -h 127.0.0.1 -p "$SEXTON_PORT" -U postgres -d shop -Fc -f "$work/dump"
psql -X -q -h 127.0.0.1 -p "$SERVER_PORT" -U postgres -d shop -c 'CREATE DATABASE restored'
pg_restore -h 127.0.0.1 -p "$SERVER_PORT" -U postgres -d restored --no-owner "$work/dump"
deleted() { psql -X -Atq -h 127.0.0.1 -p "$SERVER_PORT" -U postgres -d "$1" -c 'SELECT count(*) FROM claims WHERE deleted_at IS NOT NULL'; }
[ "$(deleted restored)" = 0 ] && [ "$(deleted shop)" -gt 0 ] || { echo "the dump holds deleted rows"; exit 1; }
plain() { pg_dump -h 127.0.0.1 -p "$1" -U postgres -d shop "${@:2}" | sed '/^\\\(un\)\?restrict/d'; }
diff <(plain "$SEXTON_PORT" --schema-only) <(plain "$SERVER_PORT" --schema-only)
echo "ways 2"
