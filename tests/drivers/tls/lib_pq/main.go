// lib/pq: its default is to verify nothing but to insist on TLS.
package main

import (
	"database/sql"
	"fmt"
	"log"
	"os"

	_ "github.com/lib/pq"
)

func main() {
	connections, err := sql.Open("postgres", "")
	if err != nil {
		log.Fatal(err)
	}
	var user, ssl string
	if err := connections.QueryRow(os.Getenv("SQL")).Scan(&user, &ssl); err != nil {
		log.Fatal(err)
	}
	fmt.Println(user, ssl)
}
