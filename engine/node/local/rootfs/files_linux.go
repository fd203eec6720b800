package rootfs

import (
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/account"
	"github.com/slipwayhq/terraform-provider-slipway/engine/node/local/inside"
)

// writeNames writes what the instance is called and whom it asks for names. They
// replace links of the image: those lead to files of an init system.
func writeNames(root *inside.Root, p Plan) error {
	for path, content := range map[string]string{
		"/etc/hostname": p.Hostname + "\n", "/etc/hosts": p.Hosts, "/etc/resolv.conf": p.ResolvConf,
	} {
		if err := root.Clear(path, fs.FileMode.IsRegular); err != nil {
			return err
		}
		if err := root.Write(path, []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func writeFiles(root *inside.Root, files []File) error {
	for _, f := range files {
		if err := root.Write(f.Path, f.Content, f.Mode); err != nil {
			return fmt.Errorf("writing %s: %w", f.Path, err)
		}
	}
	return nil
}

// writeSecrets keeps secrets in memory: each file is written to a tmpfs that can
// be seen nowhere but at the files' paths. It is mounted over a directory of the
// node that only overlayfs needs, in this mount namespace, while they are put in
// their places.
func writeSecrets(root *inside.Root, p Plan, who account.Account) error {
	if len(p.Secrets) == 0 {
		return nil
	}
	if err := unix.Mount("tmpfs", p.Work, "tmpfs", careful, "mode=700"); err != nil {
		return fmt.Errorf("mounting memory for secrets: %w", err)
	}
	for i, f := range p.Secrets {
		if err := writeSecret(root, p, who, f, fmt.Sprintf("%s/%d", p.Work, i)); err != nil {
			return fmt.Errorf("writing the secret file %s: %w", f.Path, err)
		}
	}
	return unix.Unmount(p.Work, unix.MNT_DETACH)
}

func writeSecret(root *inside.Root, p Plan, who account.Account, f File, source string) error {
	if err := os.WriteFile(source, f.Content, 0o400); err != nil {
		return err
	}
	if p.Users {
		if err := os.Chown(source, who.UID, who.GID); err != nil {
			return err
		}
	}
	tree, err := openTree(source)
	if err != nil {
		return err
	}
	defer tree.Close()
	target, err := root.MakeFile(f.Path)
	if err != nil {
		return err
	}
	defer target.Close()
	return attach(tree, target)
}
