// lib/pq: with parameters, and prepared.
package main

import (
	"bufio"
	"database/sql"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"

	_ "github.com/lib/pq"
)

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	db, err := sql.Open("postgres", "host=127.0.0.1 sslmode=disable user=app dbname=shop port="+os.Getenv("SEXTON_PORT"))
	must(err)
	first, err := strconv.Atoi(os.Getenv("FIRST_ID"))
	must(err)
	for way := 0; way < 2; way++ {
		file, err := os.Open(os.Getenv("SCENARIO"))
		must(err)
		for lines := bufio.NewScanner(file); lines.Scan(); {
			if strings.HasPrefix(lines.Text(), "#") {
				continue
			}
			parts := strings.SplitN(lines.Text(), " ", 3)
			query, execute := db.Query, db.Exec
			if way == 1 {
				statement, err := db.Prepare(parts[2])
				must(err)
				query = func(_ string, id ...interface{}) (*sql.Rows, error) { return statement.Query(id...) }
				execute = func(_ string, id ...interface{}) (sql.Result, error) { return statement.Exec(id...) }
			}
			found := int64(0)
			if parts[0] == "rows" {
				rows, err := query(parts[2], first+way)
				must(err)
				for rows.Next() {
					found++
				}
				must(rows.Err())
			} else {
				result, err := execute(parts[2], first+way)
				must(err)
				found, err = result.RowsAffected()
				must(err)
			}
			if strconv.FormatInt(found, 10) != parts[1] {
				log.Fatalf("%s: found %d", lines.Text(), found)
			}
		}
	}
	fmt.Println("ways 2")
}
