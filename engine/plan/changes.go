package plan

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine/catalog"
)

// Differences names the attributes in which two effective configurations
// differ, sorted, as the schema calls them: "image", "env", "ports". "secrets"
// stands for their names and values, "restart_trigger" for a hash that differs
// in nothing else. "routes" stands for the secrets that they take too.
func Differences(a, b catalog.Effective) []string {
	was, want := attributes(a), attributes(b)
	var all []string
	for name := range overlay(was, want) {
		if was[name] != want[name] {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	if a.ConfigHash != b.ConfigHash && len(all) == len(besideInstances(all)) {
		all = append(all, "restart_trigger")
	}
	return all
}

// besideInstances are those of the attributes that change no running instance.
func besideInstances(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n != "replicas" && n != "depends_on" && n != "routes" })
}

// attributes gives every attribute's canonical JSON.
func attributes(e catalog.Effective) map[string]string {
	c := catalog.Normalize(e.Component)
	c.Env, c.Replicas = e.Env, &e.Replicas
	c.Image = catalog.ImageDigest(e.Image)
	all := fields(c)
	all["secrets"] += e.SecretHash
	for _, name := range slices.Sorted(maps.Keys(e.RouteHashes)) {
		all["routes"] += e.RouteHashes[name]
	}
	return all
}

// fields gives the JSON of each field of a struct.
func fields(value any) map[string]string {
	data, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("plan: unvalidated component: %v", err))
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		panic(fmt.Sprintf("plan: no JSON object: %v", err))
	}
	all := make(map[string]string, len(raw))
	for name, value := range raw {
		all[name] = string(value)
	}
	return all
}

func overlay(a, b map[string]string) map[string]string {
	both := map[string]string{}
	maps.Copy(both, a)
	maps.Copy(both, b)
	return both
}

// Changes tells what a rollout will do, one line a component in the order of
// their names, from configuration alone:
//
//	api: replace 2 instances, start-first (image sha256:0123456789ab -> sha256:ba9876543210)
//	db: keep
//	worker: replace 1 instance, stop-first, fixed host port 9000: a gap is expected (env)
//
// What happens to routes and data has lines of its own behind that of its component.
func Changes(prior, desired map[string]catalog.Effective, traits Traits) []string {
	names := maps.Clone(prior)
	if names == nil {
		names = map[string]catalog.Effective{}
	}
	maps.Copy(names, desired)
	restored := restoring(traits.Data, prior, desired)
	data := dataChanges(prior, desired, traits)
	lines := make([]string, 0, len(names)+len(data))
	for _, name := range slices.Sorted(maps.Keys(names)) {
		lines = append(lines, name+": "+sentence(prior, desired, name, restored[name], traits))
		lines = append(lines, routeChanges(name, prior[name], desired[name])...)
		for _, line := range data {
			if strings.HasPrefix(line, name+": ") {
				lines = append(lines, line)
			}
		}
	}
	return lines
}

func sentence(prior, desired map[string]catalog.Effective, name, restored string, traits Traits) string {
	was, served := prior[name]
	want, wanted := desired[name]
	switch {
	case !wanted:
		return "remove " + instances(was.Replicas)
	case !served:
		return fmt.Sprintf("create %s (image %s)", instances(want.Replicas), shortDigest(want.Image))
	case was.ConfigHash == want.ConfigHash && was.Replicas == want.Replicas:
		return "keep"
	case was.ConfigHash == want.ConfigHash:
		return fmt.Sprintf("scale %d to %s", was.Replicas, instances(want.Replicas))
	case was.Replicas == 0 && want.Replicas > 0:
		return fmt.Sprintf("create %s (%s)", instances(want.Replicas), reasons(was, want))
	case want.Replicas == 0:
		return fmt.Sprintf("%s (%s)", toNone(was.Replicas), reasons(was, want))
	}
	return fmt.Sprintf("replace %s, %s (%s)", replaced(was.Replicas, want.Replicas), manner(join(obstacle(was, want, traits), restored)), reasons(was, want))
}

// WithRepairs tells in the lines of Changes what the drift of the last refresh,
// "component: what differs", makes necessary: a component that would be kept is
// repaired. Components that are changed anyway need no word of it.
//
//	api: repair (instance api-3-1 is gone)
func WithRepairs(changes, drift []string) []string {
	differs := map[string][]string{}
	for _, line := range drift {
		component, what, _ := strings.Cut(line, ": ")
		differs[component] = append(differs[component], what)
	}
	lines := make([]string, 0, len(changes))
	for _, line := range changes {
		component, what, _ := strings.Cut(line, ": ")
		if found := differs[component]; len(found) > 0 && what == "keep" {
			line = component + ": repair (" + strings.Join(found, "; ") + ")"
		}
		delete(differs, component)
		lines = append(lines, line)
	}
	for component, found := range differs { // instances of components that are not wanted
		lines = append(lines, component+": remove ("+strings.Join(found, "; ")+")")
	}
	slices.SortStableFunc(lines, func(a, b string) int { return cmp.Compare(componentOf(a), componentOf(b)) })
	return lines
}

func componentOf(line string) string {
	component, _, _ := strings.Cut(line, ": ")
	return component
}

func toNone(n int) string {
	if n == 0 {
		return "change without instances"
	}
	return "scale " + fmt.Sprint(n) + " to 0 instances"
}

func replaced(was, want int) string {
	if was == want {
		return instances(was)
	}
	return fmt.Sprintf("%s with %d", instances(was), want)
}

func manner(obstacle string) string {
	if obstacle == "" {
		return "start-first"
	}
	return "stop-first, " + obstacle + ": a gap is expected"
}

// reasons names what differs, with the digests of a changed image.
func reasons(was, want catalog.Effective) string {
	names := Differences(was, want)
	beside := besideInstances(names)
	names = slices.DeleteFunc(names, func(n string) bool { return slices.Contains(beside, n) })
	if i := slices.Index(names, "image"); i >= 0 {
		names[i] = fmt.Sprintf("image %s -> %s", shortDigest(was.Image), shortDigest(want.Image))
	}
	return strings.Join(names, ", ")
}

func instances(n int) string {
	if n == 1 {
		return "1 instance"
	}
	return fmt.Sprintf("%d instances", n)
}

// shortDigestLength is sha256: and 12 hexadecimal digits, as registries show it.
const shortDigestLength = len("sha256:") + 12

func shortDigest(image string) string {
	d := catalog.ImageDigest(image)
	if strings.HasPrefix(d, "sha256:") && len(d) > shortDigestLength {
		return d[:shortDigestLength]
	}
	return d
}

// Gaps names the components that will not answer for a moment: why, and how to
// avoid it.
func Gaps(prior, desired map[string]catalog.Effective, traits Traits) []string {
	all := dataGaps(prior, desired, traits)
	restored := restoring(traits.Data, prior, desired)
	for _, name := range slices.Sorted(maps.Keys(desired)) {
		was, served := prior[name]
		want := desired[name]
		if !served || was.ConfigHash == want.ConfigHash || was.Replicas == 0 || want.Replicas == 0 {
			continue
		}
		if o := obstacle(was, want, traits); o != "" || restored[name] != "" {
			all = append(all, strings.TrimSpace(fmt.Sprintf("%s: old instances stop before new ones start, because of %s: a gap is expected. %s",
				name, join(o, restored[name]), remedy(o))))
		}
	}
	return all
}

func remedy(obstacle string) string {
	var all []string
	if strings.Contains(obstacle, recreate) {
		all = append(all, "Another type of strategy starts new instances first.")
	}
	if strings.Contains(obstacle, "volume") {
		all = append(all, "Set single_writer = false on the volume if two instances may write to it at once.")
	}
	if strings.Contains(obstacle, "host port") || strings.Contains(obstacle, "published port") {
		all = append(all, "Leave host_port out, and lead to the component by a route through the node's ingress, to let both instances listen for a while: then no request is lost.")
	}
	return strings.Join(all, " ")
}
