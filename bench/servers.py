"""The throwaway servers of a run: PostgreSQL, and in front of it everything that is compared."""

import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLES = ["accounts", "branches", "tellers", "history"]
# As many branches as clients: with fewer, TPC-B tells how long a lock is held and little else.
SCALE = 16
# What the names of doors end with that have TLS on both legs.
TLS = ", TLS"
# PgBouncer, with what Sexton adds to a statement written out.
BY_HAND = "pgbouncer, by hand"
# Sexton, for sessions that do nothing.
IDLE = "sexton, kept for idle sessions"


def cores():
    return len(os.sched_getaffinity(0))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def find(program):
    """The path of a program of PostgreSQL's, the newest version's first; or of any other."""
    known = sorted(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{program}"), key=lambda it: -int(it.parts[-3]))
    found = known[0] if known else shutil.which(program)
    return str(found) if found else None


def install(*packages):
    """Installs what is missing with the system's package manager, where that is allowed."""
    missing = [package for package in packages if not shutil.which(package)]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing]
        subprocess.run(command, check=False, env=environment, stdout=subprocess.DEVNULL)


class Door:
    """One way to the database: a port, the process whose time it takes, and libpq's `sslmode` for it."""

    def __init__(self, name, port, pid=None, sslmode="disable"):
        self.name, self.port, self.pid, self.sslmode = name, port, pid, sslmode

    @property
    def environment(self):
        return {**os.environ, "PGSSLMODE": self.sslmode}

    def cpu_seconds(self):
        if self.pid is None:
            return None
        # The time a thread has run is its first field, in nanoseconds.
        tasks = pathlib.Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9

    def memory_bytes(self):
        """What the process holds, its program and files left out."""
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"RssAnon:\s+(\d+) kB", status)[1]) * 1024

    def connect(self):
        """A session that has run a statement and does nothing more."""
        session = socket.create_connection(("127.0.0.1", self.port))
        if self.sslmode != "disable":
            session.sendall(struct.pack("!ii", 8, 80877103))
            if session.recv(1) != b"S":
                raise SystemExit(f"bench/run: {self.name} has no TLS")
            unverified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
            session = unverified.wrap_socket(session)
        startup = b"user\0postgres\0database\0bench\0\0"
        query = b"SELECT abalance FROM pgbench_accounts WHERE aid = 4711\0"
        for message in (struct.pack("!ii", len(startup) + 8, 196608) + startup, struct.pack("!ci", b"Q", len(query) + 4) + query):
            session.sendall(message)
            answer = b""
            while not answer.endswith(b"Z\0\0\0\5I"):
                got = session.recv(8192)
                if not got:
                    raise SystemExit(f"bench/run: {self.name} ended a session: {answer}")
                answer += got
        return session


class Bed:
    """All doors to one database, open as long as the context lasts."""

    def __init__(self, directory, idle):
        self.directory, self.idle, self.processes, self.doors = directory, idle, [], {}

    def __enter__(self):
        install("pgbouncer", "haproxy", "openssl")
        # PostgreSQL and PgBouncer refuse to run as root.
        self.unprivileged = {"cwd": "/"}
        if os.geteuid() == 0:
            self.unprivileged |= {"user": "postgres", "group": "postgres", "extra_groups": []}
            os.chown(self.directory, pwd.getpwnam("postgres").pw_uid, -1)
        try:
            self.start_postgres()
            self.build()
            self.start_doors()
            self.hold_sessions()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGINT)
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()

    def psql(self, *commands, port=None):
        arguments = [part for command in commands for part in ("-c", command)]
        psql = [find("psql"), "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", *self.at(port), "-d", "bench"]
        return subprocess.run([*psql, *arguments], check=True, capture_output=True, text=True).stdout.strip()

    def at(self, port=None):
        return ["-h", "127.0.0.1", "-U", "postgres", "-p", str(port or self.port)]

    def spawn(self, *command, port, **more):
        log = open(self.directory / f"{pathlib.Path(command[-1]).name}.{port}.log", "w")
        # Each in a session of its own, as services are: the scheduler may share the cores among sessions.
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True, **more)
        self.processes.append(process)
        for _ in range(300):
            if process.poll() is not None:
                raise SystemExit(f"bench/run: {command[0]} ended: {pathlib.Path(log.name).read_text()}")
            try:
                socket.create_connection(("127.0.0.1", port), 0.2).close()
                return process
            except OSError:
                time.sleep(0.1)
        raise SystemExit(f"bench/run: {command[0]} does not listen")

    def make_certificate(self):
        self.certificate, self.key = self.directory / "server.crt", self.directory / "server.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-subj", "/CN=localhost", "-days", "2", "-keyout", str(self.key), "-out", str(self.certificate)],
                       check=True, capture_output=True)
        self.key.chmod(0o600)
        if os.geteuid() == 0:
            os.chown(self.key, pwd.getpwnam("postgres").pw_uid, -1)

    def start_postgres(self):
        self.make_certificate()
        self.port, data = free_port(), self.directory / "data"
        initdb = [find("initdb"), "-D", str(data), "-A", "trust", "-U", "postgres", "--no-sync"]
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, **self.unprivileged)
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": 400 + self.idle,
            "shared_buffers": "512MB",
            "fsync": "off",
            "autovacuum": "off",
            "ssl": "on",
            "ssl_cert_file": self.certificate,
            "ssl_key_file": self.key,
        }
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        self.spawn(find("postgres"), *options, "-D", str(data), port=self.port, **self.unprivileged)
        subprocess.run([find("createdb"), *self.at(), "bench"], check=True)
        pgbench = [find("pgbench"), *self.at(), "-i", "-q", "-s", str(SCALE), "bench"]
        subprocess.run(pgbench, check=True, capture_output=True)
        marks = [f"ALTER TABLE pgbench_{table} ADD COLUMN deleted_at timestamptz" for table in TABLES]
        self.psql(*marks, (ROOT / "bench/workloads/schema.sql").read_text())

    def build(self):
        cargo = ["cargo", "build", "--quiet", "--release"]
        subprocess.run([*cargo, "--bin", "sexton", "--bench", "splice"], check=True, cwd=ROOT)
        target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
        self.sexton = str(target / "sexton")
        splices = [it for it in (target / "deps").glob("splice-*") if not it.suffix and os.access(it, os.X_OK)]
        self.splice = str(max(splices, key=lambda it: it.stat().st_mtime))

    def start_doors(self):
        self.doors["direct"] = Door("direct", self.port)
        self.start_pgbouncer("pgbouncer")
        self.start_pgbouncer(f"pgbouncer{TLS}", "client_tls_sslmode = require\nserver_tls_sslmode = require\n"
                             f"client_tls_cert_file = {self.certificate}\nclient_tls_key_file = {self.key}\n")
        self.start_haproxy()
        port = free_port()
        process = self.spawn(self.splice, f"127.0.0.1:{port}", f"127.0.0.1:{self.port}", port=port)
        self.doors["splice"] = Door("splice", port, process.pid)
        registered = "".join(self.table(f"pgbench_{table}", "soft") for table in TABLES)
        registered += self.table("notes", "soft") + self.table("letters", "archive")
        self.start_sexton("sexton", registered)
        self.start_sexton("sexton, one text", registered)
        self.start_sexton("sexton, nothing registered", "[databases.bench]\n")
        tls = f'tls = "require"\n[listen.tls]\nmode = "require"\ncert = "{self.certificate}"\nkey = "{self.key}"\n'
        self.start_sexton(f"sexton{TLS}", registered, tls)
        # Of their own: what earlier sessions have left is used again.
        self.start_sexton(IDLE, registered)
        self.start_sexton(f"{IDLE}{TLS}", registered, tls)

    def hold_sessions(self):
        """A session through every door that does nothing: a proxy in use is never without one."""
        for door in self.doors.values():
            # Between transactions: an open one would keep every row version that the runs leave behind.
            psql = [find("psql"), "-X", "-q", *self.at(door.port), "-d", "bench"]
            held = subprocess.Popen(psql, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                    env=door.environment)
            self.processes.append(held)

    def table(self, name, strategy):
        return f'[databases.bench.tables.{name}]\ndelete = "{strategy}"\n'

    def start_sexton(self, name, databases, more=""):
        port = free_port()
        path = self.directory / f"sexton.{port}.toml"
        path.write_text(f'[listen]\naddress = "127.0.0.1:{port}"\n[upstream]\naddress = "127.0.0.1:{self.port}"\n'
                        f'user = "postgres"\n{more}{databases}')
        process = self.spawn(self.sexton, "serve", "--config", str(path), port=port)
        self.doors[name] = Door(name, port, process.pid, "require" if name.endswith(TLS) else "disable")

    def start_pgbouncer(self, name, more=""):
        if not shutil.which("pgbouncer"):
            return print("skipped: PgBouncer is not installed")
        port, users = free_port(), self.directory / "users"
        path = self.directory / f"pgbouncer.{port}.ini"
        users.write_text('"postgres" ""\n')
        path.write_text(f"[databases]\nbench = host=127.0.0.1 port={self.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
                        f"listen_port = {port}\nunix_socket_dir =\nauth_type = trust\nauth_file = {users}\n"
                        f"pool_mode = session\nmax_client_conn = 1000\ndefault_pool_size = 300\n{more}")
        process = self.spawn("pgbouncer", "-q", str(path), port=port, **self.unprivileged)
        self.doors[name] = Door(name, port, process.pid, "require" if name.endswith(TLS) else "disable")
        if name == "pgbouncer":
            self.doors[BY_HAND] = Door(BY_HAND, port, process.pid)

    def start_haproxy(self):
        if not shutil.which("haproxy"):
            return print("skipped: HAProxy is not installed")
        port, path = free_port(), self.directory / "haproxy.cfg"
        path.write_text(f"global\n maxconn 2000\ndefaults\n mode tcp\n timeout connect 5s\n timeout client 1h\n"
                        f" timeout server 1h\nlisten bench\n bind 127.0.0.1:{port}\n server s 127.0.0.1:{self.port}\n")
        process = self.spawn("haproxy", "-db", "-f", str(path), port=port)
        self.doors["haproxy"] = Door("haproxy", port, process.pid)

    @property
    def versions(self):
        def first(command):
            said = subprocess.run(command, capture_output=True, text=True)
            return (said.stdout or said.stderr).splitlines()[0].strip()
        asked = [[find("postgres"), "--version"], [self.sexton, "--version"]]
        asked += [["pgbouncer", "--version"]] if "pgbouncer" in self.doors else []
        asked += [["haproxy", "-v"]] if "haproxy" in self.doors else []
        return "; ".join(first(command) for command in asked)
