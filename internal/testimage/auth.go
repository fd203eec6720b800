package testimage

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
)

// token is what the token service gives to whom it knows.
const token = "dGVzdGltYWdlLXRva2Vu"

func pemOf(certificate []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}))
}

// admits answers a request that lacks what the registry wants of it.
func (r *RegistryServer) admits(w http.ResponseWriter, req *http.Request) bool {
	if r.options.Username == "" {
		return true
	}
	user, password, _ := req.BasicAuth()
	known := user == r.options.Username && password == r.options.Password
	switch {
	case r.options.Token && req.URL.Path == "/token":
		if !known {
			refuse(w, "wrong user name or password")
			return false
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"token": token})
		return false
	case r.options.Token && req.Header.Get("Authorization") == "Bearer "+token, !r.options.Token && known:
		return true
	case r.options.Token:
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="%s/token",service="testimage"`, r.base()))
	default:
		w.Header().Set("WWW-Authenticate", `Basic realm="testimage"`)
	}
	refuse(w, "authentication required")
	return false
}

func (r *RegistryServer) base() string {
	if r.options.TLS {
		return "https://" + r.address
	}
	return "http://" + r.address
}

func refuse(w http.ResponseWriter, why string) {
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = fmt.Fprintf(w, `{"errors":[{"code":"UNAUTHORIZED","message":%q}]}`, why)
}
