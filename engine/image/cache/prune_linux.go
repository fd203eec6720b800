package cache

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// Prune removes the images whose digest (sha256:…) is not in keep and the layers
// that no image is left to need. A pull in progress keeps what it needs. The
// caller sees to it that keep names every image that something runs from.
func (c *Cache) Prune(keep []string) error {
	if err := c.discard(keep); err != nil {
		return unusable(c.dir, err)
	}
	if err := errors.Join(c.sweep(), c.dropLocks()); err != nil {
		return unusable(c.dir, err)
	}
	return nil
}

// discard decides what goes and moves it out of sight, while no pull can begin.
func (c *Cache) discard(keep []string) error {
	all, err := c.lock(context.Background(), "all")
	if err != nil {
		return err
	}
	defer all.release()
	needed, err := c.dropImages(keep)
	if err != nil {
		return err
	}
	if err := c.addPulls(needed); err != nil {
		return err
	}
	return c.dropLayers(needed)
}

// dropImages removes records and tells the chain ids that those left need.
func (c *Cache) dropImages(keep []string) (map[string]bool, error) {
	kept := map[string]bool{}
	for _, digest := range keep {
		if key, err := keyOf(digest); err == nil {
			kept[key] = true
		}
	}
	needed := map[string]bool{}
	return needed, each(c.path("images"), func(key string) error {
		path := c.path("images", key)
		if !kept[key] {
			return os.Remove(path)
		}
		r, err := readRecord(path)
		if err != nil {
			return err
		}
		for _, name := range r.Layers {
			if mark, err := os.ReadFile(c.path("marks", name)); err == nil {
				needed[string(mark)] = true
			}
		}
		return nil
	})
}

// addPulls adds what living pulls need, and forgets dead ones.
func (c *Cache) addPulls(needed map[string]bool) error {
	return each(c.path("pulls"), func(name string) error {
		path := c.path("pulls", name)
		text, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) { // it just ended
			return nil
		}
		if err != nil {
			return err
		}
		dead, err := tryLock(path)
		if err != nil {
			return err
		}
		if dead != nil {
			dead.discard()
			return nil
		}
		var chains []string
		if err := json.Unmarshal(text, &chains); err != nil {
			return err
		}
		for _, chain := range chains {
			needed[chain] = true
		}
		return nil
	})
}

func (c *Cache) dropLayers(needed map[string]bool) error {
	return each(c.path("marks"), func(name string) error {
		mark, err := os.ReadFile(c.path("marks", name))
		if err != nil || needed[string(mark)] {
			return err
		}
		if err := os.Remove(c.path("marks", name)); err != nil {
			return err
		}
		away, err := os.MkdirTemp(c.path("tmp"), trash)
		if err != nil {
			return err
		}
		err = os.Rename(c.path("layers", name), filepath.Join(away, "layer"))
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return err
	})
}

// trash begins the names in tmp/ that anybody may remove.
const trash = "trash-"

// sweep removes from tmp/, and from layers/, what no living process works on.
func (c *Cache) sweep() error {
	return errors.Join(
		each(c.path("tmp"), func(name string) error {
			remove := func() error { return removeAll(c.path("tmp", name)) }
			if strings.HasPrefix(name, trash) {
				return remove()
			}
			return c.ifIdle(idleLock(name), remove)
		}),
		each(c.path("layers"), func(name string) error {
			return c.ifIdle(idleLock(name), func() error {
				if _, err := os.Stat(c.path("marks", name)); err == nil {
					return nil
				}
				return removeAll(c.path("layers", name))
			})
		}))
}

// idleLock names the lock that is held by whoever works on something in tmp/ or
// layers/: image-<digest>, mark-<layer> or <layer>.
func idleLock(name string) string {
	if strings.HasPrefix(name, "image-") {
		return name
	}
	layer := strings.TrimPrefix(name, "mark-")
	return "layer-" + layer[:min(shortName, len(layer))]
}

// ifIdle does something that nobody may be in the midst of.
func (c *Cache) ifIdle(lockName string, do func() error) error {
	l, err := tryLock(c.path("locks", lockName))
	if l == nil || err != nil {
		return err
	}
	defer l.release()
	return do()
}

// dropLocks removes the files of locks that nobody holds.
func (c *Cache) dropLocks() error {
	return each(c.path("locks"), func(name string) error {
		l, err := tryLock(c.path("locks", name))
		if l != nil {
			l.discard()
		}
		return err
	})
}

func each(dir string, do func(name string) error) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var all error
	for _, e := range entries {
		all = errors.Join(all, do(e.Name()))
	}
	return all
}
