package main

import (
	"fmt"
	"io"
	"math"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/internal/bench/stats"
)

// report writes the table, line by line, as results come in.
type report struct{ out io.Writer }

func (r report) line(format string, args ...any) { fmt.Fprintf(r.out, format+"\n", args...) }

func (r report) head(title string) { r.line("\n%s", title) }

// columns names what compare writes.
func (r report) columns(anchor string) {
	r.line("  %-26s %10s %10s %7s %14s %10s %10s %7s  %s", "", "slipway", anchor, "ratio", "(rounds)", "CPU", "CPU", "ratio", "goal")
}

// compare writes one comparison; goal is what the wall time's ratio should be, in words.
func (r report) compare(what string, c stats.Comparison, goal string) {
	r.line("  %-26s %10s %10s %7s %14s %10s %10s %7s  %s", what,
		duration(c.Ours.Wall), duration(c.Anchor.Wall), ratio(c.Wall), "("+ratio(c.Low)+"-"+ratio(c.High)+")",
		duration(c.Ours.CPU), duration(c.Anchor.CPU), ratio(c.CPU), goal)
}

// value writes one figure without anything to compare it with.
func (r report) value(what, figure, goal string) {
	r.line("  %-60s %12s  %s", what, figure, goal)
}

func duration(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}

func ratio(x float64) string {
	if math.IsNaN(x) {
		return "-"
	}
	return fmt.Sprintf("%.2f", x)
}

func mebibytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
