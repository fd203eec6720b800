package docker

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// lookAt tells what a container has at the path, a link for what it is. Of a link
// that leads nowhere Podman says that there is nothing, and describes it all the same,
// in a header that the client reads of a success only.
func (d *Driver) lookAt(ctx context.Context, id, path string) (container.PathStat, error) {
	var described string
	looking := context.WithValue(ctx, description{}, &described)
	found, err := d.api.ContainerStatPath(looking, id, client.ContainerStatPathOptions{Path: path})
	if !cerrdefs.IsNotFound(err) || described == "" {
		return found.Stat, err
	}
	var stat container.PathStat
	text, err := base64.URLEncoding.DecodeString(described)
	if err == nil {
		err = json.Unmarshal(text, &stat)
	}
	return stat, err
}

// description is the key of where a call keeps what its answer describes.
type description struct{}

// statHeader describes a path of a container.
const statHeader = "X-Docker-Container-Path-Stat"

// noticeLink keeps what an answer describes for the call that asks for it.
func noticeLink(answer *http.Response) {
	if where, asks := answer.Request.Context().Value(description{}).(*string); asks {
		*where = answer.Header.Get(statHeader)
	}
}
