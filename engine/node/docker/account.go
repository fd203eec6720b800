package docker

import (
	"bytes"
	"context"
	"errors"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/client"
	"github.com/moby/sys/user"

	"github.com/slipwayhq/terraform-provider-slipway/engine"
)

// account is who the processes of a container run as.
type account struct{ uid, gid int }

// accountOf reads the container's user by its image's passwd and group. A user
// that the image does not know is ErrInvalid.
func (d *Driver) accountOf(ctx context.Context, id string) (account, error) {
	found, err := d.api.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return account{}, err
	}
	spec := found.Container.Config.User
	if spec == "" || spec == "root" || spec == "0" || spec == "0:0" {
		return account{}, nil
	}
	passwd, err := d.fileOrNothing(ctx, id, "/etc/passwd")
	if err != nil {
		return account{}, err
	}
	group, err := d.fileOrNothing(ctx, id, "/etc/group")
	if err != nil {
		return account{}, err
	}
	who, err := user.GetExecUser(spec, nil, bytes.NewReader(passwd), bytes.NewReader(group))
	if err != nil {
		return account{}, engine.Invalid("user", "the image has no user %q: %v", spec, err)
	}
	return account{uid: who.Uid, gid: who.Gid}, nil
}

func (d *Driver) fileOrNothing(ctx context.Context, id, path string) ([]byte, error) {
	f, err := d.readFile(ctx, id, path)
	if cerrdefs.IsNotFound(err) {
		return nil, nil
	}
	return f.content, err
}

// ignoreUnknownUser leaves it to the start to tell that the image has no such user.
func ignoreUnknownUser(err error) error {
	if errors.Is(err, engine.ErrInvalid) {
		return nil
	}
	return err
}
