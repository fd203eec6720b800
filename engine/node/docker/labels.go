package docker

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/moby/moby/client"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node"
)

// The labels of everything that the driver makes. They are also for people:
// docker ps --filter label=slipway.deployment=acme/production/shop.
const (
	labelPrefix     = "slipway."
	labelEngine     = labelPrefix + "engine"     // whose it is
	labelDeployment = labelPrefix + "deployment" // team/environment/prefix
	labelComponent  = labelPrefix + "component"
	labelInstance   = labelPrefix + "instance" // api-3-1
	labelGuest      = labelPrefix + "guest"    // of a container that is let in to other deployments
	labelVolume     = labelPrefix + "volume"   // of a volume: component/volume
	// labelAnyAddress marks a network in which no container can be given its address.
	labelAnyAddress = labelPrefix + "any-address"

	labelAbout    = labelPrefix + "about"    // node.Labels as JSON
	labelDeclared = labelPrefix + "declared" // what the container was made as, see declared
)

// owned is the filter for everything of this engine, or of one deployment of it.
func (d *Driver) owned(deployment string) client.Filters {
	f := make(client.Filters).Add("label", labelEngine+"="+d.cfg.EngineID)
	if deployment != "" {
		f = f.Add("label", labelDeployment+"="+deployment)
	}
	return f
}

// ours are the labels that all things of a deployment have.
func (d *Driver) ours(deployment string) map[string]string {
	return map[string]string{labelEngine: d.cfg.EngineID, labelDeployment: deployment}
}

// belongs reports whether the labels say that the thing is the deployment's.
func (d *Driver) belongs(labels map[string]string, deployment string) bool {
	return labels[labelEngine] == d.cfg.EngineID && labels[labelDeployment] == deployment
}

// foreign is the conflict with a thing of that name that is not the deployment's.
func foreign(kind, name string, labels map[string]string) error {
	owner := "was not made by Slipway"
	hint := "rename or remove it, or choose another prefix"
	if id := labels[labelEngine]; id != "" {
		owner = fmt.Sprintf("belongs to deployment %s of the Slipway engine %s", labels[labelDeployment], id)
		hint = "choose another prefix: two deployments on one Docker Engine cannot share one"
	}
	return engine.Conflict(fmt.Sprintf("the %s %s exists on the node and %s", kind, name, owner), hint)
}

func keyOf(labels map[string]string) node.Key {
	return node.Key{Deployment: labels[labelDeployment], Name: labels[labelInstance]}
}

// aboutOf reads what an instance is an instance of.
func aboutOf(labels map[string]string) node.Labels {
	var about node.Labels
	_ = json.Unmarshal([]byte(labels[labelAbout]), &about) // unreadable is as good as none: it then is of no revision
	return about
}

// The names of things, by what must be unique on one Docker Engine: the prefix.

func prefixOf(deployment string) string { return engine.BaseName(deployment) }

// networkPrefix begins the names of the networks of deployments.
const networkPrefix = "slipway-"

func containerName(k node.Key) string { return prefixOf(k.Deployment) + "-" + k.Name }

// networkName is that of the deployment's network. Those of the engine's own
// deployments sort before all others: of the networks of a container Docker takes
// the first by name for its published ports, and cuts every connection that came
// through them when another one becomes the first.
func networkName(deployment string) string {
	prefix := prefixOf(deployment)
	if engine.ReservedPrefix(prefix) {
		return networkPrefix + "-" + prefix
	}
	return networkPrefix + prefix
}

// volumeName is that of component/volume.
func volumeName(deployment, volume string) string {
	return prefixOf(deployment) + "-" + strings.ReplaceAll(volume, "/", "-")
}

func aboutLabel(about node.Labels) string {
	text, err := json.Marshal(about)
	if err != nil {
		panic(err) // it holds nothing that has no JSON
	}
	return string(text)
}
