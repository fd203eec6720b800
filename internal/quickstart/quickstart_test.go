package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// testLayout is the repository's example with a run directory of its own.
func testLayout(t *testing.T) layout {
	t.Helper()
	l, err := newLayout(t.TempDir(), "../../examples/quickstart")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// expectImages holds when every release was pushed as an image of its own, and
// when an image is the same however often and wherever it is made.
func expectImages(t *testing.T, pushed string) {
	t.Helper()
	seen := map[string]string{}
	for line := range strings.Lines(pushed) {
		fields := strings.Fields(line) // reference and digest
		if other, taken := seen[fields[1]]; taken {
			t.Errorf("%s is the same image as %s", fields[0], other)
		}
		seen[fields[1]] = fields[0]
	}
	if len(seen) != len(releases) {
		t.Errorf("%d images were pushed, want %d:\n%s", len(seen), len(releases), pushed)
	}
	if again := digestOf(t, testLayout(t), releases[0]); seen[again] == "" {
		t.Errorf("made again in another place, the store is another image, %s", again)
	}
}

func digestOf(t *testing.T, l layout, r release) string {
	t.Helper()
	image, err := r.build(t.Context(), l)
	if err != nil {
		t.Fatal(err)
	}
	digest, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest.String()
}

func TestTheRegistryServesOnlyWhoKnowsThePassword(t *testing.T) {
	l := testLayout(t)
	ctx, stop := context.WithCancel(t.Context())
	password, err := l.password()
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, l) }()
	for !registryRuns(ctx, l) {
		select {
		case err := <-ended:
			t.Fatalf("the registry ended: %v", err)
		default:
		}
	}
	var said bytes.Buffer
	if err := publish(ctx, l, &said); err != nil {
		t.Fatal(err)
	}
	expectImages(t, said.String())
	if strings.Contains(said.String(), password) {
		t.Error("the password was printed")
	}
	ref, err := name.ParseReference(l.address()+"/guestbook:1.0.0", name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := remote.Get(ref); err == nil || !strings.Contains(err.Error(), "UNAUTHORIZED") {
		t.Errorf("without a password: %v, want UNAUTHORIZED", err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("the registry ended with %v", err)
	}
	if registryRuns(t.Context(), l) {
		t.Error("the registry still answers")
	}
	if info, err := os.Stat(l.passwordFile()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the password's file: %v, %v, want mode 0600", info, err)
	}
}

func TestAnotherProgramOnThePortIsNotOurRegistry(t *testing.T) {
	stranger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") }))
	defer stranger.Close()
	l := testLayout(t)
	if _, err := l.password(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(l.addressFile(), []byte(stranger.Listener.Addr().String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if registryRuns(t.Context(), l) {
		t.Error("a server that lets everybody in was taken for our registry")
	}
}

func TestReleaseOnThePage(t *testing.T) {
	for _, c := range []struct{ page, want string }{
		{"<head><title>Guestbook 1.1.0</title></head>", "1.1.0"},
		{"<title>Welcome to nginx!</title>", ""},
		{"", ""},
	} {
		got, err := releaseOn(c.page)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("releaseOn(%q) = %q, %v", c.page, got, err)
		}
	}
}

func TestVisitorsCountWhatFails(t *testing.T) {
	sick := make(chan bool, 1)
	sick <- false
	guestbook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		ill := <-sick
		sick <- ill
		if ill {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		io.WriteString(w, "<title>Guestbook 1.0.0</title>")
	}))
	defer guestbook.Close()

	for _, ill := range []bool{false, true} {
		<-sick
		sick <- ill
		met := visitWhile(t.Context(), guestbook.URL, func() {
			if release, err := visit(t.Context(), guestbook.URL); (err != nil) != ill {
				t.Errorf("ill %v: visit answers %q, %v", ill, release, err)
			}
		})
		if ill && (met.good != 0 || met.failed == 0) || !ill && (met.failed != 0 || met.good == 0) {
			t.Errorf("ill %v: %s", ill, met)
		}
	}
}

func TestTheEnvironmentLeadsNowhereElse(t *testing.T) {
	got := cleanEnvironment([]string{"PATH=/bin", "TF_CLI_ARGS=-x", "TF_WORKSPACE=w", "TFC_RUN_ID=r", "SLIPWAY_ENDPOINT=e", "HOME=/h"})
	if diff := cmp.Diff([]string{"PATH=/bin", "HOME=/h"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestRemoveAllTakesReadOnlyDirectories(t *testing.T) {
	root := filepath.Join(t.TempDir(), "root")
	if err := os.MkdirAll(filepath.Join(root, "a", "b"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(root, "a"), 0o500); err != nil {
		t.Fatal(err)
	}
	if err := removeAll(root); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(root); !os.IsNotExist(err) {
		t.Errorf("still there: %v", err)
	}
	if err := removeAll(root); err != nil {
		t.Errorf("again: %v", err)
	}
}

func TestOnlyTheHealthCheckIsTheRightFailure(t *testing.T) {
	exit := errors.New("exit status 1")
	for _, c := range []struct {
		said    string
		failure error
		want    string
	}{
		{"GET http://localhost:8080/healthz answered 503 Service Unavailable", exit, ""},
		{"Error: registry refused the password", exit, "another reason"},
		{"Apply complete! 503 things added", nil, "although the release is broken"},
	} {
		got := ""
		if err := failedAsItShould(c.said, c.failure); err != nil {
			got = err.Error()
		}
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%q, %v: %q, want %q", c.said, c.failure, got, c.want)
		}
	}
}

func TestTerraformMustBeNewEnough(t *testing.T) {
	dir := t.TempDir()
	for version, fine := range map[string]bool{"1.10.5": false, "1.11.0": true, "1.12.6-dev": true, "1.11.0-rc1": true} {
		program := filepath.Join(dir, "tf-"+version)
		script := "#!/bin/sh\necho '{\"terraform_version\": \"" + version + "\"}'\n"
		if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := findTerraform(t.Context(), program); (err == nil) != fine {
			t.Errorf("%s: %v, want it fine: %v", version, err, fine)
		}
	}
	t.Chdir(dir)
	if got, err := findTerraform(t.Context(), "./tf-1.11.0"); err != nil || got != filepath.Join(dir, "tf-1.11.0") {
		t.Errorf("by a relative path: %q, %v", got, err)
	}
	if _, err := findTerraform(t.Context(), filepath.Join(dir, "nothing")); err == nil || !strings.Contains(err.Error(), "install Terraform or OpenTofu") {
		t.Errorf("without a program: %v, want what to install", err)
	}
}

// What is told to type works: the short name only where it leads to that program.
func TestTerraformIsNamedAsItWasFound(t *testing.T) {
	onPath, elsewhere := t.TempDir(), t.TempDir()
	for _, dir := range []string{onPath, elsewhere} {
		if err := os.WriteFile(filepath.Join(dir, "tofu"), []byte("#!/bin/sh\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", onPath)
	if got := (terraform{program: filepath.Join(onPath, "tofu")}).name(); got != "tofu" {
		t.Errorf("on PATH: %q", got)
	}
	if other := filepath.Join(elsewhere, "tofu"); (terraform{program: other}).name() != other {
		t.Errorf("elsewhere: %q", terraform{program: other}.name())
	}
}
