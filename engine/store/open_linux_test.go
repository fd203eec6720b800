package store_test

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/store"
)

// asOther runs do with the file permissions of an ordinary user. The thread is
// given up afterwards.
func asOther(do func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if os.Getuid() == 0 {
			_, _ = unix.SetfsuidRetUid(12345)
		}
		do()
	}()
	<-done
}

func TestDataDirectoryThatIsNotWritable(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	ok(t, os.Chmod(filepath.Dir(dir), 0o755))
	there := filepath.Join(dir, "there")
	ok(t, openAt(t, filepath.Join(there, store.FileName)).Close())
	ok(t, os.Chmod(filepath.Join(there, store.FileName), 0o444))
	ok(t, os.Chmod(there, 0o555))
	ok(t, os.Chmod(dir, 0o555))
	defer func() { ok(t, os.Chmod(dir, 0o755)); ok(t, os.Chmod(there, 0o755)) }()
	for _, path := range []string{filepath.Join(dir, store.FileName), filepath.Join(dir, "new", store.FileName), filepath.Join(there, store.FileName)} {
		asOther(func() {
			s, err := store.Open(ctx, path, store.Options{})
			if err == nil {
				_, err = s.CreateTeam(ctx, engine.Team{ID: "acme"})
				_ = s.Close()
			}
			refused(t, err, engine.ErrUnavailable, "data directory", "read and write access")
		})
	}
}

// TestDiskThatIsFull uses a real one of one mebibyte.
func TestDiskThatIsFull(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("a file system cannot be mounted here: %v", err)
	}
	defer func() { ok(t, unix.Unmount(dir, unix.MNT_DETACH)) }()
	path := filepath.Join(dir, store.FileName)
	s := openAt(t, path)
	must[engine.Team](t)(s.CreateTeam(ctx, engine.Team{ID: "before"}))
	filler := filepath.Join(dir, "filler")
	f, err := os.Create(filler)
	ok(t, err)
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	_ = f.Close()
	_, err = s.CreateTeam(ctx, engine.Team{ID: "big", Description: string(make([]byte, 1<<18))})
	refused(t, err, engine.ErrUnavailable, "free s")
	_, err = store.Open(ctx, filepath.Join(dir, "second", store.FileName), store.Options{})
	refused(t, err, engine.ErrUnavailable)

	ok(t, os.Remove(filler))
	must[engine.Team](t)(s.CreateTeam(ctx, engine.Team{ID: "after"}))
	must[engine.Team](t)(s.Team(ctx, "before"))
	ok(t, s.Close())
	again := openAt(t, path)
	sound(t, again)
	must[engine.Team](t)(again.Team(ctx, "after"))
	ok(t, again.Close())
	ok(t, openAt(t, filepath.Join(dir, "second", store.FileName)).Close())
}
