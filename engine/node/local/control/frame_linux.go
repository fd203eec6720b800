package control

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
)

const (
	maxFrame = 32 << 20 // secrets and files are small; more is not ours
	maxFiles = 250      // the kernel passes at most 253 at once
)

// Send writes one message with open files beside it.
func Send(c *net.UnixConn, message any, files ...*os.File) error {
	if len(files) > maxFiles {
		return fmt.Errorf("%d files in one message, at most %d can be passed", len(files), maxFiles)
	}
	text, err := json.Marshal(message)
	if err != nil {
		return err
	}
	frame := append(binary.BigEndian.AppendUint32(nil, uint32(len(text))), text...)
	var rights []byte
	if len(files) > 0 {
		fds := make([]int, len(files))
		for i, f := range files {
			raw, err := f.SyscallConn()
			if err != nil {
				return err
			}
			// Control instead of Fd: Fd would make the file blocking for its other holders.
			if err := raw.Control(func(fd uintptr) { fds[i] = int(fd) }); err != nil {
				return err
			}
		}
		rights = syscall.UnixRights(fds...)
	}
	n, _, err := c.WriteMsgUnix(frame, rights, nil)
	for err == nil && n < len(frame) {
		var m int
		m, err = c.Write(frame[n:])
		n += m
	}
	return err
}

// Receive reads one message and the files that came with it, which are the
// caller's to close.
func Receive(c *net.UnixConn, message any) ([]*os.File, error) {
	head := make([]byte, 4)
	oob := make([]byte, syscall.CmsgSpace(maxFiles*4))
	n, oobn, _, _, err := c.ReadMsgUnix(head, oob)
	if err == nil && n == 0 {
		err = io.EOF
	}
	if err != nil {
		return nil, err
	}
	files, err := rightsOf(oob[:oobn])
	if err != nil {
		return nil, err
	}
	if err := receiveText(c, head, n, message); err != nil {
		closeAll(files)
		return nil, err
	}
	return files, nil
}

func receiveText(c *net.UnixConn, head []byte, n int, message any) error {
	if _, err := io.ReadFull(c, head[n:]); err != nil {
		return err
	}
	size := binary.BigEndian.Uint32(head)
	if size > maxFrame {
		return fmt.Errorf("a message of %d bytes, at most %d are allowed", size, maxFrame)
	}
	text := make([]byte, size)
	if _, err := io.ReadFull(c, text); err != nil {
		return err
	}
	return json.Unmarshal(text, message)
}

func rightsOf(oob []byte) ([]*os.File, error) {
	messages, err := syscall.ParseSocketControlMessage(oob)
	if err != nil {
		return nil, err
	}
	var files []*os.File
	for _, m := range messages {
		fds, err := syscall.ParseUnixRights(&m)
		if err != nil {
			continue
		}
		for _, fd := range fds {
			files = append(files, os.NewFile(uintptr(fd), "passed"))
		}
	}
	return files, nil
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}
