package main

import (
	"bufio"
	"crypto/sha1" //nolint:gosec // RFC 6455 asks for it
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// drained is what a client is told before its stream is closed because the program
// stops: who hears nothing was cut off.
const drained = "drained"

// streams are answers without an end. When the program stops they are told so,
// and end.
type streams struct {
	stopping chan struct{}
	open     sync.WaitGroup
}

func newStreams() *streams { return &streams{stopping: make(chan struct{})} }

// stop lets no stream go on; it may be called once.
func (s *streams) stop() { close(s.stopping) }

// events counts upwards until the client leaves.
func (s *streams) events(w http.ResponseWriter, r *http.Request) {
	every, err := time.ParseDuration(r.FormValue("every"))
	if err != nil || every <= 0 {
		every = time.Second
	}
	w.Header().Set("Content-Type", "text/event-stream")
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for i := 0; ; i++ {
		_, _ = fmt.Fprintf(w, "data: %d\n\n", i)
		_ = http.NewResponseController(w).Flush()
		select {
		case <-ticker.C:
		case <-r.Context().Done():
			return
		case <-s.stopping:
			_, _ = fmt.Fprintf(w, "data: %s\n\n", drained)
			return
		}
	}
}

// The kinds of frames of RFC 6455, section 5.2.
const (
	frameText  = 1
	frameClose = 8
	framePing  = 9
	framePong  = 10
)

const (
	goingAway = 1001
	maxFrame  = 1 << 20
)

// websocket echoes every message until the client leaves.
func (s *streams) websocket(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Sec-WebSocket-Key") == "" {
		http.Error(w, "this is a websocket", http.StatusUpgradeRequired)
		return
	}
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	s.open.Add(1)
	defer s.open.Done()
	defer conn.Close()                                                                                  //nolint:errcheck // it has ended
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) //nolint:gosec // see above
	_, _ = fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(sum[:]))

	var writing sync.Mutex
	write := func(kind byte, text []byte) error {
		writing.Lock()
		defer writing.Unlock()
		return writeFrame(conn, kind, text)
	}
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		select {
		case <-ended:
		case <-s.stopping:
			_ = conn.SetReadDeadline(time.Now().Add(patience)) // for its answer to the close
			_ = write(frameText, []byte(drained))
			_ = write(frameClose, binary.BigEndian.AppendUint16(nil, goingAway))
		}
	}()
	echo(buffered.Reader, write)
}

// echo sends back what comes, until that ends.
func echo(in *bufio.Reader, write func(kind byte, text []byte) error) {
	for {
		kind, text, err := readFrame(in)
		if err != nil {
			return
		}
		switch kind {
		case framePing:
			err = write(framePong, text)
		case framePong:
		case frameClose:
			_ = write(frameClose, text)
			return
		default:
			err = write(kind, text)
		}
		if err != nil {
			return
		}
	}
}

// readFrame reads a client's frame, which is masked and has all of its message.
func readFrame(in *bufio.Reader) (kind byte, text []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		return 0, nil, err
	}
	size := uint64(head[1] & 0x7f)
	if wide := map[uint64]int{126: 2, 127: 8}[size]; wide > 0 {
		var length [8]byte
		if _, err := io.ReadFull(in, length[8-wide:]); err != nil {
			return 0, nil, err
		}
		size = binary.BigEndian.Uint64(length[:])
	}
	if size > maxFrame || head[0]&0x80 == 0 || head[1]&0x80 == 0 {
		return 0, nil, errors.New("not a whole, masked frame of at most 1 MiB")
	}
	masked := make([]byte, 4+size)
	if _, err := io.ReadFull(in, masked); err != nil {
		return 0, nil, err
	}
	text = masked[4:]
	for i := range text {
		text[i] ^= masked[i%4]
	}
	return head[0] & 0x0f, text, nil
}

func writeFrame(conn net.Conn, kind byte, text []byte) error {
	frame := []byte{0x80 | kind, byte(len(text))} //nolint:gosec // the next lines say what else it is
	switch {
	case len(text) > 0xffff:
		frame[1] = 127
		frame = binary.BigEndian.AppendUint64(frame, uint64(len(text)))
	case len(text) > 125:
		frame[1] = 126
		frame = binary.BigEndian.AppendUint16(frame, uint16(len(text))) //nolint:gosec // it is no more
	}
	_ = conn.SetWriteDeadline(time.Now().Add(patience))
	_, err := conn.Write(append(frame, text...))
	return err
}
