package main

import (
	"errors"
	"net"

	"golang.org/x/sys/unix"
)

// peerUID gives the user at the other end of a socket (SO_PEERCRED, unix(7)).
func peerUID(conn net.Conn) (uid int, known bool, err error) {
	c, ok := conn.(*net.UnixConn)
	if !ok {
		return 0, false, errors.New("it is no Unix socket")
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, false, err
	}
	var cred *unix.Ucred
	var sockErr error
	err = raw.Control(func(fd uintptr) { cred, sockErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) })
	if err = errors.Join(err, sockErr); err != nil {
		return 0, false, err
	}
	return int(cred.Uid), true, nil
}
