//go:build unix

package console

import (
	"os"
	"os/signal"
	"syscall"
)

// watchSize calls changed whenever the terminal changes its size, until stop is
// called.
func watchSize(changed func()) (stop func()) {
	ch := make(chan os.Signal, 1)
	done := make(chan struct{})
	signal.Notify(ch, syscall.SIGWINCH)
	go func() {
		for {
			select {
			case <-ch:
				changed()
			case <-done:
				return
			}
		}
	}()
	return func() { signal.Stop(ch); close(done) }
}
