package main

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/websocket"
)

func TestFailShare(t *testing.T) {
	t.Setenv("FAIL_SHARE", "0.25")
	h := faulty(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	count := func(path string) (failed int) {
		for range 100 {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
			if w.Code != 200 {
				failed++
			}
		}
		return failed
	}
	if got := count("/healthz"); got != 0 {
		t.Errorf("%d health checks failed", got)
	}
	if got := count("/"); got != 25 {
		t.Errorf("%d of 100 failed, want 25", got)
	}
}

func TestWorkReadsAll(t *testing.T) {
	t.Setenv("VERSION", "1.4.0")
	w := httptest.NewRecorder()
	signed(handler(time.Now(), newStreams())).ServeHTTP(w, httptest.NewRequest("POST", "/work", strings.NewReader(strings.Repeat("x", 70000))))
	if w.Code != 200 || w.Body.String() != "70000\n" || w.Header().Get("App-Version") != "1.4.0" || w.Header().Get("App-Instance") == "" {
		t.Errorf("%d %q %v", w.Code, w.Body, w.Header())
	}
}

// serving answers a server of the pages, and what stops its streams.
func serving(t *testing.T) (*httptest.Server, *streams) {
	t.Helper()
	open := newStreams()
	server := httptest.NewServer(handler(time.Now(), open))
	t.Cleanup(server.Close)
	return server, open
}

func TestEventsEndWithTheProgram(t *testing.T) {
	server, open := serving(t)
	resp, err := http.Get(server.URL + "/events?every=1ms")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	lines := bufio.NewReader(resp.Body)
	if first, err := lines.ReadString('\n'); first != "data: 0\n" {
		t.Fatalf("%q, %v", first, err)
	}
	open.stop()
	rest, err := io.ReadAll(lines)
	if err != nil || !strings.HasSuffix(string(rest), "data: drained\n\n") {
		t.Errorf("%q, %v", rest, err)
	}
}

func TestWebsocketEchoesUntilTheProgramStops(t *testing.T) {
	server, open := serving(t)
	conn, err := websocket.Dial("ws"+strings.TrimPrefix(server.URL, "http")+"/websocket", "", server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // the server closes it
	for _, size := range []int{0, 1, 125, 126, 70000} {
		sent, got := strings.Repeat("x", size), ""
		if err := websocket.Message.Send(conn, sent); err != nil {
			t.Fatal(err)
		}
		if err := websocket.Message.Receive(conn, &got); err != nil || got != sent {
			t.Fatalf("of %d bytes %d came back, %v", size, len(got), err)
		}
	}
	open.stop()
	var last string
	if err := websocket.Message.Receive(conn, &last); err != nil || last != drained {
		t.Errorf("at the end: %q, %v", last, err)
	}
	if err := websocket.Message.Receive(conn, &last); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %q, %v", last, err)
	}
	_ = conn.Close()
	open.open.Wait()
}
