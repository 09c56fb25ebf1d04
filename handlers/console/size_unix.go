//go:build unix

package console

import (
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// watchSize tells whenever the terminal changes its size, until stop is called.
func watchSize() (changed <-chan os.Signal, stop func()) {
	ch := make(chan os.Signal, 1)
	signal.Notify(ch, syscall.SIGWINCH)
	return ch, func() { signal.Stop(ch) }
}

// isHangup reports whether an error of reading means that the terminal has gone:
// Linux gives EIO.
func isHangup(err error) bool { return errors.Is(err, syscall.EIO) }
