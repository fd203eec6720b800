package main

import (
	"io"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

// work reads all that it is sent, takes the time that the request's wait or SLOW_REQUEST
// says, and answers how many bytes it read.
func work(w http.ResponseWriter, r *http.Request) {
	wait, err := time.ParseDuration(r.URL.Query().Get("wait"))
	if err != nil {
		wait = duration("SLOW_REQUEST")
	}
	read, err := io.Copy(io.Discard, r.Body)
	time.Sleep(wait)
	say(w, err, strconv.FormatInt(read, 10)+"\n")
}

// signed says on every answer whose it is: the version and the host's name.
func signed(next http.Handler) http.Handler {
	name, _ := os.Hostname()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("App-Version", os.Getenv("VERSION"))
		w.Header().Set("App-Instance", name)
		next.ServeHTTP(w, r)
	})
}

// faulty answers 500 to FAIL_SHARE of the requests, evenly spread, the health
// check's not among them.
func faulty(next http.Handler) http.Handler {
	share, err := strconv.ParseFloat(os.Getenv("FAIL_SHARE"), 64)
	if err != nil {
		share = 0
	}
	var asked atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			n := float64(asked.Add(1))
			if int(n*share) > int((n-1)*share) {
				http.Error(w, "failed as told", http.StatusInternalServerError)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}
