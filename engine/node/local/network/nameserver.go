package network

import (
	"context"
	"errors"
	"sync"

	"github.com/miekg/dns"
)

// nameServer serves the resolver on the hub's address, over UDP and TCP.
type nameServer struct {
	cancel  context.CancelFunc
	servers []*dns.Server
	running sync.WaitGroup
}

// serve answers once both servers take questions: only then they can be shut down.
func (s *nameServer) serve() {
	var started sync.WaitGroup
	for _, server := range s.servers {
		started.Add(1)
		server.NotifyStartedFunc = started.Done
		s.running.Go(func() { _ = server.ActivateAndServe() }) // ends by shutdown only
	}
	started.Wait()
}

func (s *nameServer) close() error {
	s.cancel()
	var failed []error
	for _, server := range s.servers {
		failed = append(failed, server.Shutdown())
	}
	s.running.Wait()
	return errors.Join(failed...)
}
