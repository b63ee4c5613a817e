// pgx: prepared and cached, by the simple protocol, and as a batch.
package main

import (
	"bufio"
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v4"
)

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func check(line []string, rows pgx.Rows, err error) {
	must(err)
	found := int64(0)
	for rows.Next() {
		found++
	}
	must(rows.Err())
	if line[0] == "count" {
		found = rows.CommandTag().RowsAffected()
	}
	if strconv.FormatInt(found, 10) != line[1] {
		log.Fatalf("%v: found %d", line, found)
	}
}

func main() {
	ctx := context.Background()
	first, err := strconv.Atoi(os.Getenv("FIRST_ID"))
	must(err)
	connection, err := pgx.Connect(ctx, "host=127.0.0.1 sslmode=disable user=app dbname=shop port="+os.Getenv("SEXTON_PORT"))
	must(err)
	var lines [][]string
	file, err := os.Open(os.Getenv("SCENARIO"))
	must(err)
	for scanner := bufio.NewScanner(file); scanner.Scan(); {
		if !strings.HasPrefix(scanner.Text(), "#") {
			lines = append(lines, strings.SplitN(scanner.Text(), " ", 3))
		}
	}
	for way, simple := range []bool{false, true} {
		for _, line := range lines {
			rows, err := connection.Query(ctx, line[2], pgx.QuerySimpleProtocol(simple), first+way)
			check(line, rows, err)
		}
	}
	batch := &pgx.Batch{}
	for _, line := range lines {
		batch.Queue(line[2], first+2)
	}
	results := connection.SendBatch(ctx, batch)
	for _, line := range lines {
		rows, err := results.Query()
		check(line, rows, err)
	}
	must(results.Close())
	fmt.Println("ways 3")
}
