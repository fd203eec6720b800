package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// patience bounds what /dial and /outbound wait for others.
const patience = 5 * time.Second

func handler(started time.Time, open *streams) http.Handler {
	var count, busy atomic.Int64
	var doomed sync.Once
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		busy.Add(1)
		defer busy.Add(-1)
		time.Sleep(duration("SLOW_REQUEST"))
		say(w, nil, os.Getenv("VERSION")+"\n")
	})
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		if os.Getenv("HEALTH") == "fail" || time.Since(started) < duration("HEALTHY_AFTER") {
			http.Error(w, "not healthy", http.StatusServiceUnavailable)
			return
		}
		if after := duration("DIE_HEALTHY"); after > 0 {
			doomed.Do(func() { dieAfter(after) })
		}
		say(w, nil, "ok\n")
	})
	mux.HandleFunc("/env", func(w http.ResponseWriter, _ *http.Request) {
		env := os.Environ()
		slices.Sort(env)
		say(w, nil, strings.Join(env, "\n")+"\n")
	})
	mux.HandleFunc("/hostname", func(w http.ResponseWriter, _ *http.Request) {
		name, err := os.Hostname()
		say(w, err, name+"\n")
	})
	mux.HandleFunc("/visitor", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, r.Header.Get("X-Forwarded-For"))
	})
	mux.HandleFunc("/count", func(w http.ResponseWriter, _ *http.Request) {
		say(w, nil, fmt.Sprintln(count.Add(1)))
	})
	mux.HandleFunc("/busy", func(w http.ResponseWriter, _ *http.Request) {
		say(w, nil, fmt.Sprintln(busy.Load()))
	})
	mux.HandleFunc("/dial", func(w http.ResponseWriter, r *http.Request) {
		say(w, dial(r.FormValue("addr")), "connected\n")
	})
	mux.HandleFunc("/write", func(w http.ResponseWriter, r *http.Request) {
		say(w, os.WriteFile(r.FormValue("path"), []byte(r.FormValue("text")), 0o644), "written\n") //nolint:gosec // what it is for
	})
	mux.HandleFunc("/read", func(w http.ResponseWriter, r *http.Request) {
		text, err := os.ReadFile(r.FormValue("path"))
		say(w, err, string(text))
	})
	mux.HandleFunc("/outbound", func(w http.ResponseWriter, r *http.Request) {
		text, err := outbound(r.FormValue("url"))
		say(w, err, text)
	})
	mux.HandleFunc("/work", work)
	mux.HandleFunc("/events", open.events)
	mux.HandleFunc("/websocket", open.websocket)
	return mux
}

func say(w http.ResponseWriter, err error, text string) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	_, _ = io.WriteString(w, text)
}

func dial(address string) error {
	conn, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return err
	}
	return conn.Close()
}

func outbound(url string) (string, error) {
	client := http.Client{Timeout: patience}
	resp, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	text, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return fmt.Sprintf("%s\n%s", resp.Status, text), err
}
