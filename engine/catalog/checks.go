package catalog

import (
	"strconv"
	"strings"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// MaxWindow is the most results that a health check looks back at.
const MaxWindow = 20

// What an anomaly leads to.
const (
	AnomalyHeal  = "heal"
	AnomalyAlert = "alert"
	AnomalyNone  = "none"
)

// HealthChecks answers the checks that prove a component, whatever its name: the
// declared ones; else the image's own, called "image"; else one that its lowest
// tcp port accepts a connection, called like the port. None means that the
// process must stay up. Defaults are filled in.
func HealthChecks(_ string, c engine.Component, imageCheck *engine.HealthCheck) map[string]engine.HealthCheck {
	checks := map[string]engine.HealthCheck{}
	switch port, found := firstTCPPort(c.Ports); {
	case len(c.HealthChecks) > 0:
		for check, h := range c.HealthChecks {
			checks[check] = defaultCheck(h)
		}
	case imageCheck != nil:
		checks["image"] = defaultCheck(*imageCheck)
	case found:
		checks[port] = defaultCheck(engine.HealthCheck{TCP: &engine.TCPCheck{Port: c.Ports[port].ContainerPort}})
	}
	return checks
}

// firstTCPPort finds the name of the tcp port with the lowest number.
func firstTCPPort(ports map[string]engine.Port) (first string, found bool) {
	for name, port := range sorted(ports) {
		if protocol(port) == TCP && (!found || port.ContainerPort < ports[first].ContainerPort) {
			first, found = name, true
		}
	}
	return first, found
}

func validateChecks(c engine.Component) error {
	var p problems
	for name, h := range sorted(c.HealthChecks) {
		field := "health_checks." + name
		p.add(engine.CheckName(field, name))
		p.at(field, validateCheck(h, c.Ports))
	}
	return p.err()
}

func validateCheck(h engine.HealthCheck, ports map[string]engine.Port) error {
	var p problems
	kinds := 0
	if h.HTTP != nil {
		kinds++
		p.at("http", validateHTTP(*h.HTTP, ports))
	}
	if h.TCP != nil {
		kinds++
		p.at("tcp", validateCheckPort(h.TCP.Port, h.TCP.PortName, ports))
	}
	if h.Exec != nil {
		kinds++
		if len(h.Exec.Command) == 0 {
			p.invalid("exec.command", "a command is needed")
		}
		p.at("exec", validateWords("command", h.Exec.Command, true))
	}
	if kinds != 1 {
		p.invalid("", "exactly one of http, tcp and exec is needed, there are %d", kinds)
	}
	p.add(validateTiming(defaultCheck(h)))
	p.oneOf("on_anomaly", h.OnAnomaly, AnomalyHeal, AnomalyAlert, AnomalyNone)
	return p.err()
}

// validateTiming wants the defaults filled in.
func validateTiming(h engine.HealthCheck) error {
	var p problems
	p.positive("interval", h.Interval)
	p.positive("timeout", h.Timeout)
	_, err := engine.ParseDuration("start_period", h.StartPeriod, 0)
	p.add(err)
	if h.Window < 1 || h.Window > MaxWindow {
		p.invalid("window", "%d results cannot be looked at: use 1 to %d", h.Window, MaxWindow)
	}
	if h.Threshold < 1 || h.Threshold > h.Window {
		p.invalid("threshold", "%d failures among %d results cannot be: use 1 to window", h.Threshold, h.Window)
	}
	return p.err()
}

func validateHTTP(h engine.HTTPCheck, ports map[string]engine.Port) error {
	var p problems
	p.add(validateCheckPort(h.Port, h.PortName, ports))
	if h.Path != "" && !strings.HasPrefix(h.Path, "/") {
		p.invalid("path", "%q does not begin with a slash", h.Path)
	}
	if strings.ContainsAny(h.Path, " \t\r\n\x00") {
		p.invalid("path", "%q holds white space: write it percent-encoded", h.Path)
	}
	if strings.ContainsAny(h.Host, " /\t\r\n\x00") {
		p.invalid("host", "%q is not a host name", h.Host)
	}
	p.oneOf("scheme", h.Scheme, "http", "https")
	for i, s := range h.Status {
		if s < 100 || s > 599 {
			p.invalid("status."+strconv.Itoa(i), "%d is not an HTTP status: use 100 to 599", s)
		}
	}
	return p.err()
}

func validateCheckPort(port int, portName string, ports map[string]engine.Port) error {
	switch named, known := ports[portName]; {
	case port != 0 && portName != "":
		return engine.Invalid("port", "give either port or port_name, not both")
	case portName != "" && !known:
		return engine.Invalid("port_name", "the component has no port called %q", portName)
	case portName != "" && protocol(named) != TCP:
		return engine.Invalid("port_name", "the port %q is %s, a check needs tcp", portName, protocol(named))
	case portName == "" && port == 0:
		return engine.Invalid("port", "a port is needed: give port or port_name")
	case portName == "" && (port < 1 || port > 65535):
		return engine.Invalid("port", "%d is not a port: use 1 to 65535", port)
	}
	return nil
}
