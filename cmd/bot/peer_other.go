//go:build !linux

package main

import "net"

// peerUID: outside of Linux the socket's folder is what keeps others away.
func peerUID(net.Conn) (uid int, known bool, err error) { return 0, false, nil }
