package testimage

import (
	"net/http"
	"net/http/httptest"
	"strings"
)

// faults are what the registry does wrong until told otherwise.
type faults struct {
	status int // to answer instead
	times  int // how often, -1 = always
	header http.Header
	body   string
	cut    int // blobs to cut half-way
	forged map[string][]byte
	held   chan struct{} // closed to let blobs go
	pass   int           // blobs that are not held
}

// Fail answers the next requests (times, -1 = all) with a status, and with header
// fields as name, value, name, value.
func (r *RegistryServer) Fail(status, times int, header ...string) {
	r.FailWith(status, times, "", header...)
}

// FailWith is Fail with a body.
func (r *RegistryServer) FailWith(status, times int, body string, header ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults.status, r.faults.times, r.faults.body, r.faults.header = status, times, body, http.Header{}
	for i := 0; i+1 < len(header); i += 2 {
		r.faults.header.Set(header[i], header[i+1])
	}
}

// CutBlobs breaks the connection half-way through the next n blobs.
func (r *RegistryServer) CutBlobs(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults.cut = n
}

// Forge serves other content under a blob's digest.
func (r *RegistryServer) Forge(digest string, content []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.faults.forged == nil {
		r.faults.forged = map[string][]byte{}
	}
	r.faults.forged[digest] = content
}

// HoldFrom sends the nth blob from now and all later ones to their half only,
// until the function that it gives is called.
func (r *RegistryServer) HoldFrom(n int) (release func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults.held, r.faults.pass = make(chan struct{}), n-1
	return r.releaseHeld
}

func (r *RegistryServer) releaseHeld() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.faults.held != nil {
		close(r.faults.held)
		r.faults.held = nil
	}
}

// misbehaves answers the request if it meets a fault.
func (r *RegistryServer) misbehaves(w http.ResponseWriter, req *http.Request) bool {
	isBlob := req.Method == http.MethodGet && strings.Contains(req.URL.Path, "/blobs/")
	r.mu.Lock()
	f := r.faults
	failing := f.times != 0
	if failing && f.times > 0 {
		r.faults.times--
	}
	cutting := !failing && isBlob && f.cut > 0
	if cutting {
		r.faults.cut--
	}
	holding := !failing && isBlob && f.held != nil && f.pass == 0
	if isBlob && f.pass > 0 {
		r.faults.pass--
	}
	forged, isForged := f.forged[req.URL.Path[strings.LastIndexByte(req.URL.Path, '/')+1:]]
	r.mu.Unlock()
	switch {
	case failing:
		for name, values := range f.header {
			w.Header()[name] = values
		}
		w.WriteHeader(f.status)
		_, _ = w.Write([]byte(f.body))
	case isForged:
		_, _ = w.Write(forged)
	case cutting:
		r.half(w, req)
		panic(http.ErrAbortHandler)
	case holding:
		rest := r.half(w, req)
		select {
		case <-f.held:
			_, _ = w.Write(rest)
		case <-req.Context().Done():
		}
	default:
		return false
	}
	return true
}

// half sends the first half of the answer and gives the rest.
func (r *RegistryServer) half(w http.ResponseWriter, req *http.Request) (rest []byte) {
	whole := httptest.NewRecorder()
	r.store.ServeHTTP(whole, req)
	for name, values := range whole.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(whole.Code)
	body := whole.Body.Bytes()
	_, _ = w.Write(body[:len(body)/2])
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
	return body[len(body)/2:]
}
