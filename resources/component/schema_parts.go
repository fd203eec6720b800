package component

import (
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

func files() schema.Attribute {
	return mapOf("Files written before the start, by absolute path. Exactly one of `content` and `content_base64`.", map[string]schema.Attribute{
		"content":        str("Text of the file."),
		"content_base64": str("Bytes of the file in base64."),
		"mode":           str("Octal permissions. Default `0644`."),
	})
}

func ports() schema.Attribute {
	return mapOf("Ports that the component listens on, by name.", map[string]schema.Attribute{
		"container_port": requiredInteger("Port inside the instance, 1 to 65535."),
		"host_port":      integer("Port on the node, 1 to 65535; 0: one is chosen and kept. Absent: the port is not published."),
		"protocol":       str("`tcp` or `udp`. Default `tcp`."),
		"host_address":   str("IP address of the node to publish on. Default: the node's `address`."),
		"proxy_protocol": boolean("Begin every connection that comes through the host port with a PROXY header (version 2), which tells the component the visitor's address. Default `false`."),
	})
}

func volumes() schema.Attribute {
	return mapOf("Named storage that outlives instances, by name.", map[string]schema.Attribute{
		"path":       requiredStr("Absolute path in the instance."),
		"read_only":  boolean("Mount it read-only. Default `false`."),
		"size":       str("Wanted size, a quantity. Absent: no limit."),
		"on_destroy": str("What happens to the data when the deployment is destroyed: `retain` or `delete`. Default `retain`."),
		"snapshot":   str("When a snapshot of the data is taken: `on_upgrade`, before another version is rolled out, so that a deployment with `restore_data` can go back to it. Absent: never."),
		"pre_snapshot": object("What quiets the data before its snapshot: a command run in each running instance of the component while everything still serves, before anything stops. When it fails, so does the rollout, and nothing was touched. The version that is rolled out says it; going back runs none. It may run more than once.", map[string]schema.Attribute{
			"command": schema.ListAttribute{
				Required: true, ElementType: types.StringType,
				MarkdownDescription: "Command, one word an element; no shell.",
			},
			"timeout": str("Time it may take, a Go duration. Default `1m`."),
		}),
		"driver":         str("Volume driver that keeps the data. Default `local`, the node's own disk."),
		"driver_options": texts("What the driver is told when the volume is made, such as `type`, `device` and `o` of the driver `local`. They are in plan and state: put no secret here. Neither they nor the driver can change for a volume that exists."),
		"single_writer":  boolean("Only one instance may have it at a time, so an instance is stopped before its successor starts. Default `true`."),
	})
}

func tmpfs() schema.Attribute {
	return mapOf("Memory file systems, by absolute path.", map[string]schema.Attribute{
		"size": str("Size, a quantity. Absent: half of the memory."),
	})
}

func hostPaths() schema.Attribute {
	return mapOf("Directories of the node, by absolute path in the instance.", map[string]schema.Attribute{
		"source":    requiredStr("Absolute path on the node; it must exist."),
		"read_only": boolean("Mount it read-only. Default `false`."),
	})
}

func devices() schema.Attribute {
	return mapOf("Devices of the node, by absolute path in the instance.", map[string]schema.Attribute{
		"source":      requiredStr("Absolute path on the node; the node's `allowed_devices` must hold it."),
		"permissions": str("What may be done with it: read `r`, write `w`, make it anew `m`. Default `rwm`."),
	})
}

func dns() schema.Attribute {
	return object("Who is asked for the names that the deployment does not have. Default: as the node itself.", map[string]schema.Attribute{
		"servers": list("IP addresses of DNS servers, tried in this order."),
		"search":  list("Domains in which short names are looked for."),
		"options": list("Options of resolv.conf, such as `ndots:2`."),
	})
}

func security() schema.Attribute {
	return object("Rights of the processes.", map[string]schema.Attribute{
		"read_only_root":    boolean("Make the root file system read-only. Default `false`."),
		"capabilities_add":  list("Linux capabilities to add, without `CAP_`, or `ALL`. On a Docker node those whose holder owns the node (`ALL`, `SYS_ADMIN`, `SYS_MODULE`, `SYS_RAWIO`, `SYS_BOOT`, `DAC_READ_SEARCH`, `BPF`, `PERFMON`, `MAC_ADMIN`, `MAC_OVERRIDE`) must be allowed by its `allow_privileged`."),
		"capabilities_drop": list("Linux capabilities to drop, without `CAP_`, or `ALL`."),
		"no_new_privileges": boolean("Forbid gaining rights through set-uid programs. Default `true`."),
		"privileged":        boolean("All capabilities and devices of the node: the instance owns the node, which must allow it by `allow_privileged`. Default `false`."),
	})
}

func logging() schema.Attribute {
	return object("How much output is kept.", map[string]schema.Attribute{
		"max_size":       str("Size at which a log file is rotated, a quantity. Default `10Mi`."),
		"max_files":      integer("Number of log files kept. Default 3."),
		"driver":         str("Log driver that takes the output. Default `json-file`; that and `local` write files on the node and rotate them. With `none` there is no output to show when a rollout fails."),
		"driver_options": texts("What the driver is told, such as `tag`. They are in plan and state: put no secret here."),
	})
}

func ulimits() schema.Attribute {
	return mapOf("Resource limits by name, such as `nofile`.", map[string]schema.Attribute{
		"soft": requiredInteger("Soft limit."),
		"hard": requiredInteger("Hard limit, at least the soft one."),
	})
}

func healthChecks() schema.Attribute {
	return mapOf("Checks by name: exactly one of `http`, `tcp` and `exec` each. Absent: the image's own check, else the first port accepts a connection, else the process stays up.", map[string]schema.Attribute{
		"http":         httpCheck(),
		"tcp":          tcpCheck(),
		"exec":         execCheck(),
		"interval":     str("Time between two checks after the rollout, a Go duration. Default `10s`."),
		"timeout":      str("Time one check may take, a Go duration. Default `5s`."),
		"window":       integer("Number of newest results that are judged, 1 to 20. Default 3."),
		"threshold":    integer("Failures in the window that make an anomaly, 1 to `window`. Default 3."),
		"start_period": str("Time after the start in which failures do not count, a Go duration. Default `0s`."),
		"on_deploy":    boolean("The check must pass before a rollout goes on. Default `true`."),
		"on_anomaly":   str("What an anomaly does: `heal`, `alert` or `none`. Default `heal`."),
	})
}

func httpCheck() schema.Attribute {
	return object("Passes when an answer has a wanted status and body.", map[string]schema.Attribute{
		"port":      integer("Container port. Exactly one of `port` and `port_name`."),
		"port_name": str("Name of a port in `ports`."),
		"path":      str("Path and query. Default `/`."),
		"host":      str("Host header. Default `localhost`."),
		"scheme":    str("`http` or `https` (the certificate is not verified). Default `http`."),
		"status": schema.ListAttribute{
			Optional: true, ElementType: types.Int64Type,
			MarkdownDescription: "Wanted status codes. Default: 200 to 399.",
		},
		"body": str("Text that the answer must contain."),
	})
}

func tcpCheck() schema.Attribute {
	return object("Passes when the port accepts a connection.", map[string]schema.Attribute{
		"port":      integer("Container port. Exactly one of `port` and `port_name`."),
		"port_name": str("Name of a port in `ports`."),
	})
}

func execCheck() schema.Attribute {
	return object("Passes when the command ends with 0 inside the instance.", map[string]schema.Attribute{
		"command": schema.ListAttribute{
			Required: true, ElementType: types.StringType,
			MarkdownDescription: "Command, one word an element; no shell.",
		},
	})
}
