package deployment_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
)

// site is where a published port of the deployment answers.
type site struct {
	t    *testing.T
	url  string
	hops bool // the port is one instance's own: while it goes to another nobody answers, and then that one, proven or not
}

func (w *world) site() *site { return &site{t: w.t, hops: !w.SharedPorts} }

// learn takes the address of a published port, "api/http", from the state.
func (s *site) learn(port string) resource.TestCheckFunc { return s.learnFrom(address, port) }

// learnFrom is learn for another deployment than slipway_deployment.shop.
func (s *site) learnFrom(deployment, port string) resource.TestCheckFunc {
	return func(state *terraform.State) error {
		one := state.RootModule().Resources[deployment]
		if one == nil {
			return fmt.Errorf("%s is not in the state", deployment)
		}
		s.url = one.Primary.Attributes["endpoints."+port+".url"]
		if s.url == "" {
			return fmt.Errorf("%s has no endpoint %s", deployment, port)
		}
		return nil
	}
}

// answers expects a page of the site to have that text.
func (s *site) answers(path, want string) resource.TestCheckFunc {
	return func(*terraform.State) error {
		text, err := s.get(path)
		if err == nil && !strings.Contains(text, want) {
			err = fmt.Errorf("%s%s answers %q, want %q", s.url, path, text, want)
		}
		return err
	}
}

// get reads a page over a connection of its own.
func (s *site) get(path string) (string, error) {
	client := http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get(s.url + path)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s%s answers %s: %s", s.url, path, resp.Status, text)
	}
	return strings.TrimSpace(string(text)), err
}

// visitor asks for a page all the time, from before a step until after it.
type visitor struct {
	site site // as it was when the visit began
	stop chan struct{}
	done chan struct{}

	mu      sync.Mutex
	answers map[string]int
	failed  []error
}

// visit starts a visitor; it is for a step's PreConfig.
func (s *site) visit() *visitor {
	v := &visitor{site: *s, stop: make(chan struct{}), done: make(chan struct{}), answers: map[string]int{}}
	s.t.Cleanup(func() { v.leave() })
	go v.ask()
	return v
}

func (v *visitor) ask() {
	defer close(v.done)
	pace := time.NewTicker(10 * time.Millisecond)
	defer pace.Stop()
	for {
		select {
		case <-v.stop:
			return
		case <-pace.C:
		}
		text, err := v.site.get("/")
		v.mu.Lock()
		if err != nil {
			v.failed = append(v.failed, err)
		} else {
			v.answers[text]++
		}
		v.mu.Unlock()
	}
}

func (v *visitor) leave() {
	v.mu.Lock()
	defer v.mu.Unlock()
	select {
	case <-v.stop:
	default:
		close(v.stop)
	}
}

// saw ends the visit and expects that each of these answers was seen, no other,
// and nothing failed; of a site that hops just the first.
func (v *visitor) saw(want ...string) {
	t := v.site.t
	t.Helper()
	v.leave()
	<-v.done
	for _, text := range want {
		if v.answers[text] == 0 {
			t.Errorf("a visitor saw %v, never %s", v.answers, text)
		}
	}
	if v.site.hops {
		return
	}
	if len(v.failed) > 0 {
		t.Errorf("%d requests failed beside %v, the first: %v", len(v.failed), v.answers, v.failed[0])
	}
	if got := slices.Sorted(maps.Keys(v.answers)); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
		t.Errorf("a visitor saw %v, want %v", v.answers, want)
	}
}
