package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// run lets the real go test speak about a module with that test file.
func run(t *testing.T, source string) (string, bool) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"go.mod": "module probe\n\ngo 1.26\n", "probe_test.go": source} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "test", "-json", "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	events, _ := cmd.Output() // a failing test is what some cases are about
	var out strings.Builder
	failed, err := report(strings.NewReader(string(events)), &out)
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), failed
}

func TestWhatGoTestSays(t *testing.T) {
	for _, c := range []struct {
		name, source string
		failed       bool
		want, wantNo []string
	}{
		{
			name:   "a pass is a line",
			source: `package probe; import "testing"; func TestA(t *testing.T) { t.Log("chatter") }`,
			want:   []string{"ok  \tprobe", "1 tests passed, 0 failed, 0 skipped"},
			wantNo: []string{"chatter", "PASS"},
		},
		{
			name: "a failure is shown whole",
			source: `package probe; import "testing"
				func TestA(t *testing.T) { t.Log("before"); t.Error("it broke") }
				func TestB(t *testing.T) { t.Log("chatter") }`,
			failed: true,
			want:   []string{"--- FAIL: TestA", "before", "it broke", "FAIL\tprobe", "1 tests passed, 1 failed"},
			wantNo: []string{"chatter", "=== RUN"},
		},
		{
			name:   "a panic is shown with what the test said",
			source: `package probe; import "testing"; func TestA(t *testing.T) { t.Log("last words"); panic("no way on") }`,
			failed: true,
			want:   []string{"last words", "no way on", "FAIL\tprobe"},
		},
		{
			name:   "what does not compile",
			source: `package probe; import "testing"; func TestA(t *testing.T) { undefined() }`,
			failed: true,
			want:   []string{"undefined: undefined", "FAIL\tprobe [build failed]"},
		},
		{
			name: "skips are told with their reason",
			source: `package probe; import "testing"
				func TestA(t *testing.T) { t.Skip("needs docker-registry: apt-get install docker-registry") }
				func TestB(t *testing.T) { t.Skip("needs docker-registry: apt-get install docker-registry") }
				func TestC(t *testing.T) { t.SkipNow() }`,
			want: []string{
				"0 tests passed, 0 failed, 3 skipped",
				"skipped: needs docker-registry: apt-get install docker-registry\n           TestA, TestB",
				"skipped: no reason given\n           TestC",
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			said, failed := run(t, c.source)
			if failed != c.failed {
				t.Errorf("failed = %v, want %v", failed, c.failed)
			}
			for _, want := range c.want {
				if !strings.Contains(said, want) {
					t.Errorf("no %q in:\n%s", want, said)
				}
			}
			for _, wantNo := range c.wantNo {
				if strings.Contains(said, wantNo) {
					t.Errorf("%q in:\n%s", wantNo, said)
				}
			}
		})
	}
}
