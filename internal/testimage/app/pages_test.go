package main

import (
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func ask(started time.Time, path string) (int, string) {
	w := httptest.NewRecorder()
	handler(started, newStreams()).ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w.Code, strings.TrimSpace(w.Body.String())
}

func TestHealth(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		health, after string
		started       time.Time
		want          int
	}{
		{"", "", now, 200},
		{"fail", "", now, 503},
		{"", "1h", now, 503},
		{"", "1h", now.Add(-2 * time.Hour), 200},
		{"fail", "1h", now.Add(-2 * time.Hour), 503},
	} {
		t.Setenv("HEALTH", c.health)
		t.Setenv("HEALTHY_AFTER", c.after)
		if got, _ := ask(c.started, "/healthz"); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

func TestPages(t *testing.T) {
	t.Setenv("VERSION", "1.4.0")
	file := filepath.Join(t.TempDir(), "file")
	server := httptest.NewServer(handler(time.Now(), newStreams()))
	defer server.Close()
	for _, c := range []struct {
		path string
		code int
		text string
	}{
		{"/", 200, "1.4.0"},
		{"/env", 200, "VERSION=1.4.0"},
		{"/count", 200, "1"},
		{"/write?text=kept&path=" + file, 200, "written"},
		{"/read?path=" + file, 200, "kept"},
		{"/read?path=/nowhere", 502, "no such file"},
		{"/dial?addr=" + server.Listener.Addr().String(), 200, "connected"},
		{"/dial?addr=127.0.0.1:1", 502, "refused"},
		{"/outbound?url=" + server.URL + "/healthz", 200, "200 OK"},
		{"/work?wait=1ms", 200, "0"},
		{"/websocket", 426, "this is a websocket"},
		{"/nothing", 404, ""},
	} {
		if code, text := ask(time.Now(), c.path); code != c.code || !strings.Contains(text, c.text) {
			t.Errorf("%s: %d %q", c.path, code, text)
		}
	}
}

func TestAllocate(t *testing.T) {
	for size, want := range map[string]int{"": 0, "4Ki": 4096, "1Mi": 1 << 20, "7": 7, "x": 0} {
		if got := len(allocate(size)); got != want {
			t.Errorf("allocate(%q) holds %d bytes, want %d", size, got, want)
		}
	}
}
