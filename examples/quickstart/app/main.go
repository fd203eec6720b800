// Command app is a guestbook: a page that counts its visitors and, from 1.1.0
// on, keeps what they write. It remembers everything in the store beside it.
package main

import (
	"context"
	"errors"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Set when the program is linked, so that one source makes every release.
var (
	version       = "1.0.0"
	storeProtocol = "1" // what this release needs the store to speak
)

func main() {
	log.SetFlags(0)
	host, err := os.Hostname()
	if err != nil {
		log.Fatalf("the host has no name: %v", err)
	}
	book := &guestbook{
		version:       version,
		storeProtocol: storeProtocol,
		host:          host,
		store:         store{url: setting("STORE_URL", "http://store:7070"), client: &http.Client{Timeout: 2 * time.Second}},
	}
	server := &http.Server{
		Addr:              setting("ADDRESS", ":8080"),
		Handler:           book.handler(),
		ReadHeaderTimeout: 5 * time.Second,
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		<-ctx.Done()
		log.Print("guestbook: finishing the requests under way")
		if err := server.Shutdown(context.WithoutCancel(ctx)); err != nil {
			log.Printf("guestbook: shutdown: %v", err)
		}
	}()
	log.Printf("guestbook %s on %s", version, server.Addr)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatalf("guestbook: %v", err)
	}
	<-ended
}

func setting(name, fallback string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return fallback
}
