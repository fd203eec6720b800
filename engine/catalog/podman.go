package catalog

// Podman is what differs there from what Docker nodes promise, for the guide: the
// contract of nodes holds there too, as it holds for every node that can less.
var Podman = []string{
	"`snapshot` on a volume is refused by the plan: Podman copies files without telling whose they are",
	"why an instance did not start is told by the apply that failed, not by the drift that a later run finds",
}
