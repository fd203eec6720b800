package catalog

// Difference is a promise of nodes that a runtime does not keep.
type Difference struct {
	Test string // of the contract of nodes (engine/node/nodetest), which shows it
	What string // for users
}

// Podman is what Podman 4.3 does not keep of what Docker nodes promise: nothing of
// that can be told by a plan. The contract is tested but for these, and the guide
// for users is made from them.
var Podman = []Difference{
	{"Errors", "an instance whose start failed does not say why when it is looked at later; the failed apply does"},
	{"Confinement", "an image in which `/etc` or `/run` is a link to nowhere does not start, and takes no files there"},
	{"Ulimits", "a container with `ulimits` gets Podman's own for all others, so Podman must have the right to raise them (`CAP_SYS_RESOURCE`)"},
}
