package main

import (
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"keepwatch"
)

// asNobody does something on a thread of another user, which ends with it.
func asNobody(t *testing.T, do func() error) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		const nobody = 65534
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, ^uintptr(0), nobody, ^uintptr(0)); errno != 0 {
			done <- errno
			return
		}
		done <- do()
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// TestControlPeer: one who answers in the bot's place is not believed, and one who
// asks as another user is turned away.
func TestControlPeer(t *testing.T) {
	if os.Geteuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("CI runs as root, for this test among others")
		}
		t.Skip("it needs root, to be somebody else")
	}
	open, err := os.MkdirTemp("", "kw")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(open) })
	data := filepath.Join(open, "data")
	if err := errors.Join(os.Chmod(open, 0o777), os.Mkdir(data, 0o777), os.Chmod(data, 0o777)); err != nil {
		t.Fatal(err)
	}
	var impostor net.Listener
	asNobody(t, func() (err error) { impostor, err = net.Listen("unix", socketPath(data)); return err })
	if _, err := backUpState(t.Context(), settings{DataDir: data}, filepath.Join(open, "copy")); keepwatch.KindOf(err) != keepwatch.KindDenied {
		t.Errorf("an impostor is asked: %v", err)
	}
	if err := impostor.Close(); err != nil {
		t.Fatal(err)
	}
	c, err := listenControl(data, fakeBacker{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := os.Chmod(socketPath(data), 0o777); err != nil {
		t.Fatal(err)
	}
	var conn net.Conn
	asNobody(t, func() (err error) { conn, err = net.Dial("unix", socketPath(data)); return err })
	defer conn.Close()
	if _, err := conn.Write([]byte("POST /state/backup?file=/x HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")); err == nil {
		if n, err := conn.Read(make([]byte, 100)); err == nil || n > 0 {
			t.Errorf("another user was answered with %d bytes", n)
		}
	}
}
