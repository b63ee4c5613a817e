-- The tables of the twin run with keys: every action a foreign key has, and every strategy along them. The same in both
-- databases; in the one with real deletes the marker columns are never set.
CREATE TABLE orgs (id int PRIMARY KEY, code text UNIQUE, name text, deleted_at timestamptz);
CREATE TABLE teams (
    id int PRIMARY KEY,
    org_id int REFERENCES orgs ON DELETE CASCADE ON UPDATE CASCADE,
    lead_id int,
    slug text,
    name text,
    deleted boolean NOT NULL DEFAULT false,
    UNIQUE (org_id, slug)
);
CREATE TABLE people (
    id int PRIMARY KEY,
    team_id int REFERENCES teams ON DELETE SET NULL ON UPDATE CASCADE,
    boss_id int REFERENCES people ON DELETE CASCADE,
    email text UNIQUE,
    name text,
    deleted_at timestamptz
);
-- A cycle: a team has a lead, who is in a team.
ALTER TABLE teams ADD FOREIGN KEY (lead_id) REFERENCES people ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED;
CREATE TABLE places (id int PRIMARY KEY, code text UNIQUE, name text);
CREATE TABLE orders (
    id int PRIMARY KEY,
    person_id int REFERENCES people,
    place_id int REFERENCES places ON DELETE CASCADE,
    code text UNIQUE,
    name text
);
CREATE TABLE lines (
    order_id int REFERENCES orders ON DELETE CASCADE ON UPDATE CASCADE,
    no int,
    name text,
    deleted_at timestamptz,
    PRIMARY KEY (order_id, no)
);
CREATE TABLE parts (
    id int PRIMARY KEY,
    order_id int,
    line_no int,
    name text,
    FOREIGN KEY (order_id, line_no) REFERENCES lines ON DELETE SET NULL
);
CREATE TABLE bookings (
    id int PRIMARY KEY,
    place_id int REFERENCES places ON DELETE CASCADE,
    person_id int REFERENCES people ON DELETE RESTRICT,
    seat text,
    name text,
    state text NOT NULL DEFAULT 'held',
    UNIQUE (place_id, seat)
);
CREATE TABLE notes (
    id int PRIMARY KEY,
    org_id int REFERENCES orgs ON DELETE CASCADE,
    order_id int DEFAULT 1 REFERENCES orders ON DELETE SET DEFAULT,
    name text
);
CREATE TABLE badges (
    id int PRIMARY KEY,
    person_id int REFERENCES people DEFERRABLE INITIALLY DEFERRED,
    code text UNIQUE DEFERRABLE INITIALLY IMMEDIATE,
    name text,
    gone boolean
);
CREATE TABLE grants (
    id int PRIMARY KEY,
    badge_id int REFERENCES badges DEFERRABLE INITIALLY IMMEDIATE,
    org_id int DEFAULT 2 REFERENCES orgs ON DELETE SET DEFAULT DEFERRABLE INITIALLY DEFERRED,
    name text
);
CREATE TABLE invoices (
    id int PRIMARY KEY,
    org_id int REFERENCES orgs ON DELETE CASCADE ON UPDATE SET NULL,
    code text UNIQUE,
    name text
);
CREATE TABLE pieces (
    id int PRIMARY KEY,
    order_id int,
    line_no int,
    name text,
    deleted_at timestamptz,
    FOREIGN KEY (order_id, line_no) REFERENCES lines MATCH FULL ON DELETE CASCADE ON UPDATE CASCADE
);
-- Since PostgreSQL 15 only one of the columns may be set.
DO $$ BEGIN
    IF current_setting('server_version_num')::int >= 150000 THEN
        EXECUTE 'ALTER TABLE parts DROP CONSTRAINT parts_order_id_line_no_fkey,
            ADD FOREIGN KEY (order_id, line_no) REFERENCES lines ON DELETE SET NULL (line_no)';
    END IF;
END $$;
INSERT INTO orgs SELECT i, 'c' || i, 'org ' || i FROM generate_series(1, 10) i;
INSERT INTO teams SELECT i, i % 7 + 1, NULL, 'c' || i % 3, 'team ' || i FROM generate_series(1, 10) i;
INSERT INTO people SELECT i, i % 5 + 1, nullif(i / 3, 0), 'c' || i, 'person ' || i FROM generate_series(1, 10) i;
UPDATE teams SET lead_id = id WHERE id % 3 = 0;
INSERT INTO places SELECT i, 'c' || i, 'place ' || i FROM generate_series(1, 10) i;
INSERT INTO orders SELECT i, i % 4 + 1, i, 'c' || i, 'order ' || i FROM generate_series(1, 10) i;
INSERT INTO lines SELECT i, n, 'line ' || n FROM generate_series(1, 10) i, generate_series(1, 2) n;
INSERT INTO parts SELECT i, i, 1, 'part ' || i FROM generate_series(1, 10) i;
INSERT INTO bookings SELECT i, i % 5 + 1, i, 'c' || i % 6, 'booking ' || i FROM generate_series(5, 10) i;
INSERT INTO notes SELECT i, i % 6 + 1, i, 'note ' || i FROM generate_series(1, 10) i;
INSERT INTO badges SELECT i, i % 9 + 1, 'c' || i, 'badge ' || i FROM generate_series(1, 10) i;
INSERT INTO grants SELECT i, i % 6 + 1, i % 8 + 1, 'grant ' || i FROM generate_series(1, 10) i;
INSERT INTO invoices SELECT i, i % 6 + 1, 'c' || i, 'invoice ' || i FROM generate_series(1, 10) i;
INSERT INTO pieces SELECT i, i, 2, 'piece ' || i FROM generate_series(1, 10) i;
