package store

import (
	"os"
	osexec "os/exec"
	"testing"
)

func TestOwnerAlive(t *testing.T) {
	self := ThisProcess()
	if self.Boot == "" || self.Space == "" || self.Start == "" {
		t.Fatalf("this process is not described: %+v", self)
	}
	with := func(change func(*LeaseOwner)) LeaseOwner { o := self; change(&o); return o }
	zombie := osexec.Command("/proc/self/exe", "-test.run=^$")
	out, err := zombie.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := zombie.Start(); err != nil {
		t.Fatal(err)
	}
	for b := make([]byte, 64); err == nil; { // until it has ended
		_, err = out.Read(b)
	}
	defer func() { _ = zombie.Wait() }()
	for {
		if start, err := processStart(zombie.Process.Pid); err != nil {
			t.Fatal(err)
		} else if start == "" {
			break // ended, and not waited for
		}
	}
	for name, c := range map[string]struct {
		owner LeaseOwner
		want  bool
	}{
		"this process":        {self, true},
		"another host":        {with(func(o *LeaseOwner) { o.Host, o.PID = "elsewhere", 1<<22+1 }), true},
		"an earlier boot":     {with(func(o *LeaseOwner) { o.Boot = "earlier" }), false},
		"another namespace":   {with(func(o *LeaseOwner) { o.Space, o.PID = "pid:[1]", 1<<22+1 }), true},
		"no such process":     {with(func(o *LeaseOwner) { o.PID = 1<<22 + 1 }), false},
		"a reused pid":        {with(func(o *LeaseOwner) { o.Start = "1" }), false},
		"no start time known": {with(func(o *LeaseOwner) { o.Start = "" }), true},
		"a process that ended": {with(func(o *LeaseOwner) {
			o.PID, o.Start = zombie.Process.Pid, ""
		}), false},
		"its parent": {with(func(o *LeaseOwner) { o.PID, o.Start = os.Getppid(), "" }), true},
	} {
		if got := ownerAlive(c.owner); got != c.want {
			t.Errorf("%s: alive is %v", name, got)
		}
	}
}
