package debian

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"strings"
)

// Write downloads the packages and writes two layers as uncompressed archives:
// base with what the packages need, top with the packages themselves. dir keeps
// package lists and archives for the next time.
func Write(dir string, packages []string, base, top io.Writer) error {
	asked, needed, err := apt{dir}.fetch(packages)
	if err != nil {
		return err
	}
	lower := newTree(base)
	if err := lower.mergedUsr(); err != nil {
		return err
	}
	return errors.Join(lower.add(needed), newTree(top).add(asked))
}

// unwanted is what a program does not need to run.
var unwanted = []string{
	"usr/share/doc/", "usr/share/man/", "usr/share/locale/", "usr/share/lintian/", "usr/share/info/", "usr/share/bug/",
	"usr/lib/systemd/", "etc/init.d/", "etc/cron.d/", "etc/logrotate.d/", "usr/share/bash-completion/", "usr/share/perl5/",
	"usr/lib/x86_64-linux-gnu/gconv/", "usr/lib/postgresql/15/lib/bitcode/", "usr/lib/postgresql/15/lib/llvmjit.so",
}

// tree writes the entries of many packages into one layer.
type tree struct {
	out  *tar.Writer
	seen map[string]bool
}

func newTree(w io.Writer) *tree { return &tree{out: tar.NewWriter(w), seen: map[string]bool{}} }

// mergedUsr begins a root file system as Debian has it: /bin is /usr/bin, and so on.
func (t *tree) mergedUsr() error {
	var all error
	for _, dir := range []string{"usr", "usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "etc", "var", "run", "dev", "proc", "sys"} {
		all = errors.Join(all, t.write(&tar.Header{Name: dir + "/", Typeflag: tar.TypeDir, Mode: 0o755}, nil))
	}
	all = errors.Join(all, t.write(&tar.Header{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o1777}, nil))
	for _, dir := range []string{"bin", "sbin", "lib", "lib64"} {
		all = errors.Join(all, t.write(&tar.Header{Name: dir, Typeflag: tar.TypeSymlink, Linkname: "usr/" + dir, Mode: 0o777}, nil))
	}
	return errors.Join(all, t.write(&tar.Header{Name: "usr/bin/sh", Typeflag: tar.TypeSymlink, Linkname: "dash", Mode: 0o777}, nil))
}

// add writes the packages and ends the layer.
func (t *tree) add(debs []string) error {
	for _, deb := range debs {
		if err := t.addOne(deb); err != nil {
			return fmt.Errorf("%s: %w", path.Base(deb), err)
		}
	}
	return t.out.Close()
}

func (t *tree) addOne(deb string) error {
	cmd := exec.Command("dpkg-deb", "--fsys-tarfile", deb)
	cmd.Stderr = os.Stderr
	content, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	err = t.copy(tar.NewReader(content))
	_, _ = io.Copy(io.Discard, content)
	return errors.Join(err, cmd.Wait())
}

func (t *tree) copy(in *tar.Reader) error {
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		h.Name = underUsr(h.Name)
		if h.Typeflag == tar.TypeLink {
			h.Linkname = underUsr(h.Linkname)
		}
		if err := t.write(h, in); err != nil {
			return err
		}
	}
}

func (t *tree) write(h *tar.Header, content io.Reader) error {
	name := strings.TrimSuffix(h.Name, "/")
	if name == "" || name == "." || t.seen[name] || isUnwanted(h.Name) {
		return nil
	}
	t.seen[name] = true
	h.Format = tar.FormatPAX
	if err := t.out.WriteHeader(h); err != nil {
		return err
	}
	if h.Typeflag != tar.TypeReg {
		return nil
	}
	_, err := io.Copy(t.out, content)
	return err
}

// underUsr moves what old packages keep beside /usr to where the links lead.
func underUsr(name string) string {
	name = strings.TrimPrefix(strings.TrimPrefix(name, "./"), "/")
	first, _, _ := strings.Cut(name, "/")
	switch first {
	case "bin", "sbin", "lib", "lib64":
		return "usr/" + name
	}
	return name
}

func isUnwanted(name string) bool {
	for _, prefix := range unwanted {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
