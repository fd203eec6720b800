package logfile

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"
)

// maxTail bounds what is read of one file for its last lines.
const maxTail = 1 << 20

// Tail gives the last lines of output over all files, oldest first. Where nothing
// was written it gives none.
func Tail(path string, lines int) ([]string, error) {
	var text []byte
	for i := 0; ; i++ {
		name := path
		if i > 0 {
			name = numbered(path, i)
		}
		part, err := tailOf(name)
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return nil, err
		}
		text = append(part, text...)
		if bytes.Count(text, []byte("\n")) > lines {
			break
		}
	}
	all := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	if len(text) == 0 || lines <= 0 {
		return nil, nil
	}
	for i, l := range all {
		all[i] = strings.TrimSuffix(l, "\r")
	}
	return all[max(0, len(all)-lines):], nil
}

func tailOf(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > maxTail {
		if _, err := f.Seek(-maxTail, io.SeekEnd); err != nil {
			return nil, err
		}
	}
	return io.ReadAll(f)
}

// Remove removes all files of an output.
func Remove(path string) error {
	for i := 0; ; i++ {
		name := path
		if i > 0 {
			name = numbered(path, i)
		}
		err := os.Remove(name)
		if errors.Is(err, fs.ErrNotExist) && i > 0 {
			return nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
}

// OlderThan reports whether nothing was written since the moment.
func OlderThan(path string, moment time.Time) bool {
	info, err := os.Stat(path)
	return err == nil && info.ModTime().Before(moment)
}
