package engine

import (
	"strconv"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
)

// ParseDuration reads a Go duration that must not be negative; "" is fallback.
func ParseDuration(field, s string, fallback time.Duration) (time.Duration, error) {
	if s == "" {
		return fallback, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, Invalid(field, "%q is not a duration: use a number with a unit, such as 500ms, 30s or 5m", s)
	}
	return d, nil
}

// maxSize is more than anything has, and few enough bytes for every program that
// reads numbers as floating point.
const maxSize = 1 << 60

// ParseSize reads a Kubernetes quantity of bytes, above zero and at most 1Ei; "" is
// fallback.
func ParseSize(field, s string, fallback int64) (int64, error) {
	if s == "" {
		return fallback, nil
	}
	q, err := resource.ParseQuantity(s)
	if err != nil || q.Sign() <= 0 || q.Value() <= 0 {
		return 0, Invalid(field, "%q is not a size: use bytes or a quantity such as 64Mi, 512Mi or 2Gi", s)
	}
	if q.CmpInt64(maxSize) > 0 {
		return 0, Invalid(field, "%q is more than anything has: use at most 1Ei", s)
	}
	return q.Value(), nil
}

// ParseMode reads octal permission bits; "" is fallback.
func ParseMode(field, s string, fallback uint32) (uint32, error) {
	if s == "" {
		return fallback, nil
	}
	m, err := strconv.ParseUint(s, 8, 32)
	if err != nil || m > 0o7777 {
		return 0, Invalid(field, "%q is not a file mode: use octal digits such as 0644", s)
	}
	return uint32(m), nil
}
