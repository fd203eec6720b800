package load

import (
	"crypto/tls"
	"math"
	"time"
)

// Target is where the test application answers.
type Target struct {
	URL     string      // http://shop.test or https://shop.test, without a path
	Address string      // host:port to connect to, "" = the URL's
	TLS     *tls.Config // whom to trust, nil = the system
	HTTP2   bool        // over TLS, but for websockets; else HTTP/1.1
}

// String is how reports call it.
func (t Target) String() string {
	if t.HTTP2 {
		return t.URL + " by HTTP/2"
	}
	return t.URL
}

// Mix says what a load is made of. Shares are of 1.
type Mix struct {
	Rate        float64 // requests per second
	Fresh       float64 // share that takes a new connection; the others keep theirs alive
	Slow        float64 // share whose answer takes SlowFor
	Uploads     float64 // share that sends a body of UploadSize bytes
	SlowUploads float64 // share that sends it over SlowFor
	SlowFor     time.Duration
	UploadSize  int
	Visitors    int           // who keep the cookies that they get, 0 = nobody does
	Websockets  int           // that are open at all times
	EchoEvery   time.Duration // how often each says something
	Patience    time.Duration // after which a request has failed, besides SlowFor
	AtOnce      int           // requests that may wait for answers; then the next are late, which their latency tells
}

// Default is 500 requests a second of every kind.
var Default = Mix{
	Rate: 500, Fresh: 0.3, Slow: 0.04, Uploads: 0.05, SlowUploads: 0.01, SlowFor: 2 * time.Second, UploadSize: 32 << 10,
	Websockets: 8, EchoEvery: 100 * time.Millisecond, Patience: 30 * time.Second, AtOnce: 1000,
}

// At is the mix at another rate.
func (m Mix) At(rate float64) Mix {
	m.Rate = rate
	return m
}

// Kind is what a request does.
type Kind string

// The kinds of requests.
const (
	Quick      Kind = "quick"
	Slow       Kind = "slow"
	Upload     Kind = "upload"
	SlowUpload Kind = "slow upload"
	Websocket  Kind = "websocket" // its handshake and each of its echoes
)

// kindOf and isFresh spread the kinds evenly over the requests, the same in every run.
func (m Mix) kindOf(n int) Kind {
	x := spread(n, math.Phi)
	for _, k := range []struct {
		kind  Kind
		share float64
	}{{Slow, m.Slow}, {Upload, m.Uploads}, {SlowUpload, m.SlowUploads}} {
		if x < k.share {
			return k.kind
		}
		x -= k.share
	}
	return Quick
}

func (m Mix) isFresh(n int) bool { return spread(n, math.Sqrt2) < m.Fresh }

// spread gives the nth of a sequence that fills 0 to 1 evenly.
func spread(n int, step float64) float64 {
	_, x := math.Modf(float64(n) * step)
	return x
}
