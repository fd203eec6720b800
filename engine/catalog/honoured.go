package catalog

// Remedies that many rows share.
const (
	useDocker   = "leave it out, or use a docker node"
	noRoot      = "where the engine's user may make control groups, as root may"
	kernelLimit = "where the kernel of the node can limit it"

	needsIngress = "the node must have an ingress"
	needsTCPPort = "one of the tcp_ports of the node's ingress, whose image must have Caddy's module layer4"
)

func yes() Support { return Support{} }

// partly needs no hint: whoever judges the value has one that fits.
func partly(reason string) Support { return Support{Honour: Partly, Reason: reason} }

func no(reason, hint string) Support { return Support{Honour: No, Reason: reason, Hint: hint} }

// Runtimes is what each runtime honours of a component, in the order of the
// schema. The drivers refuse by it, and the guide for users is made from it.
var Runtimes = []Attribute{
	{"image", yes(), yes()},
	{"command", yes(), yes()},
	{"args", yes(), yes()},
	{"env", yes(), yes()},
	{"secrets", yes(), yes()},
	{"secret_files", yes(), yes()},
	{"files", yes(), yes()},
	{"ports", yes(), yes()},
	{"ports.*.host_port",
		partly("the engine's user must be allowed to listen there: ports below 1024 are root's, unless net.ipv4.ip_unprivileged_port_start says otherwise"),
		partly("a published port is one container's own: the component has one replica and is replaced stop-first")},
	{"ports.*.proxy_protocol", yes(),
		no("Docker hands connections on as they are", "leave it out: the component sees the visitor's address where Docker's own forwarding keeps it")},
	{"routes", partly(needsIngress), partly(needsIngress)},
	{"routes.*.listen_port", partly(needsTCPPort), partly(needsTCPPort)},
	{"volumes", yes(), yes()},
	{"volumes.*.size",
		no("local volumes share the node's disk and have no size of their own", useDocker),
		no("Docker's volumes have no size that every driver keeps to", "leave it out, or say it in driver_options where the driver has sizes")},
	{"volumes.*.snapshot", yes(), partly("the volume has the driver local and no driver_options, and the Engine is not Podman, which forgets whose files it copies")},
	{"volumes.*.pre_snapshot", yes(), partly("the volume can have a snapshot")},
	{"volumes.*.driver",
		no("local volumes are directories on the node's disk", useDocker),
		partly("the Docker Engine must have the driver")},
	{"volumes.*.driver_options",
		no("local volumes are directories on the node's disk", useDocker),
		partly("the driver must know them; what binds a directory of the node must be within its allowed_host_paths")},
	{"tmpfs", yes(), yes()},
	{"host_paths", yes(), partly("within the node's allowed_host_paths")},
	{"depends_on", yes(), yes()},
	{"replicas", yes(), yes()},
	{"resources.cpu", partly(noRoot), partly(kernelLimit)},
	{"resources.memory", partly(noRoot), partly(kernelLimit + "; 6Mi or more")},
	{"resources.pids", partly(noRoot), partly(kernelLimit)},
	{"user", partly("where the engine is not root, every user of an instance is the engine's own on the node"), yes()},
	{"working_dir", yes(), yes()},
	{"hostname", yes(), yes()},
	{"stop_signal", yes(), yes()},
	{"stop_grace_period", yes(), yes()},
	{"restart", yes(), yes()},
	{"health_checks", yes(), partly("all of them gate a rollout; after it Docker goes on with the first exec check, in the order of the names")},
	{"security", yes(), yes()},
	{"security.capabilities_add", yes(), partly("those that own the node, such as `SYS_ADMIN` and `ALL`, where it says allow_privileged = true")},
	{"security.privileged", no("local nodes run nothing privileged", "ask for single capabilities instead, or use a docker node"), partly("the node says allow_privileged = true")},
	{"logging", yes(), yes()},
	{"logging.driver",
		no("local nodes keep and rotate the output themselves", useDocker),
		partly("the Docker Engine must have the driver; what none takes cannot be shown when a rollout fails")},
	{"logging.driver_options", no("local nodes keep and rotate the output themselves", useDocker), partly("the driver must know them")},
	{"labels", yes(), yes()},
	{"extra_hosts", yes(), yes()},
	{"init", no("local nodes have no init to put in front", "let the image bring one, such as tini, or use a docker node"), yes()},
	{"shm_size", yes(), yes()},
	{"ulimits", partly("up to the hard limits of the engine's user"), partly("what the Engine may give")},
	{"dns", no("instances on a local node ask the machine's own resolver", useDocker), yes()},
	{"networks", no("a local node has no networks to join", useDocker), partly("the network must exist on the node")},
	{"sysctls", no("local nodes leave kernel parameters as they are", useDocker), partly("the kernel of the node must have the parameter")},
	{"devices", no("local nodes hand out no devices", useDocker), partly("within the node's allowed_devices; the device must exist")},
	{"gpus", no("local nodes hand out no devices", useDocker), partly("the Docker Engine must have the driver of the GPUs, such as the NVIDIA Container Toolkit")},
}
