//! sqlx: prepared and kept, and prepared anew each time.

use drivers::{first_id, port, statements};
use sqlx::{Connection, PgConnection};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let url = format!("postgres://app@127.0.0.1:{}/shop?sslmode=disable", port());
    let mut connection = PgConnection::connect(&url).await.expect("connected");
    for (id, persistent) in [(first_id(), true), (first_id() + 1, false)] {
        for line in statements() {
            let query = sqlx::query(&line.sql).bind(id).persistent(persistent);
            line.check(match line.rows {
                true => query.fetch_all(&mut connection).await.expect(&line.sql).len() as u64,
                false => query.execute(&mut connection).await.expect(&line.sql).rows_affected(),
            });
        }
    }
    println!("ways 2");
}
