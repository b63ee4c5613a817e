//! diesel: through libpq, prepared and kept.

use diesel::sql_types::Integer;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl};
use drivers::{first_id, port, statements};

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Integer)]
    #[diesel(column_name = id)]
    _id: i32,
}

fn main() {
    let url = format!("postgres://app@127.0.0.1:{}/shop", port());
    let mut connection = PgConnection::establish(&url).expect("connected");
    for line in statements() {
        let query = diesel::sql_query(&line.sql).bind::<Integer, _>(first_id());
        line.check(match line.rows {
            true => query.load::<Row>(&mut connection).expect(&line.sql).len() as u64,
            false => query.execute(&mut connection).expect(&line.sql) as u64,
        });
    }
    println!("ways 1");
}
