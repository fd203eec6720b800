package health

import (
	"testing"

	"pgregory.net/rapid"
)

// results reads "+" as ok and "-" as failed, newest last.
func results(s string) []Result {
	var all []Result
	for _, r := range s {
		all = append(all, Result{OK: r == '+'})
	}
	return all
}

func TestJudge(t *testing.T) {
	for name, test := range map[string]struct {
		results           string
		window, threshold int
		want              Verdict
	}{
		"nothing":                   {"", 3, 3, Unknown},
		"ok":                        {"+", 3, 3, OK},
		"ok again":                  {"---+", 3, 3, OK},
		"one failure":               {"+++-", 3, 3, Failing},
		"two failures":              {"+--", 3, 3, Failing},
		"threshold":                 {"+---", 3, 3, Anomaly},
		"only failures":             {"---", 3, 3, Anomaly},
		"too few to be sure":        {"--", 3, 3, Failing},
		"flapping":                  {"-+-", 3, 2, Anomaly},
		"flapping outside":          {"-++-", 3, 2, Failing},
		"flapping, strict":          {"-+-", 3, 3, Failing},
		"threshold 1":               {"+-", 5, 1, Anomaly},
		"window 1":                  {"--", 1, 1, Anomaly},
		"threshold over the window": {"-----", 3, 4, Failing},
		"no window":                 {"-", 0, 0, Anomaly},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Judge(results(test.results), test.window, test.threshold); got != test.want {
				t.Errorf("%q in window %d is %s, want %s", test.results, test.window, got, test.want)
			}
		})
	}
}

func TestJudgeProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := results(rapid.StringMatching(`[+-]{1,30}`).Draw(t, "results"))
		window := rapid.IntRange(1, 20).Draw(t, "window")
		threshold := rapid.IntRange(1, window).Draw(t, "threshold")
		got := Judge(all, window, threshold)
		if newest := all[len(all)-1].OK; newest != (got == OK) {
			t.Fatalf("newest ok is %v, verdict %s", newest, got)
		}
		older := append(results("-+--"), all...)
		if len(all) >= window && Judge(older, window, threshold) != got {
			t.Fatal("what is older than the window counts")
		}
		worse := append(append([]Result{}, all...), Result{})
		if verdict := Judge(worse, window, threshold); got == Anomaly && all[max(0, len(all)-window)].OK && verdict != Anomaly {
			t.Fatalf("one more failure turns an anomaly into %s", verdict)
		}
		if threshold < window && got == Failing && Judge(all, window, threshold+1) == Anomaly {
			t.Fatal("a higher threshold is stricter")
		}
	})
}
