// pgjdbc: simple, with parameters, prepared by the server, and in a batch.

import java.nio.file.*;
import java.sql.*;
import java.util.*;

class WithPgjdbc {
    record Line(String kind, int expected, String sql) {}

    static final List<Line> statements = new ArrayList<>();

    static void same(Line line, int found) {
        if (found != line.expected) throw new AssertionError(line + ": found " + found);
    }

    static int rows(ResultSet result) throws SQLException {
        int rows = 0;
        while (result.next()) rows++;
        return rows;
    }

    static void run(Connection connection, int id) throws SQLException {
        for (Line line : statements) {
            try (PreparedStatement statement = connection.prepareStatement(line.sql.replace("$1", "?"))) {
                statement.setInt(1, id);
                same(line, line.kind.equals("rows") ? rows(statement.executeQuery()) : statement.executeUpdate());
            }
        }
    }

    // Those that answer counts in one batch each, which pgjdbc pipelines.
    static void batches(Connection connection, int id) throws SQLException {
        try (Statement batch = connection.createStatement()) {
            List<Line> queued = new ArrayList<>();
            for (Line line : statements) {
                if (line.kind.equals("count")) {
                    batch.addBatch(line.sql.replace("$1", "" + id));
                    queued.add(line);
                    continue;
                }
                flush(batch, queued);
                try (Statement query = connection.createStatement()) {
                    same(line, rows(query.executeQuery(line.sql.replace("$1", "" + id))));
                }
            }
            flush(batch, queued);
        }
    }

    static void flush(Statement batch, List<Line> queued) throws SQLException {
        int[] counts = batch.executeBatch();
        for (int i = 0; i < counts.length; i++) same(queued.get(i), counts[i]);
        queued.clear();
    }

    public static void main(String[] arguments) throws Exception {
        for (String line : Files.readAllLines(Path.of(System.getenv("SCENARIO")))) {
            if (line.startsWith("#")) continue;
            String[] parts = line.split(" ", 3);
            statements.add(new Line(parts[0], Integer.parseInt(parts[1]), parts[2]));
        }
        int first = Integer.parseInt(System.getenv("FIRST_ID"));
        String url = "jdbc:postgresql://127.0.0.1:" + System.getenv("SEXTON_PORT") + "/shop?user=app&sslmode=disable";
        String[] modes = {"preferQueryMode=simple", "prepareThreshold=0", "prepareThreshold=-1", "autosave=always"};
        int id = first;
        for (String mode : modes) {
            try (Connection connection = DriverManager.getConnection(url + "&" + mode)) {
                connection.setAutoCommit(!mode.startsWith("autosave"));
                run(connection, id++);
                batches(connection, id++);
                if (!connection.getAutoCommit()) connection.commit();
            }
        }
        System.out.println("ways " + (id - first));
    }
}
