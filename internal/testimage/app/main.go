// Command app is a small web application whose behaviour its environment decides.
// Tests deploy it to see what the engine makes of good and of bad programs.
//
//	LISTEN          address, :8080
//	VERSION         text on /
//	HEALTH          fail: /healthz answers 503
//	HEALTHY_AFTER   duration until /healthz answers 200; 503 before
//	DIE_AFTER       duration until the process ends with EXIT_CODE
//	DIE_HEALTHY     duration from the first good answer of /healthz until it ends so
//	EXIT_NOW        exit code: log EXIT_LINES (separated by |) and end at once
//	EXIT_CODE       of both, 1
//	OOM             bytes to allocate and touch at start, such as 64Mi
//	IGNORE_TERM     any text: SIGTERM is ignored
//	SLOW_REQUEST    duration that every answer of / takes, and of /work that says none
//	FAIL_SHARE      share of requests that are answered 500, such as 0.2
//
// Paths: / /busy /healthz /env /hostname /visitor /count /dial?addr= /write?path=&text=
// /read?path= /outbound?url= /work?wait= /events?every= /websocket (echoes)
//
// Every answer has the headers App-Version and App-Instance. At SIGTERM requests are
// finished; streams and websockets are told "drained" and closed.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	fmt.Printf("app %s starts, pid %d\n", os.Getenv("VERSION"), os.Getpid())
	exitNow()
	held := allocate(os.Getenv("OOM"))
	dieLater()
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, "app:", err)
		os.Exit(1)
	}
	fmt.Printf("app ends, it held %d bytes\n", len(held))
}

func exitNow() {
	code, set := os.LookupEnv("EXIT_NOW")
	if !set {
		return
	}
	for line := range strings.SplitSeq(os.Getenv("EXIT_LINES"), "|") {
		fmt.Fprintln(os.Stderr, line)
	}
	os.Exit(number(code, 1))
}

func dieLater() {
	if after := duration("DIE_AFTER"); after > 0 {
		dieAfter(after)
	}
}

func dieAfter(after time.Duration) {
	time.AfterFunc(after, func() {
		fmt.Fprintln(os.Stderr, "app dies as told")
		os.Exit(number(os.Getenv("EXIT_CODE"), 1))
	})
}

// allocate takes memory and touches every page, so that a limit is really hit.
func allocate(size string) []byte {
	unit := 1
	for suffix, factor := range map[string]int{"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30} {
		if rest, found := strings.CutSuffix(size, suffix); found {
			size, unit = rest, factor
		}
	}
	held := make([]byte, number(size, 0)*unit)
	for i := 0; i < len(held); i += 4096 {
		held[i] = 1
	}
	return held
}

func serve() error {
	address := os.Getenv("LISTEN")
	if address == "" {
		address = ":8080"
	}
	open := newStreams()
	server := &http.Server{Addr: address, Handler: signed(faulty(handler(time.Now(), open))), ReadHeaderTimeout: 10 * time.Second}
	server.RegisterOnShutdown(open.stop)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	stopped := make(chan error, 1)
	go func() {
		for s := range signals {
			if os.Getenv("IGNORE_TERM") != "" {
				fmt.Println("app ignores", s)
				continue
			}
			fmt.Println("app stops:", s)
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			err := server.Shutdown(ctx)
			open.open.Wait()
			cancel()
			stopped <- err
			return
		}
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-stopped
}

func duration(name string) time.Duration {
	d, err := time.ParseDuration(os.Getenv(name))
	if err != nil {
		return 0
	}
	return d
}

func number(text string, fallback int) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return fallback
	}
	return n
}
