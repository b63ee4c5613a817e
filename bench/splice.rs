//! The limit for a proxy built as this one is: two sockets, bytes copied, nothing read in them.
//!
//! `splice LISTEN UPSTREAM`: one runtime a core, one task a connection. `bench/run` holds Sexton against it.

use std::io;
use std::net::TcpListener as StdTcpListener;
use std::thread;

use tokio::io::copy_bidirectional_with_sizes;
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Handle};

/// As much as a relay of Sexton's reads at once.
const BUFFER_BYTES: usize = 8 * 1024;

fn main() -> io::Result<()> {
    // Cargo adds `--bench` to the arguments of every benchmark.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [listen, upstream] = arguments.as_slice() else {
        println!("splice LISTEN UPSTREAM (skipped: no addresses)");
        return Ok(());
    };
    let runtimes =
        (0..thread::available_parallelism()?.get()).map(|_| worker()).collect::<io::Result<Vec<Handle>>>()?;
    let listener = StdTcpListener::bind(listen)?;
    for runtime in runtimes.iter().cycle() {
        let (client, _) = listener.accept()?;
        client.set_nonblocking(true)?;
        let upstream = upstream.clone();
        runtime.spawn(async move {
            if let Err(error) = splice(client, &upstream).await {
                eprintln!("splice: {error}");
            }
        });
    }
    Ok(())
}

fn worker() -> io::Result<Handle> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let handle = runtime.handle().clone();
    thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
    Ok(handle)
}

async fn splice(client: std::net::TcpStream, upstream: &str) -> io::Result<()> {
    let mut client = TcpStream::from_std(client)?;
    let mut server = TcpStream::connect(upstream).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    copy_bidirectional_with_sizes(&mut client, &mut server, BUFFER_BYTES, BUFFER_BYTES).await?;
    Ok(())
}
