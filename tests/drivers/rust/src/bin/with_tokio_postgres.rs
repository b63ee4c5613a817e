//! tokio-postgres: prepared, and pipelined by waiting for all at once.

use drivers::{first_id, port, statements};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let settings = format!("host=127.0.0.1 port={} user=app dbname=shop", port());
    let (client, connection) = tokio_postgres::connect(&settings, tokio_postgres::NoTls).await.expect("connected");
    tokio::spawn(connection);
    let lines = statements();
    let mut id = first_id();
    for line in &lines {
        line.check(match line.rows {
            true => client.query(&line.sql, &[&id]).await.expect(&line.sql).len() as u64,
            false => client.execute(&line.sql, &[&id]).await.expect(&line.sql),
        });
    }
    id += 1;
    for line in &lines {
        let sql = line.sql.replace("$1", &id.to_string());
        let answer = client.simple_query(&sql).await.expect(&sql);
        let rows = |it: &&tokio_postgres::SimpleQueryMessage| matches!(it, tokio_postgres::SimpleQueryMessage::Row(_));
        let count = answer.iter().find_map(|it| match it {
            tokio_postgres::SimpleQueryMessage::CommandComplete(count) => Some(*count),
            _ => None,
        });
        line.check(if line.rows { answer.iter().filter(rows).count() as u64 } else { count.expect("a tag") });
    }
    println!("ways 2");
}
