package catalog

// Difference is a promise of nodes that a runtime does not keep.
type Difference struct {
	Test string // of the contract of nodes (engine/node/nodetest), which shows it
	What string // for users
}

// Podman is what Podman 4.3 does not keep of what Docker nodes promise: nothing of
// that can be told by a plan. The contract is tested but for these, and the guide
// for users is made from them.
var Podman = []Difference{}
