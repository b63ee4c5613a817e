// pgjdbc, by its default settings.

import java.sql.*;

class LogIn {
    public static void main(String[] arguments) throws SQLException {
        String url = "jdbc:postgresql://localhost:" + System.getenv("SEXTON_PORT") + "/postgres";
        try (Connection connection =
                DriverManager.getConnection(url, System.getenv("SEXTON_USER"), System.getenv("SEXTON_PASSWORD"))) {
            ResultSet row = connection.createStatement().executeQuery(System.getenv("SQL"));
            row.next();
            System.out.println(row.getString(1) + " " + row.getString(2));
        }
    }
}
