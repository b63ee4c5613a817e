// pgx, by its default settings.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/jackc/pgx/v4"
)

func main() {
	connection, err := pgx.Connect(context.Background(), "")
	if err != nil {
		log.Fatal(err)
	}
	var user, ssl string
	if err := connection.QueryRow(context.Background(), os.Getenv("SQL")).Scan(&user, &ssl); err != nil {
		log.Fatal(err)
	}
	fmt.Println(user, ssl)
}
