package logfile

import (
	"bytes"
	"fmt"
	"os"
	"sync"
)

// Writer appends to path and, before a write that would take the file over
// maxSize bytes, turns it into path.1, path.1 into path.2, and so on, keeping
// maxFiles files in all. A disk that is full loses output, never the instance:
// Write does not fail.
type Writer struct {
	path     string
	maxSize  int64
	maxFiles int

	mu   sync.Mutex
	file *os.File
	size int64
}

// Open opens the newest file for appending.
func Open(path string, maxSize int64, maxFiles int) (*Writer, error) {
	w := &Writer{path: path, maxSize: max(maxSize, 1), maxFiles: max(maxFiles, 1)}
	return w, w.open(os.O_APPEND)
}

func (w *Writer) open(flag int) error {
	f, err := os.OpenFile(w.path, os.O_WRONLY|os.O_CREATE|flag, 0o600)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return err
	}
	w.file, w.size = f, info.Size()
	return nil
}

// Write implements io.Writer. Files change between lines where that is possible.
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for rest := p; len(rest) > 0 && w.file != nil; {
		n := w.fitting(rest)
		if n == 0 {
			w.rotate()
			continue
		}
		_, _ = w.file.Write(rest[:n])
		w.size += int64(n)
		rest = rest[n:]
	}
	return len(p), nil
}

// fitting tells how much of p goes into the present file; an empty file takes
// something always.
func (w *Writer) fitting(p []byte) int {
	room := w.maxSize - w.size
	if int64(len(p)) <= room {
		return len(p)
	}
	room = max(room, 0)
	if lines := bytes.LastIndexByte(p[:room], '\n') + 1; lines > 0 || w.size > 0 {
		return lines
	}
	return int(room)
}

func (w *Writer) rotate() {
	w.file.Close()
	w.file = nil
	for i := w.maxFiles - 1; i > 0; i-- {
		from := w.path
		if i > 1 {
			from = numbered(w.path, i-1)
		}
		_ = os.Rename(from, numbered(w.path, i)) // an absent one leaves a hole, which is fine
	}
	_ = w.open(os.O_TRUNC)
}

func numbered(path string, i int) string { return fmt.Sprintf("%s.%d", path, i) }

// Close closes the file; further output is lost.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file == nil {
		return nil
	}
	err := w.file.Close()
	w.file = nil
	return err
}
