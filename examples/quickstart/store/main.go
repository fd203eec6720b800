// Command store is the guestbook's memory: a tiny key-value store over HTTP
// that keeps everything in one file of its volume.
//
//	GET  /protocol          the protocol that the store speaks, "1"
//	GET  /healthz           204 once the volume can be written
//	POST /count/NAME        adds one to a counter and answers its value
//	GET  /list/NAME         the entries of a list, one a line
//	POST /list/NAME         appends the body to a list
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// protocol is what clients must be made for.
const protocol = "1"

// maxEntry is the longest entry of a list, in bytes.
const maxEntry = 200

func main() {
	log.SetFlags(0)
	db, err := openDatabase(filepath.Join(setting("STORE_DIR", "/data"), "store.json"))
	if err != nil {
		log.Fatalf("the store cannot be opened: %v", err)
	}
	server := &http.Server{
		Addr:              setting("STORE_ADDRESS", ":7070"),
		Handler:           handler(db),
		ReadHeaderTimeout: 5 * time.Second,
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		<-ctx.Done()
		// The listener closes at once; requests under way get the rest of the grace period.
		if err := server.Shutdown(context.WithoutCancel(ctx)); err != nil {
			log.Printf("shutdown: %v", err)
		}
	}()
	log.Printf("store: protocol %s on %s", protocol, server.Addr)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatalf("store: %v", err)
	}
	<-ended
}

func handler(db *database) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /protocol", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, protocol)
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if err := db.save(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("POST /count/{name}", func(w http.ResponseWriter, r *http.Request) {
		n, err := db.count(r.PathValue("name"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprint(w, n)
	})
	mux.HandleFunc("GET /list/{name}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, strings.Join(db.list(r.PathValue("name")), "\n"))
	})
	mux.HandleFunc("POST /list/{name}", func(w http.ResponseWriter, r *http.Request) {
		entry, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxEntry))
		if err != nil {
			http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
			return
		}
		if err := db.add(r.PathValue("name"), strings.Join(strings.Fields(string(entry)), " ")); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

func setting(name, fallback string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return fallback
}
