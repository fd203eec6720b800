package caps

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Bound takes every capability that is not in keep out of the calling thread's
// bounding set: no process started from it, root or not, ever gets one.
func Bound(keep Set) error {
	for number := 0; number < 64; number++ {
		if keep.Has(number) {
			continue
		}
		err := unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(number), 0, 0, 0)
		if errors.Is(err, unix.EINVAL) {
			return nil // the kernel knows no capability of that number, nor a higher one
		}
		if err != nil {
			return fmt.Errorf("dropping capability %d: %w", number, err)
		}
	}
	return nil
}
