package tree

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// portion is how much is copied before it is looked whether to go on.
const portion = 64 << 20

// regular copies a file: by sharing its blocks where the file system can, else
// what is not a hole.
func (c *copier) regular(from, to string, size int64) error {
	in, err := os.OpenFile(from, os.O_RDONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if unix.IoctlFileClone(int(out.Fd()), int(in.Fd())) != nil {
		err = c.extents(in, out, size)
	}
	if err := errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("copying %s: %w", from, err)
	}
	c.bytes += size
	return nil
}

func (c *copier) extents(in, out *os.File, size int64) error {
	for at := int64(0); at < size; {
		start, end, err := extent(in, at, size)
		if err != nil {
			return err
		}
		if err := c.extent(in, out, start, end); err != nil {
			return err
		}
		at = end
	}
	return out.Truncate(size)
}

// extent is the next piece of data at or behind a place; an empty one at the end
// where there is none.
func extent(in *os.File, at, size int64) (start, end int64, err error) {
	start, err = unix.Seek(int(in.Fd()), at, unix.SEEK_DATA)
	if errors.Is(err, unix.ENXIO) {
		return size, size, nil
	}
	if errors.Is(err, unix.EINVAL) { // the file system knows of no holes
		return at, size, nil
	}
	if err == nil {
		end, err = unix.Seek(int(in.Fd()), start, unix.SEEK_HOLE)
	}
	return start, min(end, size), err
}

func (c *copier) extent(in, out *os.File, start, end int64) error {
	if _, err := in.Seek(start, io.SeekStart); err != nil {
		return err
	}
	if _, err := out.Seek(start, io.SeekStart); err != nil {
		return err
	}
	for left := end - start; left > 0; {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		n, err := io.CopyN(out, in, min(left, portion))
		if err != nil {
			return err
		}
		left -= n
	}
	return nil
}
