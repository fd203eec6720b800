package load

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/websocket"
)

// drained is what the application says on a websocket before it closes it.
const drained = "drained"

// errDrained says that the application itself ended the websocket, because its
// instance stops.
var errDrained = errors.New(drained)

// converse keeps a websocket open: one that is closed is opened anew.
func (r *Run) converse(ctx context.Context, by *way) {
	ticker := time.NewTicker(r.mix.EchoEvery)
	defer ticker.Stop()
	var conn *websocket.Conn
	for n := 0; ; n++ {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			if conn != nil {
				_ = conn.Close()
			}
			return
		}
		began, err := time.Now(), error(nil)
		if conn == nil {
			conn, err = r.open(ctx, by)
		} else {
			err = r.echo(conn, strconv.Itoa(n))
		}
		if ctx.Err() != nil && conn == nil {
			return
		}
		if err != nil && conn != nil {
			_ = conn.Close()
			conn = nil
		}
		if errors.Is(err, errDrained) {
			r.tally.drained()
			continue
		}
		r.tally.add(outcome{kind: Websocket, target: by.target, err: err, took: time.Since(began)})
	}
}

// open connects and shakes hands.
func (r *Run) open(ctx context.Context, by *way) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, r.mix.Patience)
	defer cancel()
	at, err := url.Parse(by.target.URL)
	if err != nil {
		return nil, err
	}
	conn, err := by.dial(ctx, "tcp", hostPort(at))
	if err != nil {
		return nil, err
	}
	if at.Scheme == "https" {
		conn = tls.Client(conn, by.tlsFor(at.Hostname()))
	}
	config, err := websocket.NewConfig("ws"+strings.TrimPrefix(by.target.URL, "http")+"/websocket", by.target.URL)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	opened, err := websocket.NewClient(config, conn)
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("handshake: %w", err)
	}
	return opened, nil
}

// echo says something and waits until it comes back.
func (r *Run) echo(conn *websocket.Conn, text string) error {
	_ = conn.SetDeadline(time.Now().Add(r.mix.Patience))
	said := websocket.Message.Send(conn, text)
	var heard string
	// What the application said before it closed is there also where nothing can
	// be sent any more.
	if err := websocket.Message.Receive(conn, &heard); err != nil {
		return fmt.Errorf("cut off: %w", errors.Join(said, err))
	}
	switch {
	case heard == drained:
		return errDrained
	case said != nil:
		return said
	case heard != text:
		return fmt.Errorf("said %q, heard %.100q", text, heard)
	}
	return nil
}
