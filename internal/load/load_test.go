package load

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// small is every kind of request, soon.
var small = Mix{
	Rate: 100, Fresh: 0.3, Slow: 0.1, Uploads: 0.1, SlowUploads: 0.05, SlowFor: 50 * time.Millisecond, UploadSize: 10_000,
	Websockets: 3, EchoEvery: 10 * time.Millisecond, Patience: time.Minute, AtOnce: 50,
}

// after waits until so many more requests are finished.
func (r *Run) after(t *testing.T, n int) {
	t.Helper()
	n += r.Report().Requests
	until(t, "requests are finished", func() bool { return r.Report().Requests >= n })
}

func TestGoodApplicationLosesNothing(t *testing.T) {
	t.Parallel()
	address := freeAddress(t)
	startApp(t, address, "VERSION=1.4.0")
	run := Start(Target{URL: "http://shop.test", Address: address}, small)
	for _, kind := range []Kind{Quick, Slow, Upload, SlowUpload, Websocket} {
		until(t, string(kind), func() bool { return run.Report().ByKind[kind] > 5 })
	}
	r := run.Stop()
	if r.Failed != 0 || r.Raced != 0 || r.Drained != 0 || r.ByVersion["1.4.0"] != r.Requests-r.ByKind[Websocket] {
		t.Errorf("%s", r)
	}
}

func TestKilledApplicationLosesRequests(t *testing.T) {
	t.Parallel()
	address := freeAddress(t)
	first := startApp(t, address)
	run := Start(Target{URL: "http://" + address}, small)
	run.after(t, 100)
	run.Mark("killed")
	first.end(syscall.SIGKILL)
	until(t, "failures", func() bool { return run.Report().Failed > 20 })
	startApp(t, address, "VERSION=again")
	until(t, "good answers again", func() bool { return run.Report().ByVersion["again"] > 20 })
	r := run.Stop()
	cut := 0
	for _, f := range r.Failures {
		if f.While != "killed" || f.After <= 0 || f.Error == "" {
			t.Errorf("%+v", f)
		}
		if f.Kind == Websocket {
			cut++
		}
	}
	if cut == 0 || r.Drained > 0 || len(r.Failures) != shown {
		t.Errorf("%s", r)
	}
}

func TestFailedAnswersCount(t *testing.T) {
	t.Parallel()
	address := freeAddress(t)
	startApp(t, address, "FAIL_SHARE=0.5")
	mix := small
	mix.Websockets = 0
	run := Start(Target{URL: "http://" + address}, mix)
	run.after(t, 100)
	r := run.Stop()
	if r.Failed < r.Requests/2-1 || r.Failed > r.Requests/2+1 || !strings.Contains(r.Failures[0].Error, "500") {
		t.Errorf("%s", r)
	}
}

func TestDrainedWebsocketsAreNoFailures(t *testing.T) {
	t.Parallel()
	old := startApp(t, freeAddress(t), "VERSION=old")
	way := newLead(t, old.address)
	mix := small
	mix.Fresh = 1 // who moves connections only cannot end the kept ones of the others without a race
	run := Start(Target{URL: "http://" + way.Addr().String()}, mix)
	run.after(t, 100)
	way.to.Store(startApp(t, freeAddress(t), "VERSION=new").address)
	until(t, "only the new version is asked", func() bool { return run.Report().ByVersion["new"] > 20 })
	old.end(syscall.SIGTERM)
	until(t, "websockets at the new one", func() bool { return run.Report().Drained == mix.Websockets })
	run.after(t, 50)
	if r := run.Stop(); r.Failed != 0 || r.Raced != 0 || r.Drained != mix.Websockets {
		t.Errorf("%s", r)
	}
}

// rude answers once on every connection, and closes it when it is asked again.
func rude(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close() //nolint:errcheck // that is what it does
				in := bufio.NewReader(conn)
				if req, err := http.ReadRequest(in); err == nil && req.Body.Close() == nil {
					_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n0"))
					_, _ = in.ReadByte()
				}
			}()
		}
	}()
	return listener
}

func TestRequestsOnClosedConnectionsAreCountedApart(t *testing.T) {
	t.Parallel()
	to := Target{URL: "http://" + rude(t).Addr().String()}
	for _, c := range []struct {
		name string
		mix  Mix
		ok   func(Report) bool
	}{
		{"asked again where that is safe", Mix{Rate: 200, AtOnce: 50, Patience: time.Minute}, func(r Report) bool { return r.Raced > 0 && r.Failed == 0 }},
		{"lost where it is not", Mix{Rate: 200, AtOnce: 50, Uploads: 0.5, UploadSize: 1, Patience: time.Minute}, func(r Report) bool { return r.Failed > r.ByKind[Upload]/2 }},
		{"new connections never race", Mix{Rate: 200, AtOnce: 50, Fresh: 1, Patience: time.Minute}, func(r Report) bool { return r.Raced == 0 && r.Failed == 0 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			run := Start(to, c.mix)
			run.after(t, 100)
			if r := run.Stop(); !c.ok(r) {
				t.Errorf("%s", r)
			}
		})
	}
}

// A server that answers nobody until many wait is met only by who sends what is due.
func TestStallHoldsNothingBack(t *testing.T) {
	t.Parallel()
	const together = 40
	var waiting sync.WaitGroup
	waiting.Add(together)
	var mu sync.Mutex
	left := together
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		if left > 0 {
			left--
			waiting.Done()
		}
		mu.Unlock()
		waiting.Wait()
		_, _ = w.Write([]byte("0"))
	}))
	defer server.Close()
	run := Start(Target{URL: server.URL}, Mix{Rate: 200, AtOnce: 50, Patience: time.Minute})
	run.after(t, together)
	r := run.Stop()
	// The first waited for all others, which were due at five milliseconds each.
	if r.Failed != 0 || r.Longest.Took < (together-1)*5*time.Millisecond {
		t.Errorf("%s", r)
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	counts := newTally(time.Now())
	for i := range 100 {
		counts.add(outcome{kind: Quick, version: "1", took: time.Duration(i) * time.Millisecond})
	}
	counts.mark("upgrade")
	counts.add(outcome{kind: Slow, version: "2", took: time.Second, raced: true})
	counts.add(outcome{kind: Upload, target: Target{URL: "here", HTTP2: true}, err: errors.New("reset")})
	now := time.Now()
	counts.expect(regexp.MustCompile("^50[03] "), now)
	counts.add(outcome{kind: Upload, err: errors.New("503 nobody"), due: now.Add(-1)})
	counts.add(outcome{kind: Upload, err: errors.New("503 too late"), due: now})
	counts.expect(nil, time.Time{})
	counts.drained()
	r := counts.report()
	if r.Percentile(0.5) != 50*time.Millisecond || r.Percentile(1) != 99*time.Millisecond || r.Percentile(0) != 0 {
		t.Errorf("percentiles %s %s %s", r.Percentile(0), r.Percentile(0.5), r.Percentile(1))
	}
	for _, want := range []string{
		"104 requests", "2 failed, 1 as expected", "longest 1s over what was asked for (slow, while: upgrade)", "1 raced", "1 websockets drained",
		"by kind quick 100, slow 1, upload 3; by version 1 100, 2 1", ", while: upgrade: upload to here by HTTP/2: reset",
		"upload to : 503 too late", "\nhere by HTTP/2: 1 requests, 1 failed, longest 0s",
	} {
		if !strings.Contains(r.String(), want) {
			t.Errorf("%q is not in %s", want, r)
		}
	}
	if !r.FirstBy["2"].After(counts.began) || len(r.FirstBy) != 2 {
		t.Errorf("first answers: %v", r.FirstBy)
	}
	if (Report{}).Percentile(0.5) != 0 {
		t.Error("nothing has a percentile")
	}
}

func TestMixIsSpread(t *testing.T) {
	t.Parallel()
	kinds, fresh := map[Kind]int{}, 0
	for n := range 10_000 {
		kinds[Default.kindOf(n)]++
		if Default.isFresh(n) {
			fresh++
		}
	}
	for kind, want := range map[Kind]int{Quick: 9000, Slow: 400, Upload: 500, SlowUpload: 100} {
		if got := kinds[kind]; got < want-5 || got > want+5 {
			t.Errorf("%d %s, want %d", got, kind, want)
		}
	}
	if fresh < 2995 || fresh > 3005 {
		t.Errorf("%d fresh", fresh)
	}
}
