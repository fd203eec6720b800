package catalog

import (
	"strconv"
	"strings"
)

// signals of Linux on all but MIPS and SPARC, signal(7), in the order of their
// numbers from 1.
var signals = strings.Fields(`SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1
	SIGSEGV SIGUSR2 SIGPIPE SIGALRM SIGTERM SIGSTKFLT SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGTTIN SIGTTOU
	SIGURG SIGXCPU SIGXFSZ SIGVTALRM SIGPROF SIGWINCH SIGIO SIGPWR SIGSYS`)

const (
	realTimeMin = 34 // SIGRTMIN as the C libraries count it
	realTimeMax = 64
)

// canonicalSignal gives the one spelling of a signal that was written as a name
// with or without SIG, as SIGRTMIN+n, or as a number; "" stays "".
func canonicalSignal(s string) (string, bool) {
	if s == "" {
		return "", true
	}
	n, ok := signalNumber(s)
	switch {
	case !ok || n < 1 || n > realTimeMax:
		return s, false
	case n <= len(signals):
		return signals[n-1], true
	default:
		return strconv.Itoa(n), true
	}
}

func signalNumber(s string) (int, bool) {
	if n, err := strconv.Atoi(s); err == nil {
		return n, true
	}
	name := "SIG" + strings.TrimPrefix(strings.ToUpper(s), "SIG")
	for i, known := range signals {
		if known == name {
			return i + 1, true
		}
	}
	for base, n := range map[string]int{"SIGRTMIN": realTimeMin, "SIGRTMAX": realTimeMax} {
		rest, found := strings.CutPrefix(name, base)
		if !found {
			continue
		}
		if rest == "" {
			return n, true
		}
		offset, err := strconv.Atoi(rest)
		return n + offset, err == nil && n+offset >= realTimeMin && n+offset <= realTimeMax
	}
	return 0, false
}
