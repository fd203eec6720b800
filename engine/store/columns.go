package store

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"
)

// jsonColumn keeps what into points to as JSON text.
type jsonColumn struct{ into any }

// Value implements driver.Valuer.
func (c jsonColumn) Value() (driver.Value, error) {
	b, err := json.Marshal(c.into)
	return string(b), err
}

// Scan implements sql.Scanner.
func (c jsonColumn) Scan(src any) error {
	switch v := src.(type) {
	case string:
		return json.Unmarshal([]byte(v), c.into)
	case []byte:
		return json.Unmarshal(v, c.into)
	default:
		return fmt.Errorf("a JSON column holds a %T", src)
	}
}

// nanos keeps a time as nanoseconds since 1970 UTC, the zero time as 0.
type nanos struct{ t *time.Time }

// Value implements driver.Valuer.
func (c nanos) Value() (driver.Value, error) {
	if c.t.IsZero() {
		return int64(0), nil
	}
	return c.t.UnixNano(), nil
}

// Scan implements sql.Scanner.
func (c nanos) Scan(src any) error {
	switch n, ok := src.(int64); {
	case !ok:
		return fmt.Errorf("a time column holds a %T", src)
	case n == 0:
		*c.t = time.Time{}
	default:
		*c.t = time.Unix(0, n).UTC()
	}
	return nil
}

// orNull keeps "" as NULL, so that it neither refers to a row nor collides.
type orNull struct{ s *string }

// Value implements driver.Valuer.
func (c orNull) Value() (driver.Value, error) {
	if *c.s == "" {
		return nil, nil
	}
	return *c.s, nil
}

// Scan implements sql.Scanner.
func (c orNull) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*c.s = ""
	case string:
		*c.s = v
	case []byte:
		*c.s = string(v)
	default:
		return fmt.Errorf("a text column holds a %T", src)
	}
	return nil
}
