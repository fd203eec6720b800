package main

import (
	"cmp"
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
)

// registryUser is the only one that the registry knows.
const registryUser = "quickstart"

// registryStart is how long a registry may take until it answers.
const registryStart = 10 * time.Second

// serve is the registry's own process: it answers on loopback until it is told
// to end. Layers are kept on disk; manifests are pushed again at every start.
func serve(ctx context.Context, l layout) error {
	password, err := l.password()
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", cmp.Or(l.address(), "127.0.0.1:0"))
	if err != nil {
		return fmt.Errorf("the registry's port is taken by another program: end that, or start over with `make quickstart-clean`: %w", err)
	}
	if err := os.MkdirAll(l.blobs(), 0o700); err != nil {
		return err
	}
	images := registry.New(registry.WithBlobHandler(registry.NewDiskBlobHandler(l.blobs())), registry.Logger(log.New(io.Discard, "", 0)))
	server := &http.Server{Handler: withPassword(images, password), ReadHeaderTimeout: 5 * time.Second}
	if err := os.WriteFile(l.addressFile(), []byte(listener.Addr().String()), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(l.pidFile(), []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
		return err
	}
	go func() {
		<-ctx.Done()
		server.Close()
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func withPassword(next http.Handler, password string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, given, _ := r.BasicAuth()
		if user != registryUser || subtle.ConstantTimeCompare([]byte(given), []byte(password)) != 1 {
			w.Header().Set("WWW-Authenticate", `Basic realm="quickstart"`)
			http.Error(w, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`, http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// startRegistry makes sure that the registry runs, and answers its address. It
// outlives this program.
func startRegistry(ctx context.Context, l layout) (string, error) {
	if registryRuns(ctx, l) {
		return l.address(), nil
	}
	program, err := os.Executable()
	if err != nil {
		return "", err
	}
	output, err := os.Create(l.registryLog())
	if err != nil {
		return "", err
	}
	defer output.Close()
	cmd := exec.Command(program, "-run", l.run, "-example", l.example, "serve")
	cmd.Dir, cmd.Stdout, cmd.Stderr = l.run, output, output
	cmd.SysProcAttr = detached()
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("start the registry: %w", err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // what it said is in its log
	}()

	deadline := time.After(registryStart)
	for !registryRuns(ctx, l) {
		select {
		case <-ended:
			said, _ := os.ReadFile(l.registryLog())
			return "", fmt.Errorf("the registry ended: %s", strings.TrimSpace(string(said)))
		case <-deadline:
			return "", fmt.Errorf("the registry did not answer within %s: see %s", registryStart, l.registryLog())
		case <-ctx.Done():
			return "", ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return l.address(), nil
}

// stopRegistry ends the registry when it runs.
func stopRegistry(ctx context.Context, l layout) error {
	if !registryRuns(ctx, l) {
		return nil // nothing, or another program that got the process id or the port since
	}
	raw, err := os.ReadFile(l.pidFile())
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil {
		return fmt.Errorf("%s: %w", l.pidFile(), err)
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	if err := end(process); err != nil {
		return fmt.Errorf("end the registry, process %d: %w", pid, err)
	}
	for deadline := time.Now().Add(registryStart); registryRuns(ctx, l); {
		if time.Now().After(deadline) {
			return fmt.Errorf("the registry, process %d, did not end within %s", pid, registryStart)
		}
		time.Sleep(50 * time.Millisecond)
	}
	return nil
}

// registryRuns reports whether our registry answers: it refuses everybody but
// who knows its password, which no other program does.
func registryRuns(ctx context.Context, l layout) bool {
	password, err := os.ReadFile(l.passwordFile())
	address := l.address()
	if err != nil || address == "" {
		return false
	}
	answer := func(user, password string) int {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/v2/", nil)
		if err != nil {
			return 0
		}
		req.SetBasicAuth(user, password)
		client := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := client.Do(req)
		if err != nil {
			return 0
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	return answer(registryUser, string(password)) == http.StatusOK && answer("nobody", "") == http.StatusUnauthorized
}
