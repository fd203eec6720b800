package provider

import (
	"fmt"
	"os"
	"strings"
)

// run names the run of Terraform that this process serves. Terraform plans and
// applies in different provider processes, but it is the parent of both.
func run() string {
	if hosted := os.Getenv(envHostedRun); hosted != "" {
		return hosted
	}
	return fmt.Sprintf("%d-%s", os.Getppid(), startTime(os.Getppid()))
}

// startTime tells apart two processes that had the same id, on systems that
// say when a process started; "" elsewhere.
func startTime(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The name, in parentheses, may hold anything; 20 fields follow until the time.
	_, rest, _ := strings.Cut(string(stat[strings.LastIndexByte(string(stat), ')')+1:]), " ")
	fields := strings.Fields(rest)
	if len(fields) < 20 {
		return ""
	}
	return fields[19]
}
