package docker

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"

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

// altered tells what differs from what was made, each in a short phrase.
func (d *Driver) altered(c container.InspectResponse) []string {
	made := declaredOf(c.Config.Labels)
	var all []string
	say := func(differs bool, format string, args ...any) {
		if differs {
			all = append(all, fmt.Sprintf(format, args...))
		}
	}
	name := strings.TrimPrefix(c.Name, "/")
	key := keyOf(c.Config.Labels)
	say(c.State.Paused, "is paused")
	say(name != containerName(key) && name != containerName(key)+staged, "name is %s", name)
	say(c.Config.Image != made.Run, "image is %s", c.Config.Image)
	say(c.HostConfig.Memory != made.Memory, "memory is %s", bytesOrNone(c.HostConfig.Memory))
	say(c.HostConfig.NanoCPUs != made.CPU, "cpu is %g", float64(c.HostConfig.NanoCPUs)/1e9)
	say(pids(c.HostConfig.PidsLimit) != made.Pids, "pids is %d", pids(c.HostConfig.PidsLimit))
	say(c.HostConfig.RestartPolicy.Name != container.RestartPolicyMode(made.Restart) && c.State.Running, "restart policy is %q", c.HostConfig.RestartPolicy.Name)
	say(!holds(envMap(c.Config.Env), made.Env), "environment differs")
	say(!holds(c.Config.Labels, made.Labels), "labels differ")
	say(!slices.Equal(mountPhrases(c.HostConfig.Mounts), made.Mounts), "mounts differ")
	say(!samePorts(c.HostConfig.PortBindings, d.portBindings(made)), "published ports differ")
	return append(all, alteredNetworks(c, networkName(key.Deployment))...)
}

func alteredNetworks(c container.InspectResponse, own string) []string {
	var all []string
	if _, joined := c.NetworkSettings.Networks[own]; !joined {
		all = append(all, "is not in network "+own)
	}
	for _, name := range slices.Sorted(maps.Keys(c.NetworkSettings.Networks)) {
		if name != own {
			all = append(all, "is also in network "+name)
		}
	}
	return all
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

// holds reports whether every value is there; others may be too.
func holds(values, wanted map[string]string) bool {
	for name, want := range wanted {
		if value, ok := values[name]; !ok || fingerprint(value) != want {
			return false
		}
	}
	return true
}

func envMap(list []string) map[string]string {
	env := map[string]string{}
	for _, line := range list {
		name, value, _ := strings.Cut(line, "=")
		env[name] = value
	}
	return env
}

func mountPhrases(mounts []mount.Mount) []string {
	var all []string
	for _, m := range mounts {
		if strings.HasSuffix(m.Source, filesSuffix) || strings.Contains(m.Source, filesSuffix+"/") {
			continue // how files come in is the driver's own business
		}
		phrase := fmt.Sprintf("%s %s %s", m.Type, m.Source, m.Target)
		if m.ReadOnly {
			phrase += " ro"
		}
		all = append(all, phrase)
	}
	slices.Sort(all)
	return all
}

func pids(limit *int64) int64 {
	if limit == nil || *limit < 0 {
		return 0
	}
	return *limit
}

func bytesOrNone(n int64) string {
	if n == 0 {
		return "not limited"
	}
	return fmt.Sprintf("%d bytes", n)
}
