//! sqlx, by its default settings.

use std::env::var;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    // They come from libpq's environment variables.
    let mut connection: PgConnection = PgConnectOptions::new().connect().await.expect("connected");
    let sql = var("SQL").expect("SQL");
    let (user, ssl): (String, String) = sqlx::query_as(&sql).fetch_one(&mut connection).await.expect("a row");
    println!("{user} {ssl}");
    connection.close().await.expect("closed");
}
