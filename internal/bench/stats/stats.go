// Package stats turns what was measured in rounds into what is told. It is pure.
package stats

import (
	"math"
	"slices"
	"time"
)

// Cost is what one round took: the time until it was done, and the CPU time of
// all processes that took part.
type Cost struct {
	Wall, CPU time.Duration
	Daemon    time.Duration // CPU time of the runtime that both sides use, 0 where there is none
}

// Pair is one round of two sides, measured one after the other.
type Pair struct {
	Ours, Anchor Cost
}

// Comparison is what rounds say of the two sides.
type Comparison struct {
	Ours, Anchor Cost // medians
	Wall, CPU    float64
	Low, High    float64 // lowest and highest ratio of wall times within one round
	Rounds       int
}

// Median is the middle value, or the mean of the two middle ones; 0 of none.
func Median(values []time.Duration) time.Duration {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return sorted[middle-1] + (sorted[middle]-sorted[middle-1])/2
}

// Ratio is a divided by b; NaN where b is not above 0.
func Ratio(a, b time.Duration) float64 {
	if b <= 0 {
		return math.NaN()
	}
	return float64(a) / float64(b)
}

// Compare sums up rounds: its ratios are those of the medians, since a single
// slow round of a shared machine must not decide.
func Compare(rounds []Pair) Comparison {
	c := Comparison{
		Rounds: len(rounds),
		Ours:   MedianCost(rounds, func(p Pair) Cost { return p.Ours }),
		Anchor: MedianCost(rounds, func(p Pair) Cost { return p.Anchor }),
	}
	c.Wall, c.CPU = Ratio(c.Ours.Wall, c.Anchor.Wall), Ratio(c.Ours.CPU, c.Anchor.CPU)
	c.Low, c.High = math.NaN(), math.NaN()
	for i, p := range rounds {
		ratio := Ratio(p.Ours.Wall, p.Anchor.Wall)
		if i == 0 {
			c.Low, c.High = ratio, ratio
			continue
		}
		c.Low, c.High = math.Min(c.Low, ratio), math.Max(c.High, ratio)
	}
	return c
}

// MedianCost is the median of each time of one side, each of its own round.
func MedianCost[T any](rounds []T, side func(T) Cost) Cost {
	var wall, cpu, daemon []time.Duration
	for _, r := range rounds {
		c := side(r)
		wall, cpu, daemon = append(wall, c.Wall), append(cpu, c.CPU), append(daemon, c.Daemon)
	}
	return Cost{Wall: Median(wall), CPU: Median(cpu), Daemon: Median(daemon)}
}

// Growth is how much more the large size costs than the small one for each of
// its units: 1 is linear, above is worse.
func Growth(small, large time.Duration, smallUnits, largeUnits int) float64 {
	if smallUnits <= 0 || largeUnits <= 0 {
		return math.NaN()
	}
	return Ratio(large, small) * float64(smallUnits) / float64(largeUnits)
}
