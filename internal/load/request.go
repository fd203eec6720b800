package load

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"time"
)

// request sends one that was due at a time, and counts what became of it.
func (r *Run) request(n int, due time.Time) {
	kind := r.mix.kindOf(n)
	by := r.way(n)
	made := outcome{kind: kind, target: by.target, due: due}
	connections := 0
	ctx, cancel := context.WithTimeout(context.Background(), r.mix.SlowFor+r.mix.Patience)
	defer cancel()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connections++ }})
	made.version, made.err = r.ask(ctx, by, kind, n)
	made.raced = connections > 1
	made.took = time.Since(due)
	if kind == Slow || kind == SlowUpload {
		made.took -= r.mix.SlowFor
	}
	r.tally.add(made)
}

// ask answers which version answered, and well.
func (r *Run) ask(ctx context.Context, by *way, kind Kind, n int) (version string, err error) {
	req, sent, err := r.prepare(ctx, by.target.URL, kind)
	if err != nil {
		return "", err
	}
	through, done := by.through(r.mix.isFresh(n))
	defer done()
	resp, err := by.roundTrip(through, req, n/len(r.ways))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	text, err := io.ReadAll(resp.Body)
	switch {
	case err != nil:
		return "", fmt.Errorf("in the middle of the answer: %w", err)
	case resp.StatusCode != http.StatusOK:
		return "", fmt.Errorf("%s: %.100s", resp.Status, bytes.TrimSpace(text))
	case by.target.HTTP2 && resp.ProtoMajor != 2:
		return "", fmt.Errorf("it is %s", resp.Proto)
	case strings.TrimSpace(string(text)) != strconv.Itoa(sent):
		return "", fmt.Errorf("of %d bytes the answer is %.100q", sent, text)
	}
	return resp.Header.Get("App-Version"), nil
}

// prepare makes a request, and tells how many bytes it sends.
func (r *Run) prepare(ctx context.Context, url string, kind Kind) (req *http.Request, size int, err error) {
	method, path := http.MethodGet, "/work?wait=0s"
	switch kind {
	case Slow:
		path = "/work?wait=" + r.mix.SlowFor.String()
	case Upload, SlowUpload:
		method, size = http.MethodPost, r.mix.UploadSize
	}
	req, err = http.NewRequestWithContext(ctx, method, url+path, nil)
	if err != nil || size == 0 {
		return req, size, err
	}
	over := time.Duration(0)
	if kind == SlowUpload {
		over = r.mix.SlowFor
	}
	// A body that can be had again is sent again if nothing of the request was
	// written yet, as every client does, and never else.
	req.ContentLength = int64(size)
	req.GetBody = func() (io.ReadCloser, error) { return newBody(ctx, size, over), nil }
	req.Body, err = req.GetBody()
	return req, size, err
}

// pieces is how many parts a slow body comes in.
const pieces = 10

// body is so many bytes that take a while to come.
type body struct {
	ctx   context.Context //nolint:containedctx // of the request that it belongs to
	left  int
	piece int
	pause time.Duration // before each
}

func newBody(ctx context.Context, size int, over time.Duration) io.ReadCloser {
	return io.NopCloser(&body{ctx: ctx, left: size, piece: max(1, size/pieces), pause: over / pieces})
}

func (b *body) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	if b.pause > 0 {
		select {
		case <-time.After(b.pause):
		case <-b.ctx.Done():
			return 0, b.ctx.Err()
		}
	}
	n := min(len(p), b.left)
	if b.pause > 0 {
		n = min(n, b.piece)
	}
	clear(p[:n])
	b.left -= n
	return n, nil
}
