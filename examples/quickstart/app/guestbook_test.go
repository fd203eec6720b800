package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// newGuestbook is a release beside a store that speaks protocol 1.
func newGuestbook(t *testing.T, version, storeProtocol string) http.Handler {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /protocol", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "1") })
	mux.HandleFunc("POST /count/visitors", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "7") })
	mux.HandleFunc("GET /list/entries", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<b>first</b>\nsecond") })
	mux.HandleFunc("POST /list/entries", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	book := &guestbook{version: version, storeProtocol: storeProtocol, host: "app-1", store: store{url: server.URL, client: server.Client()}}
	return book.handler()
}

func answerOf(h http.Handler, method, target string, form url.Values) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, target, strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, req)
	return answer
}

func TestHealth(t *testing.T) {
	for _, c := range []struct {
		version, storeProtocol string
		code                   int
		body                   string
	}{
		{"1.0.0", "1", http.StatusOK, "ready"},
		{"1.1.0", "1", http.StatusOK, "ready"},
		{"2.0.0-broken", "2", http.StatusServiceUnavailable, "the store speaks protocol 1, guestbook 2.0.0-broken needs protocol 2"},
	} {
		answer := answerOf(newGuestbook(t, c.version, c.storeProtocol), http.MethodGet, "/healthz", nil)
		if got := strings.TrimSpace(answer.Body.String()); answer.Code != c.code || got != c.body {
			t.Errorf("%s: %d %q, want %d %q", c.version, answer.Code, got, c.code, c.body)
		}
	}
}

func TestHealthWithoutAStore(t *testing.T) {
	book := &guestbook{version: "1.0.0", storeProtocol: "1", store: store{url: "http://127.0.0.1:1", client: http.DefaultClient}}
	answer := answerOf(book.handler(), http.MethodGet, "/healthz", nil)
	if answer.Code != http.StatusServiceUnavailable || !strings.Contains(answer.Body.String(), "the store does not answer") {
		t.Errorf("%d %q, want 503 and why", answer.Code, answer.Body)
	}
}

func TestReleasesDiffer(t *testing.T) {
	old := answerOf(newGuestbook(t, "1.0.0", "1"), http.MethodGet, "/", nil).Body.String()
	for _, want := range []string{"<title>Guestbook 1.0.0</title>", "visitor 7", "on app-1"} {
		if !strings.Contains(old, want) {
			t.Errorf("1.0.0 shows no %q", want)
		}
	}
	if strings.Contains(old, "<form") {
		t.Error("1.0.0 lets visitors sign")
	}
	next := answerOf(newGuestbook(t, "1.1.0", "1"), http.MethodGet, "/", nil).Body.String()
	for _, want := range []string{"<title>Guestbook 1.1.0</title>", "<form", "&lt;b&gt;first&lt;/b&gt;", "second"} {
		if !strings.Contains(next, want) {
			t.Errorf("1.1.0 shows no %q", want)
		}
	}
}

func TestSign(t *testing.T) {
	entry := url.Values{"entry": {"hello"}}
	if got := answerOf(newGuestbook(t, "1.0.0", "1"), http.MethodPost, "/entries", entry).Code; got != http.StatusNotFound {
		t.Errorf("1.0.0 answers %d, want 404", got)
	}
	if got := answerOf(newGuestbook(t, "1.1.0", "1"), http.MethodPost, "/entries", entry).Code; got != http.StatusSeeOther {
		t.Errorf("1.1.0 answers %d, want 303", got)
	}
}
