package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestWhatIsStoredOutlivesTheStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.json")
	for _, want := range []string{"1", "2"} {
		db, err := openDatabase(path)
		if err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(handler(db))
		if got := ask(t, server, http.MethodPost, "/count/visitors", ""); got != want {
			t.Errorf("the counter is %q, want %q", got, want)
		}
		ask(t, server, http.MethodPost, "/list/entries", "  one\nline  ")
		server.Close()
	}
	db, err := openDatabase(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(db.list("entries"), "|"); got != "one line|one line" {
		t.Errorf("the list is %q", got)
	}
}

func TestEveryVisitorCounts(t *testing.T) {
	db, err := openDatabase(filepath.Join(t.TempDir(), "store.json"))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler(db))
	defer server.Close()
	var visitors sync.WaitGroup
	for range 20 {
		visitors.Go(func() { ask(t, server, http.MethodPost, "/count/visitors", "") })
	}
	visitors.Wait()
	if got := ask(t, server, http.MethodPost, "/count/visitors", ""); got != "21" {
		t.Errorf("the counter is %q, want 21", got)
	}
}

func TestTheStoreIsSickWhenItsVolumeIsGone(t *testing.T) {
	db, err := openDatabase(filepath.Join(t.TempDir(), "gone", "store.json"))
	if err != nil {
		t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	handler(db).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/healthz", nil))
	if answer.Code != http.StatusServiceUnavailable {
		t.Errorf("/healthz answers %d, want 503", answer.Code)
	}
}

func ask(t *testing.T, server *httptest.Server, method, path, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return ""
	}
	resp, err := server.Client().Do(req)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= http.StatusMultipleChoices {
		t.Errorf("%s %s: %s, %v", method, path, resp.Status, err)
	}
	return string(answer)
}
