package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// visitEvery is how often the guestbook is visited while it changes.
const visitEvery = 50 * time.Millisecond

// visits are what the visitors met.
type visits struct {
	good, failed int
	firstFailure string
}

// visit opens the page and answers the release that it shows, each time over a
// new connection.
func visit(ctx context.Context, url string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answered %s: %s", url, resp.Status, strings.TrimSpace(string(page)))
	}
	return releaseOn(string(page))
}

// releaseOn reads the title: <title>Guestbook 1.0.0</title>.
func releaseOn(page string) (string, error) {
	_, rest, found := strings.Cut(page, "<title>Guestbook ")
	release, _, closed := strings.Cut(rest, "</title>")
	if !found || !closed {
		return "", fmt.Errorf("this is not the guestbook: %.80q", page)
	}
	return release, nil
}

// visitWhile visits the page again and again until work is done.
func visitWhile(ctx context.Context, url string, work func()) visits {
	ctx, stop := context.WithCancel(ctx)
	var met visits
	var visitor sync.WaitGroup
	visitor.Go(func() {
		for ctx.Err() == nil {
			// A visit that has begun is finished, also when the work ends meanwhile.
			if _, err := visit(context.WithoutCancel(ctx), url); err != nil {
				met.fail(err)
			} else {
				met.good++
			}
			select {
			case <-ctx.Done():
			case <-time.After(visitEvery):
			}
		}
	})
	work()
	stop()
	visitor.Wait()
	return met
}

func (v *visits) fail(err error) {
	v.failed++
	if v.firstFailure == "" {
		v.firstFailure = err.Error()
	}
}

// String says it in a line.
func (v visits) String() string {
	if v.failed == 0 {
		return fmt.Sprintf("%d visits meanwhile, none failed", v.good)
	}
	return fmt.Sprintf("%d visits meanwhile, %d failed, the first: %s", v.good+v.failed, v.failed, v.firstFailure)
}
