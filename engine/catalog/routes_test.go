package catalog

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

func TestValidateRoutes(t *testing.T) {
	type R = engine.Route
	host := func(h string) func(*R) { return func(r *R) { r.Host = h } }
	prefix := func(p string) func(*R) { return func(r *R) { r.PathPrefix = p } }
	tls := func(c engine.RouteTLS) func(*R) { return func(r *R) { r.TLS = &c } }
	header := func(name, value string) func(*R) {
		return func(r *R) { r.RequestHeaders = map[string]string{name: value} }
	}
	tcp := func(f func(*R)) func(*R) {
		return func(r *R) { *r = R{Protocol: "tcp", Port: 5432, ListenPort: 5432}; f(r) }
	}
	for name, test := range map[string]struct {
		change        func(r *R)
		field, reason string // relative to the route, "" when fine
	}{
		"as it is":              {func(*R) {}, "", ""},
		"any host":              {host(""), "", ""},
		"wildcard":              {host("*.acme.dev"), "", ""},
		"localhost":             {host("localhost"), "", ""},
		"an address":            {host("192.0.2.1"), "", ""},
		"capitals":              {host("Shop.Acme.dev"), "", ""},
		"with a port":           {host("shop.acme.dev:80"), "host", "not a host name"},
		"with a scheme":         {host("http://shop.acme.dev"), "host", "not a host name"},
		"final dot":             {host("shop.acme.dev."), "host", "not a host name"},
		"umlaut":                {host("läden.de"), "host", "not a host name"},
		"inner wildcard":        {host("shop.*.dev"), "host", "not a host name"},
		"only a star":           {host("*"), "host", "not a host name"},
		"top-level wildcard":    {host("*.dev"), "host", "whole top-level domain"},
		"long host":             {host(strings.Repeat("a.", 130) + "dev"), "host", "not a host name"},
		"placeholder as host":   {host("{env.HOME}"), "host", "not a host name"},
		"root":                  {prefix("/"), "", ""},
		"prefix":                {prefix("/api/v1.0"), "", ""},
		"final slash":           {prefix("/api/"), "", ""},
		"relative":              {prefix("api"), "path_prefix", "begin with a slash"},
		"pattern":               {prefix("/api*"), "path_prefix", "not a plain path"},
		"escaped":               {prefix("/a%20b"), "path_prefix", "not a plain path"},
		"query":                 {prefix("/a?b"), "path_prefix", "not a plain path"},
		"placeholder":           {prefix("/{path}"), "path_prefix", "not a plain path"},
		"double slash":          {prefix("/a//b"), "path_prefix", "not a plain path"},
		"dots":                  {prefix("/a/../b"), "path_prefix", `holds ".."`},
		"port 0":                {func(r *R) { r.Port = 0 }, "port", "0 is not a port"},
		"port 65536":            {func(r *R) { r.Port = 65536 }, "port", "not a port"},
		"protocol":              {func(r *R) { r.Protocol = "udp" }, "protocol", `"udp" is not one of`},
		"grpc":                  {func(r *R) { r.Protocol = "h2c" }, "", ""},
		"http listens":          {func(r *R) { r.ListenPort = 81 }, "listen_port", "only a route with protocol"},
		"tcp":                   {tcp(func(*R) {}), "", ""},
		"tcp listens nowhere":   {tcp(func(r *R) { r.ListenPort = 0 }), "listen_port", "tcp_ports"},
		"tcp with host":         {tcp(host("shop.acme.dev")), "host", "knows nothing of HTTP"},
		"tcp with path":         {tcp(prefix("/")), "path_prefix", "knows nothing of HTTP"},
		"tcp with tls":          {tcp(tls(engine.RouteTLS{})), "tls", "knows nothing of HTTP"},
		"tcp with header":       {tcp(header("X-A", "b")), "request_headers", "knows nothing of HTTP"},
		"tcp with timeout":      {tcp(func(r *R) { r.Timeout = "1s" }), "timeout", "knows nothing of HTTP"},
		"tcp, sticky":           {tcp(func(r *R) { r.Sticky = &engine.RouteSticky{} }), "sticky", "knows nothing of HTTP"},
		"acme":                  {tls(engine.RouteTLS{}), "", ""},
		"internal":              {tls(engine.RouteTLS{Issuer: "internal"}), "", ""},
		"issuer":                {tls(engine.RouteTLS{Issuer: "self"}), "tls.issuer", "not one of acme, internal"},
		"own":                   {tls(engine.RouteTLS{CertificateSecret: "C", PrivateKeySecret: "K"}), "", ""},
		"no key":                {tls(engine.RouteTLS{CertificateSecret: "C"}), "tls.private_key_secret", "needs its private key"},
		"no certificate":        {tls(engine.RouteTLS{PrivateKeySecret: "K"}), "tls.certificate_secret", "needs its certificate"},
		"own and issuer":        {tls(engine.RouteTLS{Issuer: "acme", CertificateSecret: "C", PrivateKeySecret: "K"}), "tls.issuer", "has no issuer"},
		"no name of a secret":   {tls(engine.RouteTLS{CertificateSecret: "A=B", PrivateKeySecret: "K"}), "tls.certificate_secret", "not the name"},
		"acme for any host":     {func(r *R) { r.Host, r.TLS = "", &engine.RouteTLS{} }, "tls.issuer", "any host"},
		"acme for a wildcard":   {func(r *R) { r.Host, r.TLS = "*.acme.dev", &engine.RouteTLS{Issuer: "acme"} }, "tls.issuer", "DNS"},
		"acme for an address":   {func(r *R) { r.Host, r.TLS = "192.0.2.1", &engine.RouteTLS{} }, "tls.issuer", "names, not to addresses"},
		"internal, wildcard":    {func(r *R) { r.Host, r.TLS = "*.acme.dev", &engine.RouteTLS{Issuer: "internal"} }, "", ""},
		"timeout":               {func(r *R) { r.Timeout = "soon" }, "timeout", "duration"},
		"timeout 0":             {func(r *R) { r.Timeout = "0s" }, "timeout", "above zero"},
		"size":                  {func(r *R) { r.MaxBodySize = "big" }, "max_body_size", "size"},
		"size 0":                {func(r *R) { r.MaxBodySize = "0" }, "max_body_size", "not a size"},
		"header":                {header("X-Forwarded-Prefix", "/api"), "", ""},
		"header taken away":     {header("Cookie", ""), "", ""},
		"no header":             {header("X A", "b"), "request_headers.X A", "not the name of a header"},
		"line break":            {header("X-A", "b\r\nX-B: c"), "request_headers.X-A", "no line break"},
		"the connection's":      {header("transfer-encoding", "chunked"), "request_headers.transfer-encoding", "belongs to the connection"},
		"cookie":                {func(r *R) { r.Sticky = &engine.RouteSticky{Cookie: "a=b"} }, "sticky.cookie", "not the name of a cookie"},
		"sticky":                {func(r *R) { r.Sticky = &engine.RouteSticky{} }, "", ""},
		"the same header twice": {func(r *R) { r.ResponseHeaders = map[string]string{"X-A": "1", "x-a": "2"} }, "response_headers.x-a", `same header as "X-A"`},
	} {
		t.Run(name, func(t *testing.T) {
			r := R{Host: "shop.acme.dev", Port: 8080}
			test.change(&r)
			field := ""
			if test.reason != "" {
				field = strings.TrimSuffix("components.api.routes.web."+test.field, ".")
			}
			cs := map[string]engine.Component{"api": {Image: "a", Routes: map[string]engine.Route{"web": r}}}
			wantComplaint(t, ValidateComponents(cs), engine.ErrInvalid, field, test.reason)
		})
	}
}

func TestOneRouteHasAPlace(t *testing.T) {
	version := func(a, b engine.Route) map[string]engine.Component {
		a.Port, b.Port = 80, 80
		return map[string]engine.Component{
			"api": {Image: "a", Routes: map[string]engine.Route{"web": a}},
			"ui":  {Image: "a", Routes: map[string]engine.Route{"web": b}},
		}
	}
	type R = engine.Route
	for name, test := range map[string]struct {
		a, b   R
		reason string
	}{
		"both everything":   {R{}, R{PathPrefix: "/"}, "*/ is already the place of components.api.routes.web"},
		"same host":         {R{Host: "a.dev"}, R{Host: "A.dev"}, "a.dev/"},
		"same path":         {R{Host: "a.dev", PathPrefix: "/x"}, R{Host: "a.dev", PathPrefix: "/x/"}, "a.dev/x"},
		"with TLS":          {R{Host: "a.dev"}, R{Host: "a.dev", TLS: &engine.RouteTLS{}}, "a.dev/"},
		"longer path":       {R{Host: "a.dev"}, R{Host: "a.dev", PathPrefix: "/x"}, ""},
		"paths have case":   {R{PathPrefix: "/X"}, R{PathPrefix: "/x"}, ""},
		"wildcard and name": {R{Host: "*.a.dev"}, R{Host: "b.a.dev"}, ""},
		"same tcp port":     {R{Protocol: "tcp", ListenPort: 5432}, R{Protocol: "tcp", ListenPort: 5432}, "tcp port 5432"},
		"other tcp port":    {R{Protocol: "tcp", ListenPort: 5432}, R{Protocol: "tcp", ListenPort: 5433}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			field := ""
			if test.reason != "" {
				field = "components.ui.routes.web"
			}
			wantComplaint(t, ValidateComponents(version(test.a, test.b)), engine.ErrInvalid, field, test.reason)
		})
	}
}

func TestOneHostHasACertificate(t *testing.T) {
	route := func(path string, tls *engine.RouteTLS) engine.Route {
		return engine.Route{Host: "Shop.dev", PathPrefix: path, Port: 80, TLS: tls}
	}
	type T = engine.RouteTLS
	own := T{CertificateSecret: "C", PrivateKeySecret: "K"}
	for name, test := range map[string]struct {
		a, b   *T
		reason string
	}{
		"plain and TLS":      {nil, &T{}, ""},
		"said and not said":  {&T{Issuer: "acme"}, &T{}, ""},
		"the same secrets":   {&own, &own, ""},
		"other redirects":    {&T{}, &T{RedirectHTTP: new(bool)}, ""},
		"two issuers":        {&T{}, &T{Issuer: "internal"}, `shop.dev has one certificate, and components.api.routes.web.tls takes it from issuer = "acme"`},
		"issuer and own":     {&T{Issuer: "internal"}, &own, `from issuer = "internal"`},
		"two of one's own":   {&own, &T{CertificateSecret: "D", PrivateKeySecret: "K"}, `from certificate_secret = "C"`},
		"nonsense told once": {&T{Issuer: "x"}, &T{Issuer: "x"}, "not one of"},
	} {
		t.Run(name, func(t *testing.T) {
			err := ValidateComponents(map[string]engine.Component{
				"api": {Image: "a", Routes: map[string]engine.Route{"web": route("/a", test.a)}},
				"ui":  {Image: "a", Routes: map[string]engine.Route{"web": route("/b", test.b)}},
			})
			switch {
			case test.reason == "" && err != nil, test.reason != "" && (err == nil || !strings.Contains(err.Error(), test.reason)):
				t.Errorf("got %v, want %q", err, test.reason)
			}
		})
	}
}

// A route may change without its component's instances; what it is must be told
// apart in every field, and by the content of its secrets.
func TestRouteHashes(t *testing.T) {
	base := merge(t, input(full()))
	if got := base.SecretNames; !slices.Equal(got, []string{"API_KEY", "DB_PASSWORD"}) {
		t.Errorf("secrets given as env are %q", got)
	}
	for _, m := range mutants("", reflect.ValueOf(full())) {
		got := merge(t, input(m.value.Interface().(engine.Component)))
		if of := strings.HasPrefix(m.path, ".Routes"); got.SameRoutes(base) == of {
			t.Errorf("%s: the same routes: %v", m.path, !of)
		}
	}
	for name, change := range map[string]func(in *MergeInput){
		"certificate": func(in *MergeInput) { in.SecretHashes["CERT"] = "other" },
		"key":         func(in *MergeInput) { in.SecretHashes["CERT_KEY"] = "other" },
	} {
		in := input(full())
		change(&in)
		if got := merge(t, in); got.SameRoutes(base) || got.SecretHash != base.SecretHash {
			t.Errorf("%s: the same routes: %v, the same secrets of instances: %v", name, got.SameRoutes(base), got.SecretHash == base.SecretHash)
		}
	}
	in := input(full())
	delete(in.SecretHashes, "CERT_KEY")
	_, err := Merge(in)
	wantComplaint(t, err, engine.ErrInvalid, "components.api.routes.web.tls.private_key_secret", `secret "CERT_KEY"`)
}

func TestNormalRoute(t *testing.T) {
	written := engine.Route{
		Host: "Shop.acme.dev", PathPrefix: "/api/", Port: 1, TLS: &engine.RouteTLS{}, Timeout: "60s", MaxBodySize: "1Ki",
		RequestHeaders: map[string]string{"x-a": "b"}, Sticky: &engine.RouteSticky{},
	}
	want := engine.Route{
		Host: "shop.acme.dev", PathPrefix: "/api", Port: 1, Protocol: "http", TLS: &engine.RouteTLS{Issuer: "acme", RedirectHTTP: ptr(true)},
		Timeout: "1m0s", MaxBodySize: "1024", RequestHeaders: map[string]string{"X-A": "b"}, Sticky: &engine.RouteSticky{Cookie: "slipway"},
	}
	c := engine.Component{Routes: map[string]engine.Route{"web": written}}
	if got := Normalize(c).Routes["web"]; !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if written.TLS.Issuer != "" || written.Sticky.Cookie != "" {
		t.Error("the input changed")
	}
}

func TestVersionDiffShowsRoutes(t *testing.T) {
	version := func(r engine.Route) engine.Version {
		return engine.Version{Components: one(engine.Component{Image: "a", Routes: map[string]engine.Route{"web": r}})}
	}
	all := Differences(version(engine.Route{Port: 80}), version(engine.Route{Port: 81, PathPrefix: "/"}))
	if len(all) != 1 || all[0].Attribute != "routes.web.port" || *all[0].From != "80" || *all[0].To != "81" {
		t.Errorf("got %+v", all)
	}
}
