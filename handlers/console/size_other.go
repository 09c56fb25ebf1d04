//go:build !unix

package console

import "os"

// watchSize: other systems send no signal; the size is read at each change.
func watchSize() (changed <-chan os.Signal, stop func()) { return nil, func() {} }

func isHangup(error) bool { return false }
