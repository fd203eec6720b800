package cache

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

type unixStat = syscall.Stat_t

// enoughUsers is how many user ids a machine has for images to keep their owners.
const enoughUsers = 65536

// mayChown reports whether files can be given to any user: by root, and in a user
// namespace only when it holds the ids that images use.
func mayChown() bool {
	return os.Geteuid() == 0 && mappedUsers("/proc/self/uid_map") >= enoughUsers
}

// mappedUsers counts the ids of a uid_map; all when there is none to read.
func mappedUsers(file string) (n int) {
	text, err := os.ReadFile(file)
	if err != nil {
		return enoughUsers
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) != 3 {
			continue
		}
		count, err := strconv.ParseUint(fields[2], 10, 32)
		if err == nil {
			n += int(count)
		}
	}
	return n
}

// removeAll removes a tree, also directories that their owner may not write to.
func removeAll(path string) error {
	err := os.RemoveAll(path)
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	_ = filepath.WalkDir(path, func(at string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			return os.Chmod(at, 0o700) //nolint:gosec // it is a directory about to go
		}
		return err
	})
	return os.RemoveAll(path)
}
