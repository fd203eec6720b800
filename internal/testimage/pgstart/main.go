//go:build linux

// Command pgstart makes a PostgreSQL database in PGDATA at its first start and
// becomes the server. It understands POSTGRES_USER, POSTGRES_PASSWORD and
// POSTGRES_DB.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

const (
	bin      = "/usr/lib/postgresql/15/bin/"
	postgres = 999 // user and group
)

func main() {
	if err := start(); err != nil {
		fmt.Fprintln(os.Stderr, "pgstart:", err)
		os.Exit(1)
	}
}

func start() error {
	data := or("PGDATA", "/var/lib/postgresql/data")
	if err := become(data); err != nil {
		return err
	}
	// The mark is written last: a first start that was killed begins anew.
	mark := filepath.Join(data, "pgstart.done")
	if _, err := os.Stat(mark); err != nil {
		if err := create(data); err != nil {
			return err
		}
		if err := os.WriteFile(mark, nil, 0o600); err != nil {
			return err
		}
	}
	args := []string{"postgres", "-D", data, "-c", "listen_addresses=*", "-c", "unix_socket_directories=/tmp",
		"-c", "dynamic_shared_memory_type=mmap", "-c", "shared_buffers=16MB"}
	return syscall.Exec(bin+"postgres", append(args, os.Args[1:]...), os.Environ())
}

// become gives the data to postgres and goes on as that user; PostgreSQL refuses root.
func become(data string) error {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	if os.Geteuid() != 0 {
		return os.Chmod(data, 0o700)
	}
	own := func(path string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, postgres, postgres))
	}
	return errors.Join(filepath.WalkDir(data, own), os.Chmod(data, 0o700),
		syscall.Setgroups(nil), syscall.Setgid(postgres), syscall.Setuid(postgres))
}

func create(data string) error {
	left, err := filepath.Glob(data + "/*")
	if err != nil {
		return err
	}
	for _, path := range left {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	user, password := or("POSTGRES_USER", "postgres"), os.Getenv("POSTGRES_PASSWORD")
	method := "trust"
	args := []string{"-D", data, "--no-sync", "--encoding=UTF8", "--locale=C", "--auth-local=trust", "--username=" + user}
	if password != "" {
		method = "scram-sha-256"
		file, err := passwordFile(password)
		if err != nil {
			return err
		}
		defer os.Remove(file) //nolint:errcheck // temporary
		args = append(args, "--pwfile="+file)
	}
	if err := command("", "initdb", append(args, "--auth-host="+method)...); err != nil {
		return err
	}
	if db := or("POSTGRES_DB", user); db != "postgres" {
		sql := fmt.Sprintf("CREATE DATABASE \"%s\";\n", strings.ReplaceAll(db, `"`, `""`))
		if err := command(sql, "postgres", "--single", "-D", data, "postgres"); err != nil {
			return err
		}
	}
	return admit(filepath.Join(data, "pg_hba.conf"), method)
}

func passwordFile(password string) (string, error) {
	f, err := os.CreateTemp("", "pgstart-")
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(password + "\n")
	return f.Name(), errors.Join(err, f.Close())
}

// admit lets everybody connect who passes the method.
func admit(file, method string) error {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "host all all all %s\n", method)
	return errors.Join(err, f.Close())
}

func command(input, name string, args ...string) error {
	cmd := exec.Command(bin+name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func or(name, fallback string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return fallback
}
