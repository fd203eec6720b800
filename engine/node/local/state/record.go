package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// Image is what the supervisor needs of an image: its unpacked layers, lowest
// first, and how it wants to be run.
type Image struct {
	Layers      []string            `json:"layers"`
	Entrypoint  []string            `json:"entrypoint,omitempty"`
	Cmd         []string            `json:"cmd,omitempty"`
	Env         []string            `json:"env,omitempty"`
	User        string              `json:"user,omitempty"`
	WorkingDir  string              `json:"working_dir,omitempty"`
	StopSignal  string              `json:"stop_signal,omitempty"`
	HealthCheck *engine.HealthCheck `json:"health_check,omitempty"`
}

// Record is all that makes an instance, without secrets.
type Record struct {
	Spec  node.Spec `json:"spec"`
	Image Image     `json:"image"`
}

type sealedRecord struct {
	Checksum string          `json:"checksum"`
	Record   json.RawMessage `json:"record"`
}

// WriteRecord seals the record into the instance's directory.
func WriteRecord(in Instance, r Record) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return write(in.RecordFile(), sealedRecord{Checksum: checksum(text), Record: text}, true)
}

// ReadRecord reads it back; altered says that somebody edited it by hand.
func ReadRecord(in Instance) (r Record, altered bool, err error) {
	var sealed sealedRecord
	if err := read(in.RecordFile(), &sealed); err != nil {
		return r, false, err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, sealed.Record); err != nil {
		return r, false, err
	}
	if err := json.Unmarshal(sealed.Record, &r); err != nil {
		return r, false, err
	}
	return r, checksum(compact.Bytes()) != sealed.Checksum, nil
}

func checksum(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Status is what an instance does and should do.
type Status struct {
	Wanted    string      `json:"wanted"` // engine.StateRunning or engine.StateStopped
	State     node.State  `json:"state"`
	ExitCode  int         `json:"exit_code"` // -1 before the first end
	OOMKilled bool        `json:"oom_killed,omitempty"`
	Error     string      `json:"error,omitempty"`
	Restarts  int         `json:"restarts,omitempty"`
	StartedAt time.Time   `json:"started_at,omitzero"`
	Heals     []time.Time `json:"heals,omitempty"` // of the last 24 h
}

// WriteStatus replaces the status. A power cut ends every instance, so what it
// would have said then does not matter.
func WriteStatus(in Instance, s Status) error { return write(in.StatusFile(), s, false) }

// ReadStatus reads it; an instance that was never started has the status of a created one.
func ReadStatus(in Instance) (Status, error) {
	s := Status{Wanted: engine.StateStopped, State: node.Created, ExitCode: -1}
	err := read(in.StatusFile(), &s)
	if errors.Is(err, fs.ErrNotExist) {
		if _, gone := os.Stat(in.Dir); gone == nil {
			return s, nil
		}
	}
	return s, err
}
