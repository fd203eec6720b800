package docker

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// declared is what a container was made as. It is kept in a label of the
// container, so that what was changed by hand can be told, and a successor can
// take over the ports that were chosen.
type declared struct {
	Image     string                 `json:"image"`                // registry/name:tag@sha256:…
	Run       string                 `json:"run"`                  // the image as Docker was given it
	Memory    int64                  `json:"memory,omitempty"`     // bytes
	CPU       int64                  `json:"cpu,omitempty"`        // billionths of a core
	Pids      int64                  `json:"pids,omitempty"`       // number
	Env       map[string]string      `json:"env,omitempty"`        // fingerprints by name, secrets left out
	Labels    map[string]string      `json:"labels,omitempty"`     // fingerprints by name, our own left out
	Mounts    []string               `json:"mounts,omitempty"`     // see mountPhrase
	Ports     map[string]engine.Port `json:"ports,omitempty"`      // those that are published, as declared
	Chosen    map[string]int         `json:"chosen,omitempty"`     // host port by port name
	Files     []string               `json:"files,omitempty"`      // paths that were copied in
	SecretEnv []string               `json:"secret_env,omitempty"` // names
	Grace     string                 `json:"grace,omitempty"`      // Go duration
	Restart   string                 `json:"restart,omitempty"`    // Docker's policy
	Networks  []string               `json:"networks,omitempty"`   // joined besides the deployment's own
	Options   map[string]string      `json:"options,omitempty"`    // fingerprints by attribute, see optionsOf
	Address   string                 `json:"address,omitempty"`    // in its deployment's network, "" = Docker's choice at each start
}

func declaredOf(labels map[string]string) declared {
	var made declared
	_ = json.Unmarshal([]byte(labels[labelDeclared]), &made) // what cannot be read differs from what is, and is told so
	return made
}

func (made declared) String() string {
	text, err := json.Marshal(made)
	if err != nil {
		panic(err) // it holds nothing that has no JSON
	}
	return string(text)
}

// fingerprints shorten values, since labels are listed with every container.
func fingerprints(values map[string]string) map[string]string {
	short := map[string]string{}
	for name, value := range values {
		short[name] = fingerprint(value)
	}
	return short
}

func fingerprint(value string) string {
	sum := sha256.Sum256([]byte(value))
	return hex.EncodeToString(sum[:6])
}

func envMap(list []string) map[string]string {
	env := map[string]string{}
	for _, line := range list {
		name, value, _ := strings.Cut(line, "=")
		env[name] = value
	}
	return env
}
