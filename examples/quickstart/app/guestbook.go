package main

import (
	_ "embed"
	"fmt"
	"html/template"
	"log"
	"net/http"
	"strings"
	"sync"
)

//go:embed page.html
var pageSource string

var page = template.Must(template.New("page").Parse(pageSource))

type guestbook struct {
	version       string
	storeProtocol string
	host          string
	store         store

	mu      sync.Mutex
	verdict string // the last health verdict that was logged
}

func (g *guestbook) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", g.show)
	mux.HandleFunc("GET /healthz", g.health)
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, g.version) })
	if g.keepsEntries() {
		mux.HandleFunc("POST /entries", g.sign)
	}
	return mux
}

// keepsEntries is what 1.1.0 brought.
func (g *guestbook) keepsEntries() bool { return g.version != "1.0.0" }

func (g *guestbook) show(w http.ResponseWriter, r *http.Request) {
	visitors, err := g.store.count(r.Context(), "visitors")
	if err != nil {
		g.fail(w, err)
		return
	}
	view := struct {
		Version, Host, Visitors string
		KeepsEntries            bool
		Entries                 []string
	}{Version: g.version, Host: g.host, Visitors: visitors, KeepsEntries: g.keepsEntries()}
	if view.KeepsEntries {
		if view.Entries, err = g.store.list(r.Context(), "entries"); err != nil {
			g.fail(w, err)
			return
		}
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if err := page.Execute(w, view); err != nil {
		log.Printf("guestbook: page: %v", err)
	}
}

func (g *guestbook) sign(w http.ResponseWriter, r *http.Request) {
	entry := strings.TrimSpace(r.FormValue("entry"))
	if entry != "" {
		if err := g.store.add(r.Context(), "entries", entry); err != nil {
			g.fail(w, err)
			return
		}
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// health is ok when the store answers and speaks what this release needs.
func (g *guestbook) health(w http.ResponseWriter, r *http.Request) {
	verdict := "ready"
	switch spoken, err := g.store.protocol(r.Context()); {
	case err != nil:
		verdict = fmt.Sprintf("the store does not answer: %v", err)
	case spoken != g.storeProtocol:
		verdict = fmt.Sprintf("the store speaks protocol %s, guestbook %s needs protocol %s", spoken, g.version, g.storeProtocol)
	}
	g.logOnce(verdict)
	if verdict != "ready" {
		http.Error(w, verdict, http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, verdict)
}

// logOnce logs a verdict when it is another than before: checks come every few
// hundred milliseconds.
func (g *guestbook) logOnce(verdict string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.verdict != verdict {
		g.verdict = verdict
		log.Printf("guestbook: %s", verdict)
	}
}

func (g *guestbook) fail(w http.ResponseWriter, err error) {
	log.Printf("guestbook: %v", err)
	http.Error(w, "The guestbook's store does not answer.", http.StatusBadGateway)
}
