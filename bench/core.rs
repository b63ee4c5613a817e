//! What a statement costs before any socket: `cargo bench --bench core`.
//!
//! The paths of a statement (parse, shape, exact text), and whole round trips of a session: what the client sends and
//! what the server answers, each moved through the state machine once.

use std::sync::Arc;

use bytes::BytesMut;
use divan::Bencher;
use divan::counter::BytesCount;
use sexton::catalog::RoleFacts;
use sexton::config;
use sexton::rewrite::Registry;
use sexton::session::cache::PlanCache;
use sexton::session::plan::Plan;
use sexton::session::{ClientStep, ServerStep, Session};
use sexton::sql::second_parser;
use sexton::wire::startup::{First, first};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// As an ORM writes it: about 300 bytes, two joins, one literal.
const ORM_SELECT: &str = "SELECT \"users\".\"id\", \"users\".\"name\", \"users\".\"email\", \"orders\".\"id\" AS \"order_id\", \
     \"items\".\"name\" AS \"item\" FROM \"users\" INNER JOIN \"orders\" ON \"orders\".\"user_id\" = \"users\".\"id\" \
     LEFT OUTER JOIN \"items\" ON \"items\".\"id\" = \"orders\".\"item_id\" WHERE \"users\".\"id\" = 4711 \
     ORDER BY \"orders\".\"id\" DESC LIMIT 25";

const POINT_SELECT: &str = "SELECT abalance FROM users WHERE id = ";

/// On a stack as the threads that serve clients have it.
fn main() {
    let bench = std::thread::Builder::new().stack_size(second_parser::STACK_BYTES).spawn(divan::main);
    bench.expect("a thread").join().expect("the benchmarks end");
}

/// `users`, `orders` and `items`, and as many more as make `tables`; all of them soft.
fn registry(tables: usize) -> Arc<Registry> {
    let mut text = String::from(
        "[listen]\naddress = \"127.0.0.1:6432\"\n[upstream]\naddress = \"127.0.0.1:5432\"\nuser = \"sexton\"\n",
    );
    let more = (3..tables).map(|number| format!("table_{number}"));
    for table in ["users", "orders", "items"].map(str::to_owned).into_iter().chain(more) {
        text += &format!("[databases.bench.tables.{table}]\ndelete = \"soft\"\n");
    }
    let config = config::parse(&text, &|_| None).expect("the configuration is good");
    let (registry, _) = Registry::offline(config.databases.find("bench").expect("it is configured"));
    Arc::new(registry)
}

fn role() -> RoleFacts {
    RoleFacts { search_path: Some("public".to_owned()), ..RoleFacts::ordinary("app") }
}

/// A session with its buffers, past authentication.
struct Conversation {
    session: Session,
    from_client: BytesMut,
    from_server: BytesMut,
    to_client: BytesMut,
    to_server: BytesMut,
}

impl Conversation {
    fn new() -> Self {
        let Ok(Some((First::Startup(startup), _))) = first(b"\0\0\0\x12\0\x03\0\0user\0app\0\0") else {
            panic!("a startup packet")
        };
        let mut session = Session::new(&startup, Plan::new);
        session.begin(role(), registry(3), Arc::new(PlanCache::default())).expect("its scope is live");
        let buffer = || BytesMut::with_capacity(8192);
        let (from_client, from_server, to_client, to_server) = (buffer(), buffer(), buffer(), buffer());
        Self { session, from_client, from_server, to_client, to_server }
    }

    /// One round trip: what `asks` holds goes to the server, what `answers` holds to the client.
    fn trip(&mut self, asks: &[u8], answers: &[u8]) -> usize {
        self.from_client.extend_from_slice(asks);
        let (taken, step) = self.session.client_bytes(&self.from_client, &mut self.to_server);
        taken.settle(&mut self.from_client, &mut self.to_server);
        assert_eq!(step, ClientStep::NeedMore);
        self.from_server.extend_from_slice(answers);
        let (taken, step) = self.session.server_bytes(&self.from_server, &mut self.to_client);
        taken.settle(&mut self.from_server, &mut self.to_client);
        assert_eq!(step, ServerStep::NeedMore);
        let bytes = self.to_server.len() + self.to_client.len();
        self.to_server.clear();
        self.to_client.clear();
        bytes
    }
}

fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("short");
    [&[tag], length.to_be_bytes().as_slice(), body].concat()
}

fn query(text: &str) -> Vec<u8> {
    message(b'Q', format!("{text}\0").as_bytes())
}

const ROW: &[u8] = b"\0\x01\0\0\0\x041234";
const COLUMNS: &[u8] = b"\0\x01abalance\0\0\0\x40\0\0\x03\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0";

fn simple_answers() -> Vec<u8> {
    [message(b'T', COLUMNS), message(b'D', ROW), message(b'C', b"SELECT 1\0"), message(b'Z', b"I")].concat()
}

fn bound_answers() -> Vec<u8> {
    [message(b'2', b""), message(b'D', ROW), message(b'C', b"SELECT 1\0"), message(b'Z', b"I")].concat()
}

fn bound_asks(statement: &str) -> Vec<u8> {
    let bind = [b"\0".as_slice(), statement.as_bytes(), b"\0\0\0\0\x01\0\0\0\x0442\x3011\0\0"].concat();
    [message(b'B', &bind), message(b'D', b"P\0"), message(b'E', b"\0\0\0\0\0"), message(b'S', b"")].concat()
}

mod session {
    use super::*;

    #[divan::bench]
    fn simple_repeated(bencher: Bencher<'_, '_>) {
        let mut talk = Conversation::new();
        let (asks, answers) = (query(&format!("{POINT_SELECT}1;")), simple_answers());
        bencher.bench_local(|| talk.trip(&asks, &answers));
    }

    #[divan::bench]
    fn simple_unique_literals(bencher: Bencher<'_, '_>) {
        let (mut talk, answers, mut number) = (Conversation::new(), simple_answers(), 0u64);
        bencher
            .with_inputs(|| {
                number += 1;
                query(&format!("{POINT_SELECT}{number};"))
            })
            .bench_local_values(|asks| talk.trip(&asks, &answers));
    }

    #[divan::bench]
    fn extended_unnamed(bencher: Bencher<'_, '_>) {
        let mut talk = Conversation::new();
        let parse = message(b'P', format!("\0{POINT_SELECT}$1\0\0\0").as_bytes());
        let asks = [parse, bound_asks("")].concat();
        let answers = [message(b'1', b""), bound_answers()].concat();
        bencher.bench_local(|| talk.trip(&asks, &answers));
    }

    #[divan::bench]
    fn prepared(bencher: Bencher<'_, '_>) {
        let mut talk = Conversation::new();
        let parse = message(b'P', format!("P0_1\0{POINT_SELECT}$1\0\0\0").as_bytes());
        talk.trip(&[parse, message(b'S', b"")].concat(), &[message(b'1', b""), message(b'Z', b"I")].concat());
        let (asks, answers) = (bound_asks("P0_1"), bound_answers());
        bencher.bench_local(|| talk.trip(&asks, &answers));
    }
}

mod paths {
    use sexton::rewrite::state::State;
    use sexton::session::cache::Basis;
    use sexton::session::settings::Settings;
    use thread_local::ThreadLocal;

    use super::*;

    fn settings() -> Settings {
        Settings::new(State::new(Some("public")))
    }

    /// A cache that has seen the statement, twice as it is and often with another number.
    fn warm(registry: &Registry, settings: &Settings) -> (PlanCache, Basis) {
        let cache = PlanCache::default();
        let basis = cache.basis(1, settings.current(), &Arc::new(role()));
        for _ in 0..3 {
            cache.plan(ORM_SELECT.as_bytes(), &basis, |text| Plan::new(text, settings, &role(), registry));
        }
        (cache, basis)
    }

    #[divan::bench]
    fn exact(bencher: Bencher<'_, '_>) {
        let (registry, settings) = (registry(3), settings());
        let (cache, basis) = warm(&registry, &settings);
        bencher
            .counter(BytesCount::new(ORM_SELECT.len()))
            .bench_local(|| cache.plan(ORM_SELECT.as_bytes(), &basis, |_| panic!("it is there")));
    }

    /// What threads share goes from core to core with every text: each thread that serves clients has a cache of its own.
    #[divan::bench(threads = [1, 2], args = ["shared", "own"])]
    fn exact_by_threads(bencher: Bencher<'_, '_>, whose: &str) {
        let (registry, settings) = (registry(3), settings());
        let (shared, own) = (warm(&registry, &settings), ThreadLocal::new());
        bencher.bench(|| {
            let (cache, basis) = match whose {
                "own" => own.get_or(|| warm(&registry, &settings)),
                _ => &shared,
            };
            cache.plan(ORM_SELECT.as_bytes(), basis, |_| panic!("it is there"))
        });
    }

    #[divan::bench]
    fn shape(bencher: Bencher<'_, '_>) {
        let (registry, settings) = (registry(3), settings());
        let (cache, basis) = warm(&registry, &settings);
        let mut number = 10_000;
        bencher
            .counter(BytesCount::new(ORM_SELECT.len()))
            .with_inputs(|| {
                number += 1;
                ORM_SELECT.replace("4711", &number.to_string())
            })
            .bench_local_refs(|text| cache.plan(text.as_bytes(), &basis, |_| panic!("its shape is there")));
    }

    /// Registered tables: the cost must not grow with them.
    #[divan::bench(args = [3, 30, 300, 1000])]
    fn parse(bencher: Bencher<'_, '_>, tables: usize) {
        let (registry, settings, role) = (registry(tables), settings(), role());
        bencher
            .counter(BytesCount::new(ORM_SELECT.len()))
            .bench_local(|| Plan::new(ORM_SELECT.as_bytes(), &settings, &role, &registry));
    }

    /// The statement several times in one: the cost must grow no faster.
    #[divan::bench(args = [1, 4, 16, 64])]
    fn parse_long(bencher: Bencher<'_, '_>, times: usize) {
        let (registry, settings, role) = (registry(3), settings(), role());
        let text = vec![format!("({ORM_SELECT})"); times].join(" UNION ALL ");
        bencher
            .counter(BytesCount::new(text.len()))
            .bench_local(|| Plan::new(text.as_bytes(), &settings, &role, &registry));
    }

    #[divan::bench]
    fn negative(bencher: Bencher<'_, '_>) {
        let (registry, settings, role) = (registry(3), settings(), role());
        let text = ORM_SELECT.replace("users", "people").replace("orders", "buys").replace("items", "things");
        bencher
            .counter(BytesCount::new(text.len()))
            .bench_local(|| Plan::new(text.as_bytes(), &settings, &role, &registry));
    }
}
