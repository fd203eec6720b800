// Package debian makes image layers of Debian packages: real programs with the
// libraries they need and little else. It needs apt-get and dpkg-deb and a network,
// and no privileges.
package debian

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// ErrUnusable says that this machine cannot get Debian packages.
var ErrUnusable = errors.New("Debian packages cannot be had here; run on Debian or Ubuntu with apt-get, dpkg-deb and access to its mirror") //nolint:staticcheck // Debian is a name

// freshFor is how long package lists are used before they are asked for again.
const freshFor = 24 * time.Hour

// forInstallers are packages that only serve to install, configure and supervise
// others on a whole system, by prefix. Images of one program need none of them.
var forInstallers = []string{
	"adduser", "debconf", "dpkg", "tar_", "perl", "libperl", "libpam-modules", "libpam-runtime", "passwd", "init-system-helpers", "usrmerge",
	"sysvinit-utils", "lsb-base", "ucf", "sensible-utils", "libsemanage", "libsepol",
	"libnumber-compare", "libtext-glob", "libfile-find-rule", "libjson-perl", "locales", "libc-l10n", "ssl-cert",
	"openssl", "postgresql-common", "postgresql-client-common", "libllvm", "libz3", "netbase", "iproute2", "libc-bin",
}

// apt runs apt-get with lists, caches and a system state of its own under dir.
type apt struct{ dir string }

func (a apt) run(args ...string) (string, error) {
	base := []string{
		"-o", "Dir::State=" + a.dir + "/state", "-o", "Dir::State::status=" + a.dir + "/status", "-o", "Dir::Cache=" + a.dir + "/cache",
		"-o", "APT::Sandbox::User=root", "-o", "Acquire::Retries=3", "-o", "APT::Install-Recommends=false",
	}
	cmd := exec.Command("apt-get", append(base, args...)...)
	cmd.Dir = filepath.Join(a.dir, "debs")
	cmd.Env = append(os.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%w: apt-get %s: %w: %s", ErrUnusable, args[0], err, strings.TrimSpace(stderr.String()))
	}
	return string(out), nil
}

// prepare makes the directories and brings the package lists up to date.
func (a apt) prepare() error {
	for _, tool := range []string{"apt-get", "dpkg-deb"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%w: %w", ErrUnusable, err)
		}
	}
	for _, d := range []string{"state/lists/partial", "cache/archives/partial", "debs"} {
		if err := os.MkdirAll(filepath.Join(a.dir, d), 0o755); err != nil {
			return err
		}
	}
	stamp := filepath.Join(a.dir, "status") // empty: on this system nothing is installed
	if info, err := os.Stat(stamp); err == nil && time.Since(info.ModTime()) < freshFor {
		return nil
	}
	if _, err := a.run("update"); err != nil {
		return err
	}
	return os.WriteFile(stamp, nil, 0o600)
}

// fetch downloads packages with all that they need and gives the archives: those
// that were asked for, and the rest.
func (a apt) fetch(packages []string) (asked, needed []string, err error) {
	if err := a.prepare(); err != nil {
		return nil, nil, err
	}
	uris, err := a.run(append([]string{"install", "--yes", "--print-uris"}, packages...)...)
	if err != nil {
		return nil, nil, err
	}
	var files []string
	for line := range strings.Lines(uris) {
		f := strings.Fields(line) // 'uri' file size hash
		if len(f) >= 3 && strings.HasPrefix(f[0], "'") && !superfluous(f[1]) {
			files = append(files, f[1])
		}
	}
	if err := a.download(files); err != nil {
		return nil, nil, err
	}
	for _, f := range files {
		path := filepath.Join(a.dir, "debs", f)
		if slices.Contains(packages, nameOf(f)) {
			asked = append(asked, path)
		} else {
			needed = append(needed, path)
		}
	}
	return asked, needed, nil
}

func (a apt) download(files []string) error {
	args := []string{"download"}
	for _, f := range files {
		if _, err := os.Stat(filepath.Join(a.dir, "debs", f)); err != nil {
			args = append(args, nameOf(f))
		}
	}
	if len(args) == 1 {
		return nil
	}
	_, err := a.run(args...)
	return err
}

// nameOf is the package in a file name, name_version_architecture.deb.
func nameOf(file string) string {
	name, _, _ := strings.Cut(file, "_")
	return name
}

func superfluous(file string) bool {
	return slices.ContainsFunc(forInstallers, func(prefix string) bool { return strings.HasPrefix(file, prefix) })
}
