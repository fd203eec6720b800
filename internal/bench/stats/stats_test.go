package stats_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/slipwayhq/terraform-provider-slipway/internal/bench/stats"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []time.Duration
		want   time.Duration
	}{
		{nil, 0},
		{[]time.Duration{7}, 7},
		{[]time.Duration{9, 1, 5}, 5},
		{[]time.Duration{4, 1, 100, 2}, 3},
	} {
		before := slices.Clone(c.values)
		if got := stats.Median(c.values); got != c.want {
			t.Errorf("Median(%v) = %v, want %v", c.values, got, c.want)
		}
		if !slices.Equal(before, c.values) {
			t.Errorf("Median changed its input to %v", c.values)
		}
	}
}

func TestMedianHasHalfOfTheValuesOnEachSide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Map(rapid.Int64Range(0, 1e12), func(n int64) time.Duration { return time.Duration(n) }), 1, 30).Draw(t, "values")
		median := stats.Median(values)
		below, above := 0, 0
		for _, v := range values {
			if v < median {
				below++
			}
			if v > median {
				above++
			}
		}
		if 2*below > len(values) || 2*above > len(values) {
			t.Fatalf("%v of %v: %d below, %d above", median, values, below, above)
		}
	})
}

func TestCompareIsNotDecidedByOneRound(t *testing.T) {
	pair := func(ours, anchor time.Duration) stats.Pair {
		return stats.Pair{Ours: stats.Cost{Wall: ours, CPU: 2 * ours}, Anchor: stats.Cost{Wall: anchor, CPU: anchor}}
	}
	got := stats.Compare([]stats.Pair{pair(110, 100), pair(900, 100), pair(120, 120)})
	want := stats.Comparison{
		Ours: stats.Cost{Wall: 120, CPU: 240}, Anchor: stats.Cost{Wall: 100, CPU: 100},
		Wall: 1.2, CPU: 2.4, Low: 1, High: 9, Rounds: 3,
	}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestWhatWasNotMeasuredHasNoRatio(t *testing.T) {
	empty := stats.Compare(nil)
	for name, ratio := range map[string]float64{
		"wall": empty.Wall, "cpu": empty.CPU, "low": empty.Low, "high": empty.High,
		"ratio": stats.Ratio(1, 0), "growth": stats.Growth(1, 1, 0, 1),
	} {
		if !math.IsNaN(ratio) {
			t.Errorf("%s is %v, want none", name, ratio)
		}
	}
}

func TestGrowth(t *testing.T) {
	if got := stats.Growth(time.Second, 10*time.Second, 100, 1000); got != 1 {
		t.Errorf("ten times the time for ten times the units grows by %v, want 1", got)
	}
	if got := stats.Growth(time.Second, 100*time.Second, 100, 1000); got != 10 {
		t.Errorf("the square grows by %v, want 10", got)
	}
}
