package docker

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// killMarked kills every process of this machine whose environment has the
// variable, and reports whether there was one: there is none that this user may
// see when the Docker Engine runs elsewhere.
func killMarked(variable string) bool {
	found := false
	for {
		again := false
		environments, err := filepath.Glob("/proc/[0-9]*/environ")
		if err != nil {
			return found
		}
		for _, path := range environments {
			env, err := os.ReadFile(path)
			if err != nil || !bytes.Contains(append([]byte{0}, env...), []byte("\x00"+variable+"\x00")) {
				continue
			}
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			if err == nil && syscall.Kill(pid, syscall.SIGKILL) == nil {
				found, again = true, true
			}
		}
		if !again {
			return found
		}
	}
}
