package rootfs

import "io/fs"

// Plan is the whole root file system of one instance.
type Plan struct {
	Layers              []string // unpacked, lowest first
	Upper, Work, Merged string   // existing directories of the instance
	ReadOnly            bool
	Users               bool // ids can be changed, else everything belongs to one user

	Hostname   string
	Hosts      string // content of /etc/hosts
	ResolvConf string // content of /etc/resolv.conf

	User       string // as account.Lookup reads it
	WorkingDir string // made when absent
	ShmSize    int64  // bytes

	Binds   []Bind
	Tmpfs   []Tmpfs
	Files   []File
	Secrets []File // kept in memory, mode 0400 of the user
}

// Bind shows a directory or file of the node inside the instance.
type Bind struct {
	Source, Target string
	ReadOnly       bool
	Volume         bool   // filled from the image when it is empty
	Field          string // for errors
}

// Tmpfs is a memory file system; Size in bytes, 0 = the kernel's default of half the memory.
type Tmpfs struct {
	Target string
	Size   int64
}

// File is written into the instance.
type File struct {
	Path    string
	Content []byte
	Mode    fs.FileMode
}
