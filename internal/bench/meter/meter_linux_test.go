package meter

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"
)

// burn is a shell that spends CPU time, then waits for its input to end.
const burn = `i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo burnt; read x`

func start(t *testing.T, script string) (*exec.Cmd, func()) {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", script)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 6)); err != nil {
		t.Fatal(err)
	}
	end := func() {
		in.Close()
		_ = cmd.Wait() // a shell whose read fails ends with 1
	}
	return cmd, end
}

func TestCPUCountsTheLivingAndTheDead(t *testing.T) {
	for name, script := range map[string]string{
		"itself":     burn,
		"a child":    `(` + burn + `)`,
		"a dead one": `(i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done); echo burnt; read x`,
	} {
		t.Run(name, func(t *testing.T) {
			before, err := CPU(os.Getpid())
			if err != nil {
				t.Fatal(err)
			}
			cmd, end := start(t, script)
			alive, err := CPU(os.Getpid())
			if err != nil {
				t.Fatal(err)
			}
			end()
			spent := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			if spent < 20*time.Millisecond {
				t.Skipf("the shell spent only %v: nothing to tell", spent)
			}
			if got := alive - before; got < spent*8/10-2*tick {
				t.Errorf("counted %v while it lived, it spent %v", got, spent)
			}
		})
	}
}

func TestCPUOfNobodyIsAnError(t *testing.T) {
	if got, err := CPU(1 << 30); err == nil {
		t.Errorf("a process that cannot be spent %v", got)
	}
}

func TestParseReadsNamesWithParentheses(t *testing.T) {
	got, err := parse(7, "7 (a) (b) S 3 7 7 0 -1 0 0 0 0 0 11 22 33 44 20 0 1 0 5")
	want := process{pid: 7, parent: 3, name: "a) (b", waited: 77 * tick}
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for _, broken := range []string{"", "7 nothing", "7 (a) S 1", "7 (a) S x 7 7 0 -1 0 0 0 0 0 11 22 33 44 20"} {
		if p, err := parse(7, broken); err == nil {
			t.Errorf("%q became %+v", broken, p)
		}
	}
}

func TestMemoryOfThisProcess(t *testing.T) {
	m, err := MemoryOf(os.Getpid())
	if err != nil || m.Now < 1<<20 || m.Peak < m.Now*9/10 {
		t.Errorf("this process holds %+v, %v", m, err)
	}
	if m, err := MemoryOf(1 << 30); err == nil {
		t.Errorf("a process that cannot be holds %+v", m)
	}
}

func TestWatchFindsOnlyWhatIsWanted(t *testing.T) {
	cmd, end := start(t, burn)
	defer end()
	isShell := func(args []string) bool { return args[0] == "/bin/sh" }
	found, err := Below(os.Getpid(), isShell)
	if err != nil || !slices.Equal(found, []int{cmd.Process.Pid}) {
		t.Errorf("found %v, %v, want %d", found, err, cmd.Process.Pid)
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	peak, err := Watch(done, os.Getpid(), time.Hour, isShell)
	if err != nil || peak < 100<<10 {
		t.Errorf("the shell's peak is %d, %v", peak, err)
	}
	if peak, err := Watch(done, os.Getpid(), time.Hour, func([]string) bool { return false }); peak != 0 || err != nil {
		t.Errorf("nobody's peak is %d, %v", peak, err)
	}
}
