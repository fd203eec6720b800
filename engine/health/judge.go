package health

import "time"

// Result is one outcome of a check.
type Result struct {
	OK      bool
	Message string    // what happened, a sentence without final stop; also when OK
	At      time.Time // when the probe ended
}

// Verdict is what results together mean.
type Verdict string

// The verdicts. Only Anomaly asks for action.
const (
	OK      Verdict = "ok"
	Failing Verdict = "failing" // the newest failed, too few have to be an anomaly
	Anomaly Verdict = "anomaly"
	Unknown Verdict = "unknown" // no result yet, which is never ok
)

// Judge is the rule of health (design 4.4) over results with the newest last:
// the newest ok is ok; else threshold failures among the newest window results
// are an anomaly, fewer are failing; no result is unknown. A window or threshold
// below 1 counts as 1.
func Judge(results []Result, window, threshold int) Verdict {
	if len(results) == 0 {
		return Unknown
	}
	if results[len(results)-1].OK {
		return OK
	}
	newest := results[max(0, len(results)-max(1, window)):]
	failures := 0
	for _, r := range newest {
		if !r.OK {
			failures++
		}
	}
	if failures >= max(1, threshold) {
		return Anomaly
	}
	return Failing
}
